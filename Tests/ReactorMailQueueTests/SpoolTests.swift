import Dispatch
import Foundation
import Glibc
@testable import ReactorMailQueue
import ReactorSMTP
import Synchronization
import TestSupport
import Testing

/// What is committed is kept, in groups.
@Suite(.timeLimit(.minutes(40))) struct SpoolTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func whatIsCommittedIsThere() throws {
        let first = Envelope(
            id: .random(), sender: "a@a.test",
            recipients: [
                .init("b@B.test", notify: [.success, .delay], originalRecipient: "rfc822;b+40b.test"),
                .init("\"c@x\"@b.test", notify: .never),
            ], body: .binaryMIME, isInternationalized: true, returnContent: .headers, envelopeID: "e+3D1", received: 1_000)
        let second = Envelope(id: .random(), sender: "", recipients: [.init("Postmaster")], received: 2_000)
        try Spool(directory: directory.spool).store(first)
        // Another process, as far as a spool can tell.
        let spool = try Spool(directory: directory.spool)
        try spool.store(second, [])

        let message = try #require(try spool.due().first)
        var expected = first
        expected.recipients = []
        #expect(message.envelope == expected && message.bytes == sample && !message.isWarned && message.number == 1)
        #expect(message.recipients.map(\.recipient) == first.recipients && message.recipients.map(\.position) == [0, 1])
        #expect(message.recipients.allSatisfy { $0.attempts == 0 })
        let other = try #require(try spool.due("").first)
        #expect(other.id == second.id && other.bytes == [] && other.envelope.body == .sevenBit && other.number == 2)
        #expect(try Spool(existing: directory.spool).list().map(\.id) == [first.id.text, second.id.text])
    }

    @Test func theSameIdTwiceIsRefusedAndSpoilsNothing() throws {
        let spool = try Spool(directory: directory.spool)
        let once = envelope()
        try spool.store(once)
        #expect(throws: MessageStoreError.self) { try spool.store(once) }
        try spool.store(envelope())
        #expect(try spool.list().count == 2)
    }

    /// The committer is held, so that what is submitted meanwhile is one batch for sure.
    @Test func whatComesTogetherIsOneTransaction() throws {
        let spool = try Spool(directory: directory.spool)
        try spool.store(envelope())
        let before = spool.counters
        let gate = spool.holdCommitter()
        let answers = DispatchSemaphore(value: 0)
        for _ in 0..<100 { spool.commit(envelope(), .bytes(sample)) { _ in answers.signal() } }
        gate.signal()
        for _ in 0..<100 { #expect(answers.wait(timeout: .now() + 60) == .success) }
        let after = spool.counters
        #expect(after.stored - before.stored == 100 && after.batches - before.batches == 2)
        #expect(after.storedBytes - before.storedBytes == UInt64(100 * sample.count))
    }

    @Test("a batch is bounded", arguments: [(10, 1 << 20), (1_000, 4 * 1_000)])
    func batchesAreBounded(_ count: Int, _ bytes: Int) throws {
        var options = SpoolOptions()
        (options.batchCount, options.batchBytes) = (count, bytes)
        let spool = try Spool(directory: directory.spool, options: options)
        let gate = spool.holdCommitter()
        let answers = DispatchSemaphore(value: 0)
        // One larger than a batch may be goes all the same.
        for size in [100_000] + Array(repeating: 250, count: 59) {
            spool.commit(envelope(), .bytes(Array(repeating: 65, count: size))) { _ in answers.signal() }
        }
        gate.signal()
        for _ in 0..<60 { #expect(answers.wait(timeout: .now() + 60) == .success) }
        #expect(try spool.list().count == 60)
        #expect(spool.counters.batches >= (count == 10 ? 7 : 15), "\(spool.counters.batches) batches")
    }

    @Test func manyThreadsAndSpoolsAtOnce() throws {
        let spool = try Spool(directory: directory.spool)
        let other = try Spool(directory: directory.spool)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for _ in 0..<20 {
                do {
                    try (thread < 6 ? spool : other).store(envelope())
                } catch {
                    Issue.record(error)
                }
            }
        }
        #expect(Set(try spool.list().map(\.id)).count == 160)
        #expect(spool.counters.stored == 120 && other.counters.stored == 40)
    }

    /// Some in a group fail; the rest of the group does not.
    @Test func oneBadMessageInAGroup() throws {
        let spool = try Spool(directory: directory.spool)
        let taken = envelope()
        try spool.store(taken)
        let gate = spool.holdCommitter()
        let stored = Mutex<[Bool]>([])
        let answers = DispatchSemaphore(value: 0)
        for index in 0..<16 {
            spool.commit(index % 2 == 0 ? taken : envelope(), .bytes(sample)) { result in
                stored.withLock { $0.append((try? result.get()) != nil) }
                answers.signal()
            }
        }
        gate.signal()
        for _ in 0..<16 { #expect(answers.wait(timeout: .now() + 60) == .success) }
        #expect(stored.withLock { $0 } == (0..<16).map { $0 % 2 == 1 })
        #expect(try spool.list().count == 9)
        #expect(spool.counters.failures == 8 && spool.counters.stored == 9)
        #expect(try spool.arrivals(after: 0).newest == 9)
    }

    /// One that fails in the middle is undone, and its neighbours are not.
    @Test func whatIsHalfDoneIsUndone() throws {
        let spool = try Spool(directory: directory.spool)
        let lease = try spool.acquireLease()
        let taken = envelope()
        try spool.store(taken)
        let message = try #require(try spool.due().first)
        let gate = spool.holdCommitter()
        spool.commit(envelope(["c@c.test"]), .bytes(sample)) { _ in }
        let fresh = envelope(["a@a.test"], sender: "")
        spool.record([message.attempt(.failed(never), notices: [fresh, taken])], under: lease) { result in
            #expect(throws: MailQueueError.self) { try result.get() }
        }
        spool.commit(envelope(["d@d.test"]), .bytes(sample)) { _ in }
        gate.signal()
        try spool.settle()
        #expect(Set(try spool.waitingDestinations().map(\.name)) == ["b.test", "c.test", "d.test"])
        #expect(try spool.arrivals(after: 0).newest == 3 && spool.count("content") == 3 && spool.due().count == 1)
        lease.release()
    }

    /// The spool may be gone before its answers are.
    @Test func whatWasSubmittedIsDoneAlthoughNobodyHoldsTheSpool() throws {
        var spool: Spool? = try Spool(directory: directory.spool)
        let answers = DispatchSemaphore(value: 0)
        for _ in 0..<50 { spool?.commit(envelope(), .bytes(sample)) { _ in answers.signal() } }
        spool = nil
        for _ in 0..<50 { #expect(answers.wait(timeout: .now() + 60) == .success) }
        #expect(try Spool(existing: directory.spool).list().count == 50)
    }

    // MARK: Waking

    private func isReadable(_ spool: Spool) -> Bool {
        var poll = pollfd(fd: spool.wakeDescriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 1
    }

    @Test func whoDeliversIsWokenByOthers() throws {
        let agent = try Spool(directory: directory.spool)
        let other = try Spool(directory: directory.spool)
        let operators = try Spool(existing: directory.spool)
        #expect(!isReadable(agent))
        try other.store(envelope())
        // The answer comes after the wake-up.
        #expect(isReadable(agent))
        agent.clearWake()
        #expect(!isReadable(agent))
        let changes = try agent.changes()
        #expect(try operators.apply(.hold, matching: QueueFilter()) == 1)
        #expect(isReadable(agent))
        #expect(try agent.changes() > changes)
        agent.clearWake()
        // Its own outcomes are no news to it; a change that changes nothing is none either.
        #expect(try operators.apply(.hold, matching: QueueFilter()) == 0)
        #expect(!isReadable(agent))
    }

    @Test func aWakePipeThatNobodyReadsHoldsNobodyUp() throws {
        let spool = try Spool(directory: directory.spool)
        let pipe = try #require(spool.wake)
        for _ in 0..<200_000 { pipe.signal() }
        #expect(isReadable(spool))
        spool.clearWake()
        #expect(!isReadable(spool))
    }

    @Test func arrivals() throws {
        let spool = try Spool(directory: directory.spool)
        #expect(try spool.arrivals(after: 0).newest == 0)
        try spool.store(envelope(["b@b.test", "c@c.test", "d@C.test"], received: 7))
        try spool.store(envelope(["b@b.test"], received: 5))
        let all = try spool.arrivals(after: 0)
        #expect(all.newest == 2)
        #expect(
            all.destinations.sorted { $0.name < $1.name }
                == [.init(name: "b.test", nextAttempt: 5), .init(name: "c.test", nextAttempt: 7)])
        #expect(try spool.arrivals(after: 1).destinations == [.init(name: "b.test", nextAttempt: 5)])
        #expect(try spool.arrivals(after: 2).destinations == [])
        #expect(try spool.waitingDestinations() == [.init(name: "b.test", nextAttempt: 5), .init(name: "c.test", nextAttempt: 7)])
    }

    @Test("domains", arguments: [
        ("b@B.Test", "b.test"), ("\"x@y\"@c.test", "c.test"), ("Postmaster", ""), ("a@", ""), ("a@[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"),
        ("a@\u{301}b.test", "\u{301}b.test"), ("\u{E9}@\u{C9}.test", "\u{E9}.test"), ("", ""),
    ])
    func domains(_ address: String, _ domain: String) {
        #expect(Array(Spool.domain(of: address).unicodeScalars) == Array(domain.unicodeScalars))
    }

    @Test("answered from indexes", arguments: [
        ("SELECT destination, min(next_attempt) FROM recipient WHERE next_attempt IS NOT NULL GROUP BY destination", "COVERING INDEX recipient_due"),
        ("SELECT destination, min(next_attempt) FROM recipient WHERE message > 5 AND +next_attempt IS NOT NULL GROUP BY +destination",
         "SEARCH recipient USING PRIMARY KEY (message>?)"),
        ("SELECT message FROM recipient WHERE destination = 'x' AND next_attempt IS NOT NULL AND next_attempt <= 7 ORDER BY next_attempt, message",
         "COVERING INDEX recipient_due (destination=? AND next_attempt>? AND next_attempt<?)"),
        ("SELECT number FROM message WHERE number > 7 AND lower(sender) GLOB 'x' ORDER BY number LIMIT 5", "INTEGER PRIMARY KEY (rowid>?)"),
    ])
    func plans(_ sql: String, _ expected: String) throws {
        let spool = try Spool(directory: directory.spool)
        let plan = try spool.read { database throws(Database.Failure) in
            var plan = ""
            try database.run("EXPLAIN QUERY PLAN " + sql) { plan += $0.text(3) + "\n" }
            return plan
        }
        #expect(plan.contains(expected), "\(plan)")
    }
}
