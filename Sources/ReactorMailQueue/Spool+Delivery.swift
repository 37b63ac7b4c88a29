import ReactorWire

/// What a message's recipient is told by the next hop, or by us where it could not be asked.
public enum DeliveryOutcome: Equatable, Sendable {
    /// The next hop has taken responsibility.
    case delivered(String)
    /// Not now: it is tried again.
    case deferred(String)
    /// One too many for a transaction that others were in: it is tried again in another one, at once if that delivered
    /// to somebody (RFC 5321 section 4.5.3.1.10).
    case leftOver(String)
    /// Never.
    case failed(String)
}

/// A message to be delivered: what the spool hands to a client.
public struct OutgoingMessage: Sendable {
    /// Names the message in its spool.
    public var number: Int64
    public var id: QueueID
    public var sender: String
    public var body: Envelope.BodyType
    /// Those who have not had it yet, each with its position among all recipients of the message.
    public var recipients: [(position: Int64, address: String)]
    public var content: [UInt8]
    public var received: Int64
    /// Attempts made before.
    public var attempts: Int

    public init(
        number: Int64, id: QueueID, sender: String, body: Envelope.BodyType = .sevenBit,
        recipients: [(position: Int64, address: String)], content: [UInt8], received: Int64 = 0, attempts: Int = 0
    ) {
        self.number = number
        self.id = id
        self.sender = sender
        self.body = body
        self.recipients = recipients
        self.content = content
        self.received = received
        self.attempts = attempts
    }
}

/// Taking messages out. Meant for the one who holds the spool's lock; who is delivering what is for it to remember,
/// in memory, so that a process that dies leaves no claim behind.
extension Spool {
    /// The messages that are due, longest waiting first.
    ///
    /// - Parameter excluding: those that are being delivered.
    public func due(
        at unixSeconds: Int64, limit: Int, excluding: Set<Int64> = []
    ) throws(SpoolError) -> [Int64] {
        try use { database throws(Database.Failure) in
            var numbers: [Int64] = []
            try database.run(
                "SELECT number FROM message WHERE next_attempt <= ? ORDER BY next_attempt, number LIMIT ?",
                [.integer(unixSeconds), .integer(Int64(limit + excluding.count))]
            ) { numbers.append($0.integer(0)) }
            return Array(numbers.lazy.filter { !excluding.contains($0) }.prefix(limit))
        }
    }

    /// When the first message that is not due yet will be; nil if none waits.
    public func nextAttempt(after unixSeconds: Int64) throws(SpoolError) -> Int64? {
        try use { database throws(Database.Failure) in
            try database.number("SELECT min(next_attempt) FROM message WHERE next_attempt > ?", [.integer(unixSeconds)])
        }
    }

    /// Reads a message that is to be delivered; nil if it is gone or not whole.
    public func load(_ number: Int64) throws(SpoolError) -> OutgoingMessage? {
        try use { database throws(Database.Failure) in
            var found: OutgoingMessage?
            try database.run(
                """
                SELECT id, sender, body, received, attempts, bytes
                FROM message JOIN content ON content.message = number WHERE number = ?
                """, [.integer(number)]
            ) { row in
                found = OutgoingMessage(
                    number: number, id: QueueID(text: row.text(0)), sender: row.text(1),
                    body: Envelope.BodyType(rawValue: row.text(2)) ?? .sevenBit, recipients: [],
                    content: row.blob(5), received: row.integer(3), attempts: Int(clamping: row.integer(4)))
            }
            try database.run(
                "SELECT position, address FROM recipient WHERE message = ? AND state = 'waiting' ORDER BY position",
                [.integer(number)]
            ) { found?.recipients.append((position: $0.integer(0), address: $0.text(1))) }
            return found?.recipients.isEmpty == false ? found : nil
        }
    }

    /// What became of a message after an attempt.
    public enum Disposition: Equatable, Sendable {
        /// Every recipient has had it, and it is gone from the spool.
        case removed
        /// Some recipients still wait.
        case deferred
        /// Nobody waits, but some recipients were refused for good. It is kept, for people to see.
        case failed
        /// It was gone already: somebody else has removed it from the spool.
        case gone
    }

    /// Writes down an attempt's outcome, and removes the message if that was the last of it; all in one transaction.
    ///
    /// - Parameters:
    ///   - outcomes: one for each of the message's `recipients`, in their order.
    ///   - nextAttempt: when to try again those who are deferred.
    public func record(
        _ outcomes: [DeliveryOutcome], for message: OutgoingMessage, nextAttempt: Int64
    ) throws(SpoolError) -> Disposition {
        try use { database throws(Database.Failure) in
            try database.transaction { database throws(Database.Failure) in
                // The number alone could be another message's by now.
                let isThere = try database.number(
                    "SELECT 1 FROM message WHERE number = ? AND id = ?",
                    [.integer(message.number), .text(message.id.text)])
                if isThere == nil { return .gone }
                var trouble: String?
                for (recipient, outcome) in zip(message.recipients, outcomes) {
                    let (state, reply) = outcome.columns
                    if state != "delivered" { trouble = reply }
                    try database.run(
                        "UPDATE recipient SET state = ?, reply = ? WHERE message = ? AND position = ?",
                        [.text(state), .text(reply), .integer(message.number), .integer(recipient.position)])
                }
                return try Self.settle(
                    message.number, nextAttempt: nextAttempt, attempts: outcomes.goOnAtOnce ? 0 : 1, trouble: trouble,
                    in: database)
            }
        }
    }

    private static func settle(
        _ number: Int64, nextAttempt: Int64, attempts: Int64, trouble: String?, in database: Database
    ) throws(Database.Failure) -> Disposition {
        let count = "SELECT count(*) FROM recipient WHERE message = ? AND state "
        if try database.number(count + "= 'delivered'", [.integer(number)])
            == database.number(count + "IS NOT NULL", [.integer(number)])
        {
            try database.run("DELETE FROM message WHERE number = ?", [.integer(number)])
            return .removed
        }
        let waits = try database.number(count + "= 'waiting'", [.integer(number)]) != 0
        try database.run(
            """
            UPDATE message SET attempts = attempts + ?, next_attempt = ?, last_error = coalesce(?, last_error)
            WHERE number = ?
            """,
            [
                .integer(attempts), waits ? .integer(nextAttempt) : .null, trouble.map { .text($0) } ?? .null,
                .integer(number),
            ])
        return waits ? .deferred : .failed
    }

    /// Sets aside a message that is not whole, so that it does not stand in the way of the others. One that is whole,
    /// as ``load(_:)`` understands it, is left alone.
    public func setAside(_ number: Int64, because reason: String) throws(SpoolError) {
        try use { database throws(Database.Failure) in
            try database.run(
                """
                UPDATE message SET next_attempt = NULL, last_error = ? WHERE number = ? AND NOT (
                    EXISTS (SELECT 1 FROM content WHERE content.message = number)
                    AND EXISTS (SELECT 1 FROM recipient WHERE recipient.message = number AND state = 'waiting'))
                """,
                [.text(reason), .integer(number)])
        }
    }
}

extension [DeliveryOutcome] {
    /// The attempt got somewhere, and only the size of a transaction kept it from getting further. Each time some are
    /// delivered to, so that this comes to an end.
    var goOnAtOnce: Bool {
        contains { $0.isDelivered } && contains { if case .leftOver = $0 { true } else { false } }
    }
}

extension DeliveryOutcome {
    fileprivate var columns: (state: String, reply: String) {
        switch self {
        case .delivered(let reply): ("delivered", reply)
        case .deferred(let reply), .leftOver(let reply): ("waiting", reply)
        case .failed(let reply): ("failed", reply)
        }
    }
}

// MARK: Looking

extension Spool {
    /// Every message in the spool, in the order of arrival.
    public func list() throws(SpoolError) -> [QueuedMessage] {
        try use { database throws(Database.Failure) in
            // Both reads see one state.
            try database.run("BEGIN")
            defer { try? database.run("COMMIT") }
            var recipients: [Int64: [QueuedMessage.Recipient]] = [:]
            try database.run("SELECT message, address, state, reply FROM recipient ORDER BY message, position") { row in
                recipients[row.integer(0), default: []].append(
                    QueuedMessage.Recipient(address: row.text(1), state: row.text(2), lastReply: row.optionalText(3)))
            }
            var messages: [QueuedMessage] = []
            try database.run(
                """
                SELECT number, id, sender, size, received, attempts, next_attempt, last_error
                FROM message ORDER BY number
                """
            ) { row in
                messages.append(
                    QueuedMessage(
                        id: row.text(1), state: row.isNull(6) ? .failed : .waiting, sender: row.text(2),
                        recipients: recipients[row.integer(0)] ?? [], size: Int(row.integer(3)),
                        received: CivilTime(unixSeconds: row.integer(4)).timestamp,
                        attempts: Int(clamping: row.integer(5)),
                        nextAttempt: row.isNull(6) ? nil : CivilTime(unixSeconds: row.integer(6)).timestamp,
                        lastError: row.optionalText(7)))
            }
            return messages
        }
    }
}
