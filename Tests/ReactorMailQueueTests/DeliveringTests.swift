import Foundation
import Glibc
@testable import ReactorMailQueue
import ReactorSMTP
import TestSupport
import Testing

/// What is taken out, and what is written down of it.
@Suite(.timeLimit(.minutes(40))) struct DeliveringTests {
    private let directory: TemporaryDirectory
    private let spool: Spool
    private let lease: SpoolLease

    init() throws {
        directory = try TemporaryDirectory()
        spool = try Spool(directory: directory.spool)
        lease = try spool.acquireLease()
    }

    private func one(_ recipients: [String]) throws -> OutgoingMessage {
        try spool.store(envelope(recipients))
        return try #require(try spool.due().first)
    }

    @Test func dueMessages() throws {
        for time in [3_000, 1_000, 2_000] as [Int64] { try spool.store(envelope(["b@b.test", "c@c.test"], received: time)) }
        #expect(try spool.due(at: 999).isEmpty)
        #expect(try spool.due("nowhere.test").isEmpty)
        #expect(try spool.due(at: 1_000).map(\.number) == [2])
        #expect(try spool.due().map(\.number) == [2, 3, 1])
        #expect(try spool.due(limit: 2).map(\.number) == [2, 3])
        #expect(try spool.due(limit: 0).isEmpty && spool.due(limit: -1).isEmpty)
        let others = try spool.due(for: "b.test", at: 5_000, limit: 2, excluding: [2, 3])
        #expect(others.map(\.number) == [1])
        #expect(try spool.due("c.test").map { $0.recipients.map(\.address) } == [["c@c.test"], ["c@c.test"], ["c@c.test"]])
    }

    @Test func deliveredToAll() throws {
        let message = try one(["b@b.test", "c@b.test"])
        try spool.note(message.attempt(.delivered(report), .delivered(report)), under: lease)
        #expect(try spool.list().isEmpty)
        for table in ["message", "recipient", "content"] { #expect(try spool.count(table) == 0) }
        #expect(try spool.waitingDestinations().isEmpty)
        let counters = spool.counters
        #expect(counters.recorded == 1 && counters.removed == 1)
    }

    @Test func eachRecipientHasItsOwnState() throws {
        let message = try one(["b@b.test", "c@b.test", "d@b.test", "e@other.test"])
        #expect(message.recipients.count == 3)
        try spool.note(message.attempt(.delivered(report), .deferred(later), .failed(never), next: 1_500, warned: true), under: lease)
        let listed = try #require(try spool.message(message.id.text))
        #expect(listed.recipients.map(\.state) == ["delivered", "waiting", "failed", "waiting"])
        #expect(listed.recipients.map(\.lastReply) == ["250 ok", "450 later", "550 no", nil])
        #expect(listed.recipients.map(\.status) == ["2.0.0", "4.2.0", "5.1.1", nil])
        #expect(listed.recipients.map(\.remote) == ["mx.test", nil, "mx.test", nil])
        #expect(listed.recipients.map(\.attempts) == [1, 1, 1, 0] && listed.attempts == 1)
        #expect(listed.state == .waiting && listed.lastError == "450 later" && listed.nextAttempt == "1970-01-01T00:16:40Z")
        #expect(try spool.due(at: 1_499).isEmpty)
        let again = try #require(try spool.due(at: 1_500).first)
        #expect(again.recipients.map(\.address) == ["c@b.test"] && again.recipients[0].attempts == 1 && again.isWarned)
        // An outcome counts once: what was decided is not decided again.
        try spool.note(message.attempt(.failed(never), .deferred(later), .delivered(report), next: 1_600), under: lease)
        #expect(try spool.message(message.id.text)?.recipients.map(\.state) == ["delivered", "waiting", "failed", "waiting"])
        // The last one decides for the message: the failure has been told by a bounce.
        try spool.note(again.attempt(.delivered(report)), under: lease)
        #expect(try spool.list().count == 1)
        let other = try #require(try spool.due("other.test").first)
        try spool.note(other.attempt(.failed(never)), under: lease)
        #expect(try spool.list().isEmpty)
    }

    @Test func failedOnesAreKeptOnRequest() throws {
        var options = SpoolOptions()
        options.keepsFailed = true
        let keeping = try Spool(directory: directory.spool, options: options)
        let message = try one(["b@b.test", "c@b.test"])
        try keeping.note(message.attempt(.delivered(report), .failed(never)), under: lease)
        let listed = try #require(try keeping.list().first)
        #expect(listed.state == .failed && listed.lastError == "550 no" && listed.nextAttempt == nil)
        #expect(try keeping.due(at: .max).isEmpty)
        // Somebody thinks that it would go now.
        #expect(try keeping.apply(.retry, to: [listed.id]).missing == [])
        let again = try #require(try keeping.due(at: .max).first)
        #expect(again.recipients.map(\.address) == ["c@b.test"])
        try keeping.note(again.attempt(.delivered(report)), under: lease)
        #expect(try keeping.list().isEmpty)
    }

    @Test func leftOversGoOnAtOnceAfterASuccess() throws {
        let message = try one(["b@b.test", "c@b.test"])
        try spool.note(message.attempt(.delivered(report), .leftOver(later), next: 8_000), under: lease)
        let again = try #require(try spool.due(at: 1_000).first)
        #expect(again.recipients.map(\.address) == ["c@b.test"] && again.recipients[0].attempts == 0)
        try spool.note(again.attempt(.leftOver(later), next: 8_000), under: lease)
        #expect(try spool.due(at: 7_999).isEmpty)
        #expect(try spool.due(at: 8_000).first?.recipients.first?.attempts == 1)
    }

    @Test func noticesAreThereIfTheOutcomesAre() throws {
        let message = try one(["b@b.test"])
        let taken = envelope(["x@x.test"])
        try spool.store(taken)
        let notice = envelope(["a@a.test"], sender: "")
        // One that cannot be stored: then nothing of it is.
        #expect(throws: MailQueueError.self) {
            try spool.note(message.attempt(.failed(never), notices: [notice, taken]), under: lease)
        }
        #expect(try spool.due().count == 1 && spool.due("a.test").isEmpty)
        try spool.note(message.attempt(.failed(never), notices: [notice]), under: lease)
        #expect(try spool.due().isEmpty)
        #expect(try spool.due("a.test").map(\.id) == [notice.id])
        #expect(try spool.due("a.test").first?.bytes == Array("notice".utf8))
        #expect(try spool.arrivals(after: 2).destinations.map(\.name) == ["a.test"])
    }

    @Test func severalAttemptsAreOneTransaction() throws {
        for _ in 0..<10 { try spool.store(envelope()) }
        let messages = try spool.due()
        let before = spool.counters.batches
        try waiting { spool.record(messages.map { $0.attempt(.delivered(report)) }, under: lease, then: $0) }
        #expect(spool.counters.batches == before + 1 && spool.counters.recorded == 10)
        #expect(try spool.list().isEmpty)
    }

    @Test func aNumberIsNotUsedAgainAndAnotherMessageIsLeftAlone() throws {
        let message = try one(["b@b.test"])
        #expect(try spool.apply(.delete, to: [message.id.text]).missing == [])
        try spool.store(envelope())
        #expect(try spool.due().map(\.number) == [message.number + 1])
        // It was being delivered while it was deleted. Nobody is to hear of it any more.
        let notice = envelope(["a@a.test"], sender: "")
        try spool.note(message.attempt(.failed(never), notices: [notice]), under: lease)
        #expect(try spool.list().count == 1)
        // The same number by force.
        try directory.tamper("DELETE FROM message; DELETE FROM recipient; DELETE FROM content; UPDATE spool SET newest = 0")
        try spool.store(envelope())
        #expect(try spool.due().map(\.number) == [message.number])
        try spool.note(message.attempt(.delivered(report)), under: lease)
        #expect(try spool.due().map(\.number) == [message.number])
    }

    // MARK: The lease

    @Test func oneHolder() throws {
        let other = try Spool(directory: directory.spool)
        #expect(throws: SpoolError.agentRunning(directory: directory.spool).asQueueError) { _ = try other.acquireLease() }
        #expect(other.isLeased)
        lease.release()
        #expect(!other.isLeased)
        let next = try other.acquireLease()
        #expect(next.epoch > lease.epoch)
        next.release()
    }

    /// The transaction that was to raise the epoch failed behind it, by another's fault.
    @Test func whoFailsToTakeItDoesNotKeepTheLock() throws {
        lease.release()
        try directory.tamper("CREATE TRIGGER trouble BEFORE INSERT ON message BEGIN SELECT abs(-9223372036854775807 - 1); END")
        let gate = spool.holdCommitter()
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [spool] in
            #expect(throws: MailQueueError.self) { _ = try spool.acquireLease() }
            done.signal()
        }
        let other = try Spool(directory: directory.spool)
        for _ in 0..<2_000 where !other.isLeased { usleep(1_000) }
        usleep(20_000)  // It has the lock; now it submits.
        spool.commit(envelope(), .bytes(sample)) { _ in }
        gate.signal()
        #expect(done.wait(timeout: .now() + 60) == .success)
        try directory.tamper("DROP TRIGGER trouble")
        try spool.acquireLease().release()
    }

    /// Looking whether somebody holds it takes the lock for a moment, which keeps nobody from delivering.
    @Test func whoOnlyLooksIsWaitedFor() throws {
        lease.release()
        let looking = open(SpoolDirectory.lock(in: directory.spool), O_RDWR | O_CLOEXEC)
        #expect(flock(looking, LOCK_EX | LOCK_NB) == 0)
        Thread.detachNewThread {
            usleep(20_000)
            close(looking)
        }
        try spool.acquireLease().release()
    }

    @Test func aHolderThatWentIsLetGo() throws {
        lease.release()
        do { _ = try spool.acquireLease() }
        #expect(!spool.isLeased)
    }

    /// One that was stopped, and goes on after another has taken over, writes nothing down, however old its news are.
    @Test func fencing() throws {
        let message = try one(["b@b.test"])
        lease.release()
        let other = try Spool(directory: directory.spool)
        let taken = try other.acquireLease()
        let attempt = message.attempt(.failed(never), notices: [envelope(["a@a.test"])])
        #expect(throws: MailQueueError.leaseLost) { try spool.note(attempt, under: lease) }
        #expect(try other.list().map(\.attempts) == [0])
        #expect(spool.counters.failures == 1 && spool.counters.recorded == 0)
        // New mail of both is taken all the same.
        try spool.store(envelope())
        try other.note(message.attempt(.delivered(report)), under: taken)
        #expect(try other.list().count == 1)
        taken.release()
    }

    @Test func destinationsAreComputedAnewForTheHolder() throws {
        lease.release()
        for index in 0..<2_500 { spool.commit(envelope(["b@\(index % 2 == 0 ? "b" : "c").test"]), .bytes(sample)) { _ in } }
        try spool.settle()
        let routed = try Spool(directory: directory.spool) { $0.hasSuffix("@b.test") ? "smarthost" : Spool.domain(of: $0) }
        let taken = try routed.acquireLease()
        #expect(try routed.waitingDestinations().map(\.name) == ["c.test", "smarthost"])
        #expect(try routed.due("smarthost", limit: 5_000).count == 1_250)
        try routed.store(envelope(["b@b.test", "x@b.test"]))
        #expect(try routed.due("smarthost", limit: 5_000).last?.recipients.count == 2)
        taken.release()
    }

    /// Who waits does so no longer than before, and who is due stays it.
    @Test func aClockThatIsSetBack() throws {
        for received in [1_000, 5_000, 5_001, 9_000, 900_000] as [Int64] { try spool.store(envelope(received: received)) }
        try spool.clockWasSetBack(by: 4_000, now: 5_000)
        #expect(try spool.due(at: 5_000).map(\.number) == [1, 2, 3, 4])
        #expect(try spool.due(at: 895_999).count == 4 && spool.due(at: 896_000).count == 5)
        try spool.clockWasSetBack(by: .max, now: 5_000)
        #expect(try spool.due(at: 5_000).count == 5)
        try spool.store(envelope(received: .max))
        try spool.clockWasSetBack(by: .max, now: .min)
        #expect(try spool.count("recipient") == 6)
    }

    /// A clock that was years ahead has left attempts in the future; one that is behind makes nothing of it.
    @Test func aClockThatJumped() throws {
        lease.release()
        let now = Int64(time(nil))
        try spool.store(envelope(received: now + 400 * 86_400))
        try spool.store(envelope(received: now + 3_600))
        try spool.store(envelope(received: .max))
        try spool.store(envelope(received: .min))
        #expect(try spool.due(at: now).map(\.number) == [4])
        let taken = try spool.acquireLease()
        // An hour ahead may be meant.
        #expect(Set(try spool.due(at: now + 5).map(\.number)) == [1, 3, 4])
        let statistics = try spool.statistics(now: now)
        #expect(statistics.total == 4 && statistics.destinations[0].byAge == [3, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(try spool.statistics(now: .min).total == 4 && spool.statistics(now: .max).total == 4)
        let ahead = try spool.due(at: now + 5).filter { $0.number != 4 }
        #expect(ahead.allSatisfy { ($0.envelope.received - now) < 600 }, "they grow old from now on")
        #expect(try spool.list()[1].received > spool.list()[0].received, "an hour is left as it is")
        taken.release()
    }
}
