import Glibc
import Synchronization

/// What an operator may do to a message.
public enum QueueChange: String, Sendable, CaseIterable {
    /// Tries those who wait at once, also those of a message that was set aside; and where nobody waits, those for whom it
    /// failed. A message that is held stays so.
    case retry
    /// Tries nobody until it is released.
    case hold
    /// Undoes ``hold``: those who wait are tried at once.
    case release
    /// Forgets the message; nobody is told. A delivery that is under way is not stopped.
    case delete
}

extension Spool {
    /// Messages in one transaction: long enough to be quick, short enough not to hold up a relay.
    private static let changeSlice = 200

    /// Changes the messages with these ids. Blocks.
    ///
    /// - Returns: how many were changed, where those that were so already do not count; and the ids that no message has.
    public func apply(_ change: QueueChange, to ids: [String]) throws(SpoolError) -> (changed: Int, missing: [String]) {
        var missing: [String] = []
        var numbers: [Int64] = []
        for id in ids {
            let number = try read { database throws(Database.Failure) in
                try database.number("SELECT number FROM message WHERE id = ?", [.text(id)])
            }
            if let number { numbers.append(number) } else { missing.append(id) }
        }
        var changed = 0
        for start in stride(from: 0, to: numbers.count, by: Self.changeSlice) {
            changed += try apply(change, to: numbers[start..<min(start + Self.changeSlice, numbers.count)])
        }
        return (changed, missing)
    }

    /// Changes all messages that match, a slice at a time. Blocks.
    ///
    /// - Returns: how many were changed; those that were so already do not count.
    public func apply(_ change: QueueChange, matching filter: QueueFilter) throws(SpoolError) -> Int {
        var count = 0
        var after: Int64 = .min
        while true {
            let numbers = try numbers(filter, after: after, limit: Self.changeSlice)
            if let last = numbers.last { after = last } else { return count }
            count += try apply(change, to: numbers[...])
        }
    }

    private func apply(_ change: QueueChange, to numbers: ArraySlice<Int64>) throws(SpoolError) -> Int {
        let count = Mutex(0)
        let now = Int64(time(nil))
        try self.change { transaction throws(Database.Failure) in
            var changed = 0
            for number in numbers {
                if try transaction.apply(change, to: number, now: now) { changed += 1 }
            }
            if changed > 0 { transaction.hasChanges = true }
            count.withLock { [changed] in $0 = changed }
        }
        if change == .retry { setAside.withLock { $0.subtract(numbers) } }
        return count.withLock { $0 }
    }
}

extension SpoolTransaction {
    /// - Returns: whether there was something to change.
    fileprivate mutating func apply(_ change: QueueChange, to number: Int64, now: Int64) throws(Database.Failure) -> Bool {
        let value = Database.Value.integer(number)
        switch change {
        case .retry: return try retry(number, now: now)
        case .hold:
            let isWaiting = "number = ? AND held = 0 AND \(QueueFilter.isWaitedFor)"
            try database.run("UPDATE message SET held = 1 WHERE \(isWaiting)", [value])
            if database.changed == 0 { return false }
            try database.run("UPDATE recipient SET next_attempt = NULL WHERE message = ?", [value])
        case .release:
            try database.run("UPDATE message SET held = 0 WHERE number = ? AND held <> 0", [value])
            if database.changed == 0 { return false }
            try database.run(
                """
                UPDATE recipient SET next_attempt = ?2 WHERE message = ?1 AND state = 'waiting'
                    AND NOT EXISTS(SELECT 1 FROM message WHERE number = ?1 AND quarantine IS NOT NULL)
                """, [value, .integer(now)])
        case .delete:
            let before = removed
            if try database.number("SELECT 1 FROM message WHERE number = ?", [value]) == nil { return false }
            try remove(number)
            return removed > before
        }
        return true
    }

    private func retry(_ number: Int64, now: Int64) throws(Database.Failure) -> Bool {
        let value = Database.Value.integer(number)
        if try database.number("SELECT 1 FROM message WHERE number = ? AND held = 0", [value]) == nil { return false }
        try database.run("UPDATE message SET quarantine = NULL WHERE number = ? AND quarantine IS NOT NULL", [value])
        // A state that is none, as of a message that was set aside for it, is taken for the one where mail is not lost.
        try database.run(
            """
            UPDATE recipient SET state = 'waiting', next_attempt = ?
            WHERE message = ? AND state NOT IN ('delivered', 'failed')
            """, [.integer(now), value])
        if database.changed > 0 { return true }
        try database.run(
            "UPDATE recipient SET state = 'waiting', next_attempt = ? WHERE message = ? AND state = 'failed'",
            [.integer(now), value])
        return database.changed > 0
    }
}
