import Glibc
public import ReactorSMTP
import Synchronization

/// Messages on disk, from their acceptance to their delivery: a SQLite database in a directory of its own, and beside it
/// the contents that are too large to be held in memory.
///
/// What ``commit(_:_:then:)`` accepted survives the death of the process and of the machine. Any thread may use a spool,
/// and so may any process. One that has used a spool must not fork children that use it too: each opens it at first use.
/// Everything is written by one thread a process, the ``Committer``; everything is read by another connection, which
/// writers do not hold up.
public final class Spool: MailQueue {
    public let directory: String
    public let options: SpoolOptions

    let routing: @Sendable (String) -> String
    let committer: Committer
    let folder: ContentFolder
    /// Nil in a spool to look at.
    let wake: WakePipe?
    /// Numbers of messages that could not be read, until the database says so too.
    let setAside = Mutex<Set<Int64>>([])
    private let connection = Mutex<Opened?>(nil)

    private struct Opened {
        let database: Database
        let process: pid_t
    }

    /// Makes the directory (mode 0700) and what belongs in it where that is missing, brings a spool of an earlier version
    /// up to date, and checks that it can be used. Neither database nor thread is left open, so that the process may be
    /// forked afterwards.
    ///
    /// - Parameter routing: the destination that a recipient's address goes to; by default its domain. It is called by the
    ///   thread that commits, for each recipient.
    public convenience init(
        directory: String, options: SpoolOptions = SpoolOptions(),
        routing: @escaping @Sendable (String) -> String = Spool.domain(of:)
    ) throws(SpoolError) {
        try SpoolDirectory.prepare(directory)
        try self.init(directory, options, routing, WakePipe(directory: directory))
    }

    /// A spool that exists, to look at and to change by an operator, whether a relay runs on it or not. Nothing is made.
    public convenience init(existing directory: String) throws(SpoolError) {
        try SpoolDirectory.check(directory)
        // Without the pipe nobody is woken; who delivers looks every few seconds.
        try self.init(directory, SpoolOptions(), Spool.domain(of:), try? WakePipe(directory: directory), isReadOnly: true)
    }

    private init(
        _ directory: String, _ options: SpoolOptions, _ routing: @escaping @Sendable (String) -> String, _ wake: WakePipe?,
        isReadOnly: Bool = false
    ) throws(SpoolError) {
        self.directory = directory
        self.options = options
        self.routing = routing
        self.wake = wake
        folder = ContentFolder(directory: directory)
        committer = Committer(SpoolTransaction.Context(folder: folder, options: options, routing: routing), wake: wake)
        _ = try SpoolConnection.open(directory, isReadOnly: isReadOnly, routing: routing)
    }

    deinit { committer.stop() }

    /// What is behind the last `@` of an address, in lower case; empty if there is none.
    public static func domain(of address: String) -> String {
        guard let at = address.utf8.lastIndex(of: UInt8(ascii: "@")) else { return "" }
        // By bytes: what follows may be a mark that would make one character with the sign.
        return address[address.utf8.index(after: at)...].lowercased()
    }

    /// What this process has done with the spool.
    public var counters: SpoolCounters { committer.counters }

    // MARK: In

    public func commit(
        _ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void
    ) {
        committer.submit(Submission(work: .message(envelope, content)) { then($0.mapError(\.asStoreError)) })
    }

    public func makeContentFile(for id: QueueID) throws(MessageStoreError) -> ContentFile? {
        do throws(SpoolError) {
            if SpoolDirectory.freeSpace(in: directory) < options.reserve { throw SpoolError.full(directory: directory) }
            return try folder.makeFile(for: id)
        } catch {
            throw error.asStoreError
        }
    }

    // MARK: Out

    public var wakeDescriptor: CInt { wake?.descriptor ?? -1 }
    public func clearWake() { wake?.clear() }

    public func record(
        _ attempts: [DeliveryAttempt], under lease: SpoolLease,
        then: @escaping @Sendable (Result<Void, MailQueueError>) -> Void
    ) {
        let work = Submission.Work.attempts(attempts, epoch: lease.epoch)
        committer.submit(Submission(work: work) { then($0.mapError(\.asQueueError)) })
    }

    // MARK: The connections

    /// Has `change` done by the thread that commits, and waits for it.
    func change(
        _ change: @escaping @Sendable (inout SpoolTransaction) throws(Database.Failure) -> Void
    ) throws(SpoolError) {
        let answer = Answer()
        committer.submit(Submission(work: .change(change)) { answer.give($0) })
        try answer.wait().get()
    }

    /// Runs `body` with this process's connection for reading, one thread at a time.
    ///
    /// `body` is `@Sendable` so that nothing of the connection can stay behind in what it captured.
    func read<Result: Sendable>(
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
                database = try SpoolConnection.open(directory, isReadOnly: true, routing: routing)
                opened = Opened(database: database, process: getpid())
            }
            do throws(Database.Failure) {
                return try database.snapshot(body)
            } catch {
                if error.isGrave { opened = nil }
                throw SpoolConnection.error(error, directory)
            }
        }
    }
}
