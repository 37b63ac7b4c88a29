import Glibc
public import ReactorSMTP
import Synchronization

/// The right to deliver from a spool: a lock on a file, which ends with its process however that ends, and a number in the
/// database, which fences off a holder that does not know yet that it has lost the lock.
///
/// A child that is forked by the holder shares the lock.
public final class SpoolLease: MailQueueLease {
    public let epoch: Int64
    private let lock: Mutex<CInt>

    fileprivate init(epoch: Int64, lock: CInt) {
        self.epoch = epoch
        self.lock = Mutex(lock)
    }

    deinit { release() }

    public func release() {
        lock.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}

extension Spool {
    /// Also computes destinations anew, corrects times that a wrong clock has set, and removes contents that no message
    /// names. Blocks: half a second for 100,000 messages.
    public func acquireLease() throws(MailQueueError) -> SpoolLease {
        do throws(SpoolError) {
            let lease = try takeLock()
            try correctTimes(now: Int64(time(nil)))
            try routeAnew()
            try removeOrphans()
            return lease
        } catch {
            throw error.asQueueError
        }
    }

    private func takeLock() throws(SpoolError) -> SpoolLease {
        let descriptor = try lockFileSoon()
        let raised = Mutex<Int64>(0)
        do throws(SpoolError) {
            try change { transaction throws(Database.Failure) in
                let epoch = try transaction.raiseEpoch()
                raised.withLock { $0 = epoch }
            }
        } catch {
            close(descriptor)
            throw error
        }
        return SpoolLease(epoch: raised.withLock { $0 }, lock: descriptor)
    }

    /// Whoever looks at ``isLeased`` has the lock for a moment.
    private func lockFileSoon() throws(SpoolError) -> CInt {
        for _ in 0..<20 {
            do throws(SpoolError) {
                return try lockFile()
            } catch {
                guard case .agentRunning = error else { throw error }
                usleep(5_000)
            }
        }
        return try lockFile()
    }

    /// Whether somebody delivers from the spool now.
    public var isLeased: Bool {
        guard let descriptor = try? lockFile() else { return true }
        close(descriptor)
        return false
    }

    private func lockFile() throws(SpoolError) -> CInt {
        let descriptor = open(SpoolDirectory.lock(in: directory), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw SpoolDirectory.failure(directory) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { throw .agentRunning(directory: directory) }
            throw .unusable(directory: directory, reason: String(cString: strerror(code)))
        }
        return descriptor
    }

    /// A clock that was ahead may have put attempts where nobody would live to see them, and messages would not grow old
    /// before it is that late.
    private func correctTimes(now: Int64) throws(SpoolError) {
        let (latest, isOver) = now.addingReportingOverflow(options.longestWait)
        if isOver { return }
        try change { transaction throws(Database.Failure) in
            try transaction.database.run(
                "UPDATE recipient SET next_attempt = ?1 WHERE next_attempt IS NOT NULL AND next_attempt > ?2",
                [.integer(now), .integer(latest)])
            try transaction.database.run(
                "UPDATE message SET received = ?1 WHERE received > ?2", [.integer(now), .integer(latest)])
        }
    }

    public func clockWasSetBack(by seconds: Int64, now: Int64) throws(MailQueueError) {
        do throws(SpoolError) {
            try change { transaction throws(Database.Failure) in
                try transaction.database.run(
                    "UPDATE recipient SET next_attempt = max(next_attempt - ?1, ?2) WHERE next_attempt IS NOT NULL AND next_attempt > ?2",
                    [.integer(seconds), .integer(now)])
            }
        } catch {
            throw error.asQueueError
        }
    }

    private func routeAnew() throws(SpoolError) {
        struct Changed: Sendable {
            var message, position: Int64
            var destination: String
        }
        var after: (Int64, Int64)? = (-1, -1)
        while let (message, position) = after {
            let (changed, last) = try read { database throws(Database.Failure) in
                var changed: [Changed] = []
                var last: (Int64, Int64)?
                var count = 0
                try database.scan(
                    """
                    SELECT message, position, address, destination FROM recipient
                    WHERE (message, position) > (?, ?) AND state = 'waiting' ORDER BY message, position
                    """, [.integer(message), .integer(position)]
                ) { row in
                    let destination = routing(row.text(2))
                    if destination != row.text(3) {
                        changed.append(
                            Changed(message: row.integer(0), position: row.integer(1), destination: destination))
                    }
                    count += 1
                    // Slices, so that others can write in between.
                    if changed.count == 1_000 || count == 20_000 { last = (row.integer(0), row.integer(1)) }
                    return last == nil
                }
                return (changed, last)
            }
            after = last
            if changed.isEmpty { continue }
            try change { transaction throws(Database.Failure) in
                for one in changed {
                    try transaction.database.run(
                        "UPDATE recipient SET destination = ? WHERE message = ? AND position = ?",
                        [.text(one.destination), .integer(one.message), .integer(one.position)])
                }
            }
        }
    }

    /// Removes contents that no message names and nobody has written to for an hour.
    func removeOrphans() throws(SpoolError) {
        for name in folder.oldFiles(age: options.orphanAge) {
            let isNamed = try read { database throws(Database.Failure) in
                try database.number("SELECT 1 FROM message WHERE id = ?1 AND file = ?1", [.text(name)]) != nil
            }
            if !isNamed { folder.remove(name) }
        }
    }
}
