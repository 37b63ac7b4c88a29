import CSQLite
import Dispatch
import Foundation
@testable import ReactorMailQueue
import ReactorSMTP
import Synchronization
import TestSupport

extension TemporaryDirectory {
    /// Where tests have their spool.
    var spool: String { path + "/spool" }

    /// Does to the spool's database what the spool would never do.
    func tamper(_ sql: String) throws {
        try Database(path: SpoolDirectory.database(in: spool), flags: SQLITE_OPEN_READWRITE).script(sql)
    }
}

func envelope(
    _ recipients: [String] = ["b@b.test"], id: QueueID = .random(), sender: String = "a@a.test", received: Int64 = 1_000
) -> Envelope {
    Envelope(id: id, sender: sender, recipients: recipients.map { .init($0) }, body: .eightBitMIME, received: received)
}

let sample = Array("Subject: x\r\n\r\n\u{E9}\u{0}body\r\n".utf8)
let report = DeliveryReport(status: EnhancedStatusCode(2, 0, 0), text: "250 ok", remote: "mx.test")
let later = DeliveryReport(status: EnhancedStatusCode(4, 2, 0), text: "450 later")
let never = DeliveryReport(status: EnhancedStatusCode(5, 1, 1), text: "550 no", remote: "mx.test")

/// Waits for what a queue answers later.
func waiting<Value: Sendable, Failure: Error>(
    _ start: (@escaping @Sendable (Result<Value, Failure>) -> Void) -> Void
) throws -> Value {
    let result = Mutex<Result<Value, Failure>?>(nil)
    let semaphore = DispatchSemaphore(value: 0)
    start { answer in
        result.withLock { $0 = answer }
        semaphore.signal()
    }
    guard semaphore.wait(timeout: .now() + 60) == .success, let answer = result.withLock({ $0 }) else {
        throw SpoolError.database(directory: "", reason: "no answer within a minute")
    }
    return try answer.get()
}

extension Spool {
    /// Commits, and returns when the disk has it.
    func store(_ envelope: Envelope, _ bytes: [UInt8] = sample) throws {
        try store(envelope, .bytes(bytes))
    }

    func store(_ envelope: Envelope, _ content: MessageContent) throws {
        try waiting { self.commit(envelope, content, then: $0) }
    }

    /// As a server does with one that is too large to be held in memory.
    @discardableResult
    func storeLarge(_ envelope: Envelope, _ bytes: [UInt8]) throws -> String {
        guard let file = try makeContentFile(for: envelope.id) else { throw MessageStoreError.failed("no file") }
        try file.append(bytes.span.bytes)
        try store(envelope, .file(file))
        return file.path
    }

    func note(_ attempts: DeliveryAttempt..., under lease: SpoolLease) throws {
        try waiting { self.record(attempts, under: lease, then: $0) }
    }

    func due(_ destination: String = "b.test", at time: Int64 = 5_000, limit: Int = 100) throws -> [OutgoingMessage] {
        try due(for: destination, at: time, limit: limit, excluding: [])
    }

    /// Returns when everything that was submitted before is done.
    func settle() throws { try change { _ in } }

    /// Returns when the committer is in a transaction, which ends when the semaphore is signalled.
    func holdCommitter() -> DispatchSemaphore {
        let (entered, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let work = Submission.Work.change { _ in
            entered.signal()
            gate.wait()
        }
        committer.submit(Submission(work: work) { _ in })
        entered.wait()
        return gate
    }

    func count(_ table: String) throws -> Int64? {
        try read { database throws(Database.Failure) in try database.number("SELECT count(*) FROM \(table)") }
    }
}

extension OutgoingMessage {
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        try? content.read(from: 0, upTo: content.size, into: &bytes)
        return bytes
    }

    func attempt(
        _ outcomes: DeliveryOutcome..., next: Int64 = 9_000, notices: [Envelope] = [], warned: Bool = false
    ) -> DeliveryAttempt {
        DeliveryAttempt(
            message: self, outcomes: outcomes, nextAttempt: next,
            notices: notices.map { (envelope: $0, content: .bytes(Array("notice".utf8))) }, warned: warned)
    }
}
