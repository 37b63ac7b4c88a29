import ConnectionHandling
import Dispatch
import Foundation
import MailTestSupport
import Reactor
@testable import ReactorMailRelay
import ReactorSMTP
import Synchronization
import TestSupport
import Testing

/// A queue that fails, changes under the agent, or goes to another.
@Suite(.timeLimit(.minutes(40))) struct QueueTroubleTests {
    private func relay(_ make: @escaping () -> ScriptedServer) throws -> Relay {
        let loop = try EventLoop()
        let listener = try loop.listen(on: .loopback(port: 0), makeHandler: make)
        return Relay(loop, MemoryQueue(.to(listener.address)))
    }

    private func fill(_ relay: Relay, _ count: Int) {
        for number in 1...count {
            relay.queue.add([Envelope.Recipient("r\(number)@b.test")], content: .bytes(Array("N: \(number)\r\n\r\n".utf8)), received: Int64(time(nil)))
        }
    }

    @Test func outcomesThatCannotBeWrittenHoldDeliveriesBackAndAreNotSentTwice() throws {
        var taken: [String] = []
        let relay = try relay { ScriptedServer(took: { taken.append($0) }) }
        fill(relay, 100)
        relay.queue.state.withLock { $0.failure = .full("no room") }
        try relay.start()
        relay.run { !taken.isEmpty }
        relay.run(for: .milliseconds(150))
        let underWay = taken.count
        #expect(underWay < 100, "what was under way, and no more")
        relay.run(for: .milliseconds(100))
        #expect(taken.count == underWay)
        relay.queue.state.withLock { $0.failure = nil }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken.count == 100 && Set(taken).count == 100, "each once")
        relay.finish()
    }

    @Test func oneOutcomeThatIsNeverTakenDoesNotKeepTheOthers() throws {
        var taken: [String] = []
        let relay = try relay { ScriptedServer(took: { taken.append($0) }) }
        fill(relay, 10)
        relay.queue.state.withLock { $0.refused = [3] }
        var limits = DeliveryLimits.quick
        limits.initialConnections = 5
        try relay.start(limits)
        relay.run { taken.contains("N: 3\r\n\r\n.\r\n") }
        relay.run(for: .milliseconds(150))
        #expect(relay.queue.outcomes(of: 1).count == 1 && relay.queue.outcomes(of: 3).isEmpty)
        relay.queue.state.withLock { $0.refused = [] }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken.count == 10)
        relay.finish()
    }

    @Test func whatWasRefusedTogetherIsTriedAgainOneByOne() throws {
        let loop = try EventLoop()
        let queue = MemoryQueue(.byMX)
        for number in 1...3 { queue.add("r\(number)@b.test") }
        queue.state.withLock { $0.refused = [2] }
        var limits = DeliveryLimits()
        limits.rewrite = .milliseconds(10)
        let recorder = try OutcomeRecorder(queue: LeasedQueue(queue), loop: loop, limits: limits)
        var written: Set<Int64> = []
        var troubles = 0
        var isOver = false
        recorder.troubled = { if $0 == nil { isOver = true } else { troubles += 1 } }
        for message in try queue.due(for: "b.test", at: 0, limit: 3, excluding: []) {
            recorder.record([DeliveryAttempt(message: message, outcomes: [.failed(report(5, 0, 0))], nextAttempt: 0)]) {
                written.insert(message.number)
            }
        }
        loop.run { troubles >= 2 }
        #expect(written == [1, 3] && recorder.isFailing && !recorder.isIdle)
        queue.state.withLock { $0.refused = [] }
        loop.run { isOver }
        #expect(written == [1, 2, 3] && !recorder.isFailing && recorder.isIdle)
        #expect(queue.state.withLock { $0.records.count } == 3)
        loop.close()
    }

    /// What is delivered and not written down comes twice if the process is killed: there must not be any number of it.
    @Test func outcomesThatWaitForTheDiskHoldNewDeliveriesBack() throws {
        let loop = try EventLoop()
        let queue = MemoryQueue(.byMX)
        for number in 1...8 { queue.add("r\(number)@b.test") }
        var limits = DeliveryLimits()
        limits.unwrittenOutcomes = 8
        let recorder = try OutcomeRecorder(queue: LeasedQueue(queue), loop: loop, limits: limits)
        var (written, caughtUp) = (0, 0)
        recorder.caughtUp = { caughtUp += 1 }
        let messages = try queue.due(for: "b.test", at: 0, limit: 8, excluding: [])
        #expect(messages.count == 8)
        for (index, message) in messages.enumerated() {
            #expect(!recorder.isBehind)
            recorder.record([DeliveryAttempt(message: message, outcomes: [.failed(report(5, 0, 0))], nextAttempt: 0)]) { written += 1 }
            #expect(recorder.isBehind == (index == 7))
        }
        loop.run { written == 8 }
        #expect(!recorder.isBehind && caughtUp == 1)
        loop.close()
    }

    @Test func aQueueThatCannotBeReadForAWhileStrandsNothing() throws {
        var taken = 0
        let relay = try relay { ScriptedServer(took: { _ in taken += 1 }) }
        fill(relay, 20)
        relay.queue.state.withLock { $0.readFailure = .failed("damaged") }
        var limits = DeliveryLimits.quick
        limits.poll = .milliseconds(20)
        try relay.start(limits)
        relay.run { relay.queue.state.withLock { $0.reads } > 3 }
        #expect(taken == 0)
        relay.queue.state.withLock { $0.readFailure = nil }
        relay.run { taken > 5 }
        relay.queue.state.withLock { $0.readFailure = .failed("damaged") }
        relay.run(for: .milliseconds(50))
        relay.queue.state.withLock { $0.readFailure = nil }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 20)
        relay.finish()
    }

    @Test func whoLosesTheLeaseStops() throws {
        var taken = 0
        let relay = try relay { ScriptedServer(took: { _ in taken += 1 }) }
        fill(relay, 100)
        try relay.start()
        #expect(throws: MailQueueError.leaseHeld("held")) {
            try DeliveryAgent(queue: relay.queue, options: DeliveryOptions(hostname: "x", routes: .byMX), loop: relay.loop, logger: quietLogger)
        }
        relay.queue.state.withLock { $0.holder = 99 }
        relay.loop.run()  // Ends by itself.
        #expect(relay.agent?.isStopping == true && taken < 100)
        #expect(relay.queue.waiting == 100)
        relay.agent?.close()
        #expect(relay.queue.state.withLock { $0.holder } == 99)
        relay.loop.close()
    }

    @Test func anOperatorHoldsAndReleases() throws {
        var taken: [String] = []
        let relay = try relay {
            // One at a time, and slowly.
            ScriptedServer { $0 == "CONTENT" && taken.count == 1 ? .stall : nil } took: { taken.append($0) }
        }
        fill(relay, 10)
        var limits = DeliveryLimits.quick
        (limits.initialConnections, limits.connectionsPerDestination) = (1, 1)
        limits.client.dataTermination = .milliseconds(100)
        try relay.start(limits)
        relay.run { taken.count == 1 }
        relay.queue.change { state in for number in 3...10 { state.messages[Int64(number)]?.recipients[0].isHeld = true } }
        relay.run(for: .milliseconds(300))
        #expect(taken.count == 1, "what was held in memory is not sent either")
        relay.queue.change { state in for number in 3...10 { state.messages[Int64(number)]?.recipients[0].isHeld = false } }
        taken.append("so that none stalls")
        relay.run { relay.queue.waiting == 0 }
        #expect(taken.count == 11)
        relay.finish()
    }

    @Test func anOperatorRetriesNow() throws {
        var isBad = true
        let relay = try relay { ScriptedServer { $0 == "MAIL" && isBad ? .say("451 4.7.1 later\r\n") : nil } }
        fill(relay, 5)
        try relay.start()
        relay.run { relay.statistics.deferred == 5 && relay.statistics.activeDestinations == 0 }
        #expect(relay.queue.next(1).map { $0 > Int64(time(nil)) + 200 } == true)
        isBad = false
        relay.queue.change { state in for number in 1...5 { state.messages[Int64(number)]?.recipients[0].next = 0 } }
        relay.run { relay.queue.waiting == 0 }
        relay.finish()
    }

    @Test func retriesComeInTime() throws {
        var isBad = true
        let relay = try relay { ScriptedServer { $0 == "MAIL" && isBad ? .say("451 4.7.1 later\r\n") : nil } }
        fill(relay, 5)
        var limits = DeliveryLimits.quick
        limits.firstRetry = .seconds(1)
        try relay.start(limits)
        relay.run { relay.statistics.deferred == 5 }
        isBad = false
        relay.run { relay.queue.waiting == 0 }
        relay.finish()
    }

    @Test func noticesAreDeliveredThemselves() throws {
        var taken: [String] = []
        let relay = try relay {
            ScriptedServer { $0.hasPrefix("RCPT TO:<bad") ? .say("550 5.1.1 no\r\n") : nil } took: { taken.append($0) }
        }
        relay.queue.state.withLock { $0.queuesNotices = true }
        relay.queue.add([Envelope.Recipient("bad@b.test")], from: "bad-sender@a.test", received: Int64(time(nil)))
        relay.queue.add([Envelope.Recipient("bad@b.test")], from: "sender@a.test", received: Int64(time(nil)))
        try relay.start()
        relay.run { taken.count == 1 && relay.queue.waiting == 0 && relay.statistics.bounced == 3 }
        #expect(taken[0].contains("To: <sender@a.test>"))
        #expect(relay.queue.notices.count == 2, "a notice that cannot be delivered is the end of it")
        relay.finish()
    }

    @Test func whatAStopCutsOffIsDueWhenTheNextAgentStarts() throws {
        var reached = false
        let relay = try relay {
            ScriptedServer { word in
                if word == "CONTENT" { reached = true }
                return word == "CONTENT" ? .stall : nil
            }
        }
        fill(relay, 1)
        try relay.start()
        relay.run { reached }
        relay.finish()
        #expect(relay.queue.outcomes().isEmpty && relay.queue.waiting == 1)
        #expect(relay.queue.state.withLock { $0.holder } == nil)
    }

    @Test func runsOnALoopOfItsOwnAndWritesDownWhatItDid() throws {
        let taken = Mutex(0)
        let server = try ThreadedServer { ScriptedServer(took: { _ in taken.withLock { $0 += 1 } }) }
        let queue = MemoryQueue(.to(server.address))
        for number in 0..<500 { queue.add("r\(number)@b.test") }
        var stop: (CInt, CInt) = (-1, -1)
        _ = withUnsafeMutableBytes(of: &stop) { pipe($0.bindMemory(to: CInt.self).baseAddress) }
        let done = DispatchSemaphore(value: 0)
        let counters = DeliveryCounters()
        var options = DeliveryOptions(hostname: "relay.test", routes: queue.routes)
        options.limits = .quick
        let (reading, final) = (stop.0, options)
        Thread.detachNewThread {
            #expect(throws: Never.self) {
                try DeliveryAgent.run(queue: queue, options: final, until: reading, grace: .seconds(5), counters: counters, logger: quietLogger)
            }
            done.signal()
        }
        for _ in 0..<5000 where counters.snapshot.delivered < 100 { usleep(1000) }
        _ = write(stop.1, "x", 1)
        #expect(done.wait(timeout: .now() + 30) == .success)
        #expect(taken.withLock { $0 } == 500 - queue.waiting, "what was delivered is written down")
        #expect(taken.withLock { $0 } >= 100 && queue.state.withLock { $0.holder } == nil)
        close(stop.0)
        close(stop.1)
    }
}
