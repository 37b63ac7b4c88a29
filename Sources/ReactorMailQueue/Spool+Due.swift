public import ReactorSMTP
import Synchronization

/// What the one who delivers asks. Each answer is read from the index `recipient_due` or from the end of a table.
extension Spool {
    public func waitingDestinations() throws(MailQueueError) -> [WaitingDestination] {
        try asking { () throws(SpoolError) in
            try read { database throws(Database.Failure) in
                try Self.destinations(
                    "SELECT destination, min(next_attempt) FROM recipient WHERE next_attempt IS NOT NULL GROUP BY destination",
                    [], in: database)
            }
        }
    }

    public func arrivals(after number: Int64) throws(MailQueueError) -> (destinations: [WaitingDestination], newest: Int64) {
        try asking { () throws(SpoolError) in
            try read { database throws(Database.Failure) in
                let newest = try database.number("SELECT newest FROM spool") ?? 0
                if newest <= number { return ([], newest) }
                // The sign keeps SQLite from reading the whole index for the sake of its order.
                let destinations = try Self.destinations(
                    """
                    SELECT destination, min(next_attempt) FROM recipient
                    WHERE message > ? AND +next_attempt IS NOT NULL GROUP BY +destination
                    """, [.integer(number)], in: database)
                return (destinations, newest)
            }
        }
    }

    public func nextAttempt(for destination: String) throws(MailQueueError) -> Int64? {
        try asking { () throws(SpoolError) in
            try read { database throws(Database.Failure) in
                try database.number(
                    "SELECT min(next_attempt) FROM recipient WHERE destination = ? AND next_attempt IS NOT NULL", [.text(destination)])
            }
        }
    }

    public func changes() throws(MailQueueError) -> Int64 {
        try asking { () throws(SpoolError) in
            try read { database throws(Database.Failure) in try database.number("SELECT changes FROM spool") ?? 0 }
        }
    }

    private static func destinations(
        _ sql: String, _ values: [Database.Value], in database: Database
    ) throws(Database.Failure) -> [WaitingDestination] {
        var found: [WaitingDestination] = []
        try database.run(sql, values) { row in
            found.append(WaitingDestination(name: row.text(0), nextAttempt: row.integer(1)))
        }
        return found
    }

    public func due(
        for destination: String, at unixSeconds: Int64, limit: Int, excluding: Set<Int64>
    ) throws(MailQueueError) -> [OutgoingMessage] {
        try asking { () throws(SpoolError) in
            while true {
                let aside = setAside.withLock { $0 }
                let without = aside.isEmpty ? excluding : excluding.union(aside)
                let (messages, damaged) = try read { database throws(Database.Failure) in
                    let numbers = try Self.dueNumbers(destination, unixSeconds, limit, without, in: database)
                    return try load(numbers, for: destination, at: unixSeconds, in: database)
                }
                for (number, reason) in damaged { quarantine(number, because: reason) }
                // Those that cannot be read must not hide those behind them.
                if !messages.isEmpty || damaged.isEmpty { return messages }
            }
        }
    }

    private static func dueNumbers(
        _ destination: String, _ time: Int64, _ limit: Int, _ without: Set<Int64>, in database: Database
    ) throws(Database.Failure) -> [Int64] {
        if limit <= 0 { return [] }
        var numbers: [Int64] = []
        var seen: Set<Int64> = []
        try database.scan(
            """
            SELECT message FROM recipient
            WHERE destination = ? AND next_attempt IS NOT NULL AND next_attempt <= ? ORDER BY next_attempt, message
            """, [.text(destination), .integer(time)]
        ) { row in
            let number = row.integer(0)
            if !without.contains(number), seen.insert(number).inserted { numbers.append(number) }
            return numbers.count < limit
        }
        return numbers
    }

    private func load(
        _ numbers: [Int64], for destination: String, at time: Int64, in database: Database
    ) throws(Database.Failure) -> (messages: [OutgoingMessage], damaged: [(Int64, String)]) {
        var messages: [OutgoingMessage] = []
        var damaged: [(Int64, String)] = []
        for number in numbers {
            do throws(LoadFailure) {
                messages.append(try MessageReader(database: database, folder: folder).load(number, for: destination, at: time))
            } catch {
                switch error {
                case .damaged(let reason): damaged.append((number, reason))
                case .database(let failure): throw failure
                // Not its fault: it stays due.
                case .unreadableNow(let reason):
                    if messages.isEmpty { throw Database.Failure(code: 0, reason: reason, isFull: false) }
                    return (messages, damaged)
                }
            }
        }
        return (messages, damaged)
    }

    /// Sets a message aside, so that it does not stand in the way of the others. It keeps its state; an operator sees the
    /// reason, and may have it tried again.
    private func quarantine(_ number: Int64, because reason: String) {
        setAside.withLock { _ = $0.insert(number) }
        committer.countQuarantined()
        let work = Submission.Work.change { transaction throws(Database.Failure) in
            try transaction.database.run(
                "UPDATE message SET quarantine = ? WHERE number = ?", [.text(reason), .integer(number)])
            try transaction.database.run(
                "UPDATE recipient SET next_attempt = NULL WHERE message = ?", [.integer(number)])
        }
        committer.submit(
            Submission(work: work) { [weak self] result in
                // Where it could not be written, it stays in mind.
                if case .success = result { self?.setAside.withLock { _ = $0.remove(number) } }
            })
    }

    private func asking<Result>(_ body: () throws(SpoolError) -> Result) throws(MailQueueError) -> Result {
        do throws(SpoolError) { return try body() } catch { throw error.asQueueError }
    }
}
