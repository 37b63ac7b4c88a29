import CSQLite
import Glibc
import ReactorSMTP
import Synchronization

/// The one who writes: a thread with a connection of its own, which commits whatever came while it committed what came
/// before, in one transaction with one sync.
final class Committer: Sendable {
    private let directory: String
    private let context: SpoolTransaction.Context
    private let wake: WakePipe?
    private let submissions = JobQueue<Submission>()
    /// Those with contents in files, which are to be on the disk first: that takes long, and others need not wait for it.
    private let withFiles = JobQueue<Submission>()
    private let counts = Mutex(SpoolCounters())

    init(_ context: SpoolTransaction.Context, wake: WakePipe?) {
        directory = context.folder.directory
        self.context = context
        self.wake = wake
    }

    var counters: SpoolCounters { counts.withLock { $0 } }
    func countQuarantined() { counts.withLock { $0.quarantined &+= 1 } }

    /// From any thread; does not wait.
    func submit(_ submission: Submission) {
        do throws(JobQueue<Submission>.Refusal) {
            if submission.files.isEmpty {
                try submissions.submit(submission) { self.commitAll() }
            } else {
                try withFiles.submit(submission) { self.synchronizeAll() }
            }
        } catch {
            fail(submission, noThread(error))
        }
    }

    private func noThread(_ refusal: JobQueue<Submission>.Refusal) -> SpoolError {
        switch refusal {
        case .forked: .openAcrossFork(directory: directory)
        case .system(let code): .unusable(directory: directory, reason: "no thread: " + String(cString: strerror(code)))
        }
    }

    /// What was submitted is still done.
    func stop() {
        withFiles.stop()
        // Its last ones come here first; without it, this is the end.
        if !withFiles.isRunning { submissions.stop() }
    }

    private func fail(_ submission: Submission, _ error: SpoolError) {
        counts.withLock { $0.failures &+= 1 }
        submission.then(.failure(error))
    }

    // MARK: Files

    private func synchronizeAll() {
        while let batch = withFiles.next(64, weight: { _ in 0 }, maximum: 0) {
            for submission in batch {
                do throws(SpoolError) {
                    try context.folder.synchronize(submission.files)
                    counts.withLock { $0.fileSyncs &+= 1 }
                } catch {
                    fail(submission, error)
                    continue
                }
                do throws(JobQueue<Submission>.Refusal) {
                    try submissions.submit(submission) { self.commitAll() }
                } catch {
                    fail(submission, noThread(error))
                }
            }
        }
        submissions.stop()
    }

    // MARK: Transactions

    private func commitAll() {
        // The connection never leaves this thread.
        var database: Database?
        let options = context.options
        while let batch = submissions.next(options.batchCount, weight: \.weight, maximum: options.batchBytes) {
            do throws(SpoolError) {
                if let open = database, open.hasMoved {
                    database = nil
                    throw SpoolError.moved(directory: directory)
                }
                if database == nil {
                    database = try SpoolConnection.open(directory, isReadOnly: false, routing: context.routing)
                }
                if let open = database, !commit(batch, in: open) { database = nil }
            } catch {
                for submission in batch { fail(submission, error) }
            }
        }
    }

    /// Commits the batch, and tells each submission what became of it. Outcomes may use the room that messages may not.
    ///
    /// - Returns: false if the connection is not to be trusted any more.
    private func commit(_ batch: [Submission], in database: Database) -> Bool {
        var batch = batch
        if !hasRoom(for: batch, in: database), batch.contains(where: \.isMessage) {
            for submission in batch where submission.isMessage { fail(submission, .full(directory: directory)) }
            batch.removeAll(where: \.isMessage)
            if batch.isEmpty { return true }
        }
        do throws(Database.Failure) {
            try write(batch, in: database, apart: false)
            return true
        } catch {
            let others = batch.filter { !$0.isMessage }
            if batch.count > 1, error.isOfOneRow {
                // One must not spoil it for all.
                return retry(batch, in: database, apart: true)
            }
            if error.isFull, !others.isEmpty, others.count < batch.count {
                for submission in batch where submission.isMessage { fail(submission, .full(directory: directory)) }
                return retry(others, in: database, apart: false)
            }
            for submission in batch { fail(submission, SpoolConnection.error(error, directory)) }
            return !error.isGrave
        }
    }

    private func retry(_ batch: [Submission], in database: Database, apart: Bool) -> Bool {
        do throws(Database.Failure) {
            try write(batch, in: database, apart: apart)
            return true
        } catch {
            for submission in batch { fail(submission, SpoolConnection.error(error, directory)) }
            return !error.isGrave
        }
    }

    /// - Parameter apart: whether what one submission cannot do leaves the others alone.
    private func write(_ batch: [Submission], in database: Database, apart: Bool) throws(Database.Failure) {
        var errors = [SpoolError?](repeating: nil, count: batch.count)
        let done = try database.transaction { database throws(Database.Failure) -> SpoolTransaction in
            var transaction = try SpoolTransaction(database, context)
            for (index, submission) in batch.enumerated() {
                errors[index] = apart
                    ? try performApart(submission.work, &transaction) : try transaction.perform(submission.work)
            }
            try transaction.finish()
            return transaction
        }
        for file in done.keptFiles { file.keep() }
        for name in done.removedFiles { context.folder.remove(name) }
        count(done, failures: errors.count { $0 != nil })
        if done.stored > 0 || done.hasChanges { wake?.signal() }
        for (submission, error) in zip(batch, errors) { submission.then(error.map { .failure($0) } ?? .success(())) }
    }

    private func performApart(
        _ work: Submission.Work, _ transaction: inout SpoolTransaction
    ) throws(Database.Failure) -> SpoolError? {
        let before = transaction
        try transaction.database.run("SAVEPOINT one")
        do throws(Database.Failure) {
            let error = try transaction.perform(work)
            try transaction.database.run("RELEASE one")
            return error
        } catch {
            guard error.isOfOneRow else { throw error }
            try transaction.database.run("ROLLBACK TO one")
            try transaction.database.run("RELEASE one")
            transaction = before
            return SpoolConnection.error(error, directory)
        }
    }

    private func count(_ done: SpoolTransaction, failures: Int) {
        counts.withLock { counts in
            counts.batches &+= 1
            counts.stored &+= UInt64(done.stored)
            counts.storedBytes &+= UInt64(done.storedBytes)
            counts.recorded &+= UInt64(done.recorded)
            counts.removed &+= UInt64(done.removed)
            counts.failures &+= UInt64(failures)
        }
    }

    // MARK: Room

    private func hasRoom(for batch: [Submission], in database: Database) -> Bool {
        let bytes = batch.reduce(0) { $0 + $1.weight }
        if isThereRoom(for: bytes, in: database) { return true }
        // What was delivered meanwhile may have left room in the log and in the database. Outcomes are not held up, but
        // the log that they make is cut back, or it would use up the reserve before its time.
        try? database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        return isThereRoom(for: bytes, in: database)
    }

    private func isThereRoom(for bytes: Int, in database: Database) -> Bool {
        // Once in the log, and once more when the log is copied into the database, as all that is in it must be.
        // The database may have room within.
        let pages = (try? database.number("PRAGMA freelist_count")) ?? nil
        let size = (try? database.number("PRAGMA page_size")) ?? nil
        let within = Int(clamping: pages ?? 0) * Int(clamping: size ?? 0)
        let left = SpoolDirectory.freeSpace(in: directory) - SpoolDirectory.logSize(in: directory) - bytes - max(0, bytes - within)
        return left >= context.options.reserve
    }
}
