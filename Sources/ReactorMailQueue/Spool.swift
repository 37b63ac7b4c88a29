import CSQLite
import Glibc
import Synchronization

/// Messages on disk, from their acceptance to their delivery: a SQLite database in a directory of its own.
///
/// What ``commit(_:_:)`` accepted survives the death of the process and of the machine. Any thread may use a spool,
/// and so may processes forked before it was used: each opens its own connection at first use. A process that has used
/// a spool must not fork children that use it too.
public final class Spool: MessageStore {
    public let directory: String
    /// Signalled after each commit, in whatever process.
    public let committed: CommitSignal

    public let limits: SpoolLimits

    let isReadOnly: Bool
    private let connection = Mutex<Opened?>(nil)
    private let waiting = Mutex<[Submission]>([])

    /// How long a writer waits for another process's transaction, in milliseconds. Transactions are short; one this
    /// long is a disk that has stopped.
    private static let busyTimeout: Int32 = 10_000

    private struct Opened {
        let database: Database
        let process: pid_t
    }

    /// Makes the directory (mode 0700) and the database in it where they are missing, and checks that they can be
    /// used. Nothing is left open, so that the process may be forked afterwards.
    public convenience init(directory: String, limits: SpoolLimits = SpoolLimits()) throws(SpoolError) {
        try self.init(directory: directory, limits: limits, readOnly: false)
    }

    /// A spool to look at, with ``list()``. It must exist.
    public convenience init(reading directory: String) throws(SpoolError) {
        try self.init(directory: directory, limits: SpoolLimits(), readOnly: true)
    }

    private init(directory: String, limits: SpoolLimits, readOnly: Bool) throws(SpoolError) {
        self.directory = directory
        self.limits = limits
        isReadOnly = readOnly
        committed = try CommitSignal(directory: directory)
        if readOnly { try SpoolDirectory.check(directory) } else { try SpoolDirectory.prepare(directory) }
        _ = try open()
    }

    // MARK: Commit

    /// A message that waits for its commit, and what became of it.
    private final class Submission: Sendable {
        let envelope: Envelope
        let content: [UInt8]
        let result = Mutex<Result<Void, SpoolError>?>(nil)

        init(_ envelope: Envelope, _ content: [UInt8]) {
            self.envelope = envelope
            self.content = content
        }

        func fail(_ error: SpoolError) { result.withLock { if $0 == nil { $0 = .failure(error) } } }
    }

    /// Stores the message; it is on the disk when this returns.
    ///
    /// Threads that come while another one commits wait for it together, and the first of them then commits for all:
    /// one write to the disk instead of many.
    public func commit(_ envelope: Envelope, _ content: [UInt8]) throws(MessageStoreError) {
        let mine = Submission(envelope, content)
        waiting.withLock { $0.append(mine) }
        do {
            try use { database throws(Database.Failure) in
                if mine.result.withLock({ $0 != nil }) { return }
                let batch = waiting.withLock { queue in
                    defer { queue = [] }
                    return queue
                }
                try store(batch, in: database)
            }
        } catch {
            // The database could not be opened, or is not to be trusted any more. If somebody had taken this submission
            // before, its result stands.
            waiting.withLock { queue in queue.removeAll { $0 === mine } }
            mine.fail(error)
        }
        switch mine.result.withLock({ $0 }) {
        case .success: committed.signal()
        case .failure(let error): throw error.asStoreError
        case nil: throw .failed("not stored")
        }
    }

    /// Stores them, and tells each submission what became of it.
    ///
    /// - Throws: what makes the connection one not to be trusted any more.
    private func store(_ batch: [Submission], in database: Database) throws(Database.Failure) {
        if !hasRoom(for: batch, in: database) {
            // What was delivered meanwhile may have left room in the log and in the database.
            try? database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        }
        if !hasRoom(for: batch, in: database) { return batch.forEach { $0.fail(.full(directory: directory)) } }
        do throws(Database.Failure) {
            try database.transaction { database throws(Database.Failure) in
                for one in batch { try Self.insert(one.envelope, one.content, in: database) }
            }
            for one in batch { one.result.withLock { $0 = .success(()) } }
        } catch {
            // One must not spoil it for all. Where it was the database, trying each would only take longer.
            if batch.count > 1, error.isOfOneRow { return try storeEach(of: batch, in: database) }
            for one in batch { one.fail(spoolError(error)) }
            if error.isGrave { throw error }
        }
    }

    private func storeEach(of batch: [Submission], in database: Database) throws(Database.Failure) {
        do throws(Database.Failure) {
            for one in batch { try store([one], in: database) }
        } catch {
            for one in batch { one.fail(spoolError(error)) }
            throw error
        }
    }

    private func hasRoom(for batch: [Submission], in database: Database) -> Bool {
        let bytes = batch.reduce(0) { sum, one in
            sum + one.content.count + one.envelope.sender.utf8.count
                + one.envelope.recipients.reduce(0) { $0 + $1.utf8.count }
        }
        let log = SpoolDirectory.writeAheadLogSize(in: directory)
        // Once in the log, and once more when the log is copied into the database, as all that is in it must be.
        // The database may have room within.
        let pages = (try? database.number("PRAGMA freelist_count")) ?? nil
        let size = (try? database.number("PRAGMA page_size")) ?? nil
        let within = Int(clamping: pages ?? 0) * Int(clamping: size ?? 0)
        let left = SpoolDirectory.freeSpace(in: directory) - log - bytes - max(0, bytes - within)
        return left >= limits.reserve
    }

    private static func insert(
        _ envelope: Envelope, _ content: [UInt8], in database: Database
    ) throws(Database.Failure) {
        try database.run(
            "INSERT INTO message(id, sender, body, size, received, next_attempt) VALUES(?1, ?2, ?3, ?4, ?5, ?5)",
            [
                .text(envelope.id.text), .text(envelope.sender), .text(envelope.body.rawValue),
                .integer(Int64(content.count)), .integer(envelope.received),
            ])
        let number = try database.number("SELECT last_insert_rowid()") ?? 0
        try database.run("INSERT INTO content(message, bytes) VALUES(?, ?)", [.integer(number), .blob(content)])
        for (position, address) in envelope.recipients.enumerated() {
            try database.run(
                "INSERT INTO recipient(message, position, address) VALUES(?, ?, ?)",
                [.integer(number), .integer(Int64(position)), .text(address)])
        }
    }

    // MARK: The connection

    /// Runs `body` with this process's connection, one thread at a time.
    ///
    /// `body` is `@Sendable` so that nothing of the connection can stay behind in what it captured.
    func use<Result: Sendable>(
        _ body: @Sendable (Database) throws(Database.Failure) -> Result
    ) throws(SpoolError) -> Result {
        try connection.withLock { (opened: inout sending Opened?) throws(SpoolError) -> Result in
            if let opened, opened.process != getpid() { throw SpoolError.openAcrossFork(directory: directory) }
            if let current = opened, current.database.hasMoved {
                opened = nil
                throw SpoolError.moved(directory: directory)
            }
            let database: Database
            if let opened {
                database = opened.database
            } else {
                database = try open()
                opened = Opened(database: database, process: getpid())
            }
            do throws(Database.Failure) {
                return try body(database)
            } catch {
                if error.isGrave { opened = nil }
                throw spoolError(error)
            }
        }
    }

    private func open() throws(SpoolError) -> Database {
        try SpoolDirectory.check(directory)
        let found: SpoolSchema.Found
        let database: Database
        do throws(Database.Failure) {
            let flags = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
            database = try Database(
                path: SpoolDirectory.database(in: directory), flags: flags, busyTimeout: Self.busyTimeout)
            found = try SpoolSchema.prepare(database, readOnly: isReadOnly)
        } catch {
            throw spoolError(error)
        }
        switch found {
        case .ours: return database
        case .empty: throw .missing(directory: directory)
        case .foreign: throw .foreign(directory: directory)
        case .version(let version): throw .version(directory: directory, found: version, expected: SpoolSchema.version)
        }
    }

    func spoolError(_ failure: Database.Failure) -> SpoolError {
        if failure.isFull { return .full(directory: directory) }
        if failure.code == SQLITE_NOTADB { return .foreign(directory: directory) }
        return .database(directory: directory, reason: failure.reason)
    }
}
