public import ReactorSMTP

/// Looking into a spool, on which a relay may run or not.
extension Spool {
    /// Messages that a slice of a list reads at a time: writers may cut their log back in between.
    private static let slice = 500

    /// Gives each message that matches to `body`, in the order of arrival, until that says false. What arrives or goes
    /// meanwhile may be among them or not. Needs memory for a few hundred.
    public func list(
        _ filter: QueueFilter = QueueFilter(), _ body: (QueuedMessage) throws -> Bool
    ) throws {
        var after: Int64 = .min
        while true {
            let start = after
            let rows = try read { database throws(Database.Failure) in
                try Self.slice(filter, after: start, in: database)
            }
            for row in rows where try !body(row.message) { return }
            guard rows.count == Self.slice, let last = rows.last else { return }
            after = last.number
        }
    }

    /// All that match.
    public func list(_ filter: QueueFilter = QueueFilter()) throws -> [QueuedMessage] {
        var found: [QueuedMessage] = []
        try list(filter) { message in
            found.append(message)
            return true
        }
        return found
    }

    /// So many messages, the oldest first; or, `newest`, the latest first.
    public func list(newest: Bool, limit: Int) throws(SpoolError) -> [QueuedMessage] {
        try read { database throws(Database.Failure) in
            let order = newest ? "DESC" : "ASC"
            let messages = try QueuedMessage.read(
                "number IN (SELECT number FROM message ORDER BY number \(order) LIMIT ?)", [.integer(Int64(limit))], limit: limit,
                in: database)
            return (newest ? messages.reversed() : messages).map(\.message)
        }
    }

    /// One message; nil if there is none with this id.
    public func message(_ id: String) throws(SpoolError) -> QueuedMessage? {
        try read { database throws(Database.Failure) in
            try QueuedMessage.read("id = ?", [.text(id)], limit: 1, in: database).first?.message
        }
    }

    /// A message's content; nil if there is no such message.
    ///
    /// - Throws: ``SpoolError/damaged(id:reason:)`` if it cannot be read.
    public func content(of id: String) throws(SpoolError) -> MessageContent? {
        let found = try read { database throws(Database.Failure) -> Result<MessageContent, SpoolError>? in
            guard let number = try database.number("SELECT number FROM message WHERE id = ?", [.text(id)]) else { return nil }
            do throws(LoadFailure) {
                return .success(try MessageReader(database: database, folder: folder).content(of: number))
            } catch {
                switch error {
                case .damaged(let reason), .unreadableNow(let reason): return .failure(.damaged(id: id, reason: reason))
                case .database(let failure): throw failure
                }
            }
        }
        return try found?.get()
    }

    private static func slice(
        _ filter: QueueFilter, after number: Int64, in database: Database
    ) throws(Database.Failure) -> [(number: Int64, message: QueuedMessage)] {
        let (sql, values) = filter.conditions
        return try QueuedMessage.read("number > ? AND " + sql, [.integer(number)] + values, limit: slice, in: database)
    }

    /// Numbers of messages that match, in their order.
    func numbers(_ filter: QueueFilter, after number: Int64, limit: Int) throws(SpoolError) -> [Int64] {
        try read { database throws(Database.Failure) in
            let (sql, values) = filter.conditions
            var numbers: [Int64] = []
            try database.run(
                "SELECT number FROM message WHERE number > ? AND \(sql) ORDER BY number LIMIT ?",
                [.integer(number)] + values + [.integer(Int64(limit))]
            ) { numbers.append($0.integer(0)) }
            return numbers
        }
    }
}

extension QueuedMessage {
    static func read(
        _ conditions: String, _ values: [Database.Value], limit: Int, in database: Database
    ) throws(Database.Failure) -> [(number: Int64, message: QueuedMessage)] {
        var found: [(number: Int64, message: QueuedMessage)] = []
        var places: [Int64: Int] = [:]
        try database.run(
            """
            SELECT number, id, sender, size, received, body, utf8, ret, envid, held, quarantine
            FROM message WHERE \(conditions) ORDER BY number LIMIT ?
            """, values + [.integer(Int64(limit))]
        ) { row in
            places[row.integer(0)] = found.count
            found.append((row.integer(0), QueuedMessage(row)))
        }
        guard let first = found.first?.number, let last = found.last?.number else { return [] }
        // One range for all where they lie close together, as they do in a list of everything.
        let isDense = last - first < Int64(found.count) * 2
        let ranges = isDense ? [(first, last)] : found.map { ($0.number, $0.number) }
        for (low, high) in ranges {
            try database.run(
                """
                SELECT message, address, destination, state, attempts, next_attempt, status, reply, remote
                FROM recipient WHERE message BETWEEN ? AND ? ORDER BY message, position
                """, [.integer(low), .integer(high)]
            ) { row in
                if let place = places[row.integer(0)] { found[place].message.add(row) }
            }
        }
        return found
    }

    /// A row of `message`.
    private init(_ row: Database.Row) {
        let isHeld = row.integer(9) != 0
        self.init(
            id: row.text(1), state: row.isNull(10) ? (isHeld ? .held : .failed) : .quarantined, sender: row.text(2),
            recipients: [], size: Int(clamping: row.integer(3)), received: QueuedMessage.timestamp(row.integer(4)),
            attempts: 0, nextAttempt: nil, lastError: row.optionalText(10), body: row.text(5),
            isInternationalized: row.integer(6) != 0, returnContent: row.optionalText(7), envelopeID: row.optionalText(8))
    }

    /// A row of `recipient`.
    private mutating func add(_ row: Database.Row) {
        let recipient = Recipient(
            address: row.text(1), destination: row.text(2), state: row.text(3), attempts: Int(clamping: row.integer(4)),
            nextAttempt: row.isNull(5) ? nil : QueuedMessage.timestamp(row.integer(5)),
            status: row.optionalText(6), lastReply: row.optionalText(7), remote: row.optionalText(8))
        if recipient.state == "waiting", state == .failed { state = .waiting }
        if recipient.state != "delivered", lastError == nil { lastError = recipient.lastReply }
        attempts = max(attempts, recipient.attempts)
        // As text they are ordered as in time.
        if let next = recipient.nextAttempt { nextAttempt = min(next, nextAttempt ?? next) }
        recipients.append(recipient)
    }
}
