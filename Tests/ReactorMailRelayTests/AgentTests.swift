import ConnectionHandling
import Dispatch
import Glibc
import MailTestSupport
import Reactor
import ReactorDNS
@testable import ReactorMailRelay
import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// The agent and a next hop on one loop, over real sockets.
@Suite(.timeLimit(.minutes(40))) struct AgentTests {
    private func relay(_ make: @escaping () -> ScriptedServer) throws -> Relay {
        let loop = try EventLoop()
        let listener = try loop.listen(on: .loopback(port: 0), makeHandler: make)
        return Relay(loop, MemoryQueue(.to(listener.address)))
    }

    @Test func messagesReachTheNextHop() throws {
        var taken = 0
        let relay = try relay { ScriptedServer(took: { _ in taken += 1 }) }
        for number in 0..<50 { relay.queue.add("r\(number)@b.test", "s\(number)@c.test") }
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 50, "each once, both recipients in one transaction")
        relay.run { relay.statistics.activeDestinations == 0 }
        #expect(relay.statistics.delivered == 100)
        #expect(relay.queue.state.withLock { $0.records.count } < 50, "outcomes are written down in groups")
        #expect(relay.statistics.destinations == 0 && relay.statistics.heldMessages == 0 && relay.statistics.connections == 0)
        relay.finish()
    }

    @Test func messagesThatArriveWhileItRuns() throws {
        var taken = 0
        let relay = try relay { ScriptedServer(took: { _ in taken += 1 }) }
        try relay.start()
        relay.run(for: .milliseconds(20))
        let queue = relay.queue
        for thread in 0..<4 {
            DispatchQueue.global().async {
                for number in 0..<25 {
                    let envelope = Envelope(id: .random(), sender: "", recipients: [Envelope.Recipient("r\(thread).\(number)@b.test")], received: 0)
                    queue.commit(envelope, .bytes(Array("x: y\r\n\r\n".utf8))) { _ in }
                    usleep(500)
                }
            }
        }
        relay.run { taken == 100 && queue.waiting == 0 && queue.state.withLock { $0.last } == 100 }
        relay.run { relay.statistics.delivered == 100 }
        relay.finish()
    }

    @Test func aNextHopThatIsDownCostsNoAttempt() throws {
        let loop = try EventLoop()
        let listener = try loop.listen(on: .loopback(port: 0)) { ScriptedServer() }
        listener.stop()
        let relay = Relay(loop, MemoryQueue(.to(listener.address)))
        relay.queue.add("b@b.test", "c@b.test")
        try relay.start()
        relay.run(for: .milliseconds(200))
        #expect(relay.queue.outcomes().isEmpty && relay.queue.waiting == 2)
        var taken = 0
        let again = try loop.listen(on: listener.address) { ScriptedServer(took: { _ in taken += 1 }) }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 1)
        again.stop()
        relay.finish()
    }

    static let phases = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"]
    enum Trouble: CaseIterable { case hangUp, stall, garbage, busy }

    @Test("trouble at each phase, and nothing is lost or sent twice", arguments: phases, Trouble.allCases)
    func trouble(_ phase: String, _ trouble: Trouble) throws {
        var connections = 0
        var taken: [String] = []
        let relay = try relay {
            connections += 1
            let isBad = connections <= 3
            return ScriptedServer { word in
                guard isBad, word == phase || word.hasPrefix("RCPT ") && phase == "RCPT" else { return nil }
                return switch trouble {
                case .hangUp: .hangUp
                case .stall: .stall
                case .garbage: .say("what?\r\n")
                case .busy: .sayAndClose("421 4.3.2 busy\r\n")
                }
            } took: { taken.append($0) }
        }
        for number in 0..<5 { relay.queue.add([Envelope.Recipient("r\(number)@b.test")], content: .bytes(Array("N: \(number)\r\n\r\n".utf8)), received: Int64(time(nil))) }
        var limits = DeliveryLimits.quick
        (limits.client.greeting, limits.client.command, limits.client.dataInitiation) = (.milliseconds(50), .milliseconds(50), .milliseconds(50))
        limits.client.dataTermination = .milliseconds(50)
        try relay.start(limits)
        relay.run { relay.queue.waiting == 0 }
        #expect(taken.sorted() == (0..<5).map { "N: \($0)\r\n\r\n.\r\n" })
        #expect(connections > 3 && relay.queue.notices.isEmpty)
        relay.finish()
    }

    @Test func aNextHopThatFlapsAtRandom() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var taken: [String: Int] = [:]
        let relay = try relay {
            ScriptedServer { word in
                if Int.random(in: 0..<40, using: &random) > 0 { return nil }
                switch Int.random(in: 0..<4, using: &random) {
                case 0: return .hangUp
                case 1: return .say("451 4.4.1 not now\r\n")
                case 2: return .say("25\r\n")
                default: return .sayAndClose("421 4.3.2 busy\r\n")
                }
            } took: { taken[$0, default: 0] += 1 }
        }
        let content = { (number: Int) in "N: \(number)\r\n\r\n" }
        for number in 0..<300 {
            relay.queue.add([Envelope.Recipient("r\(number)@b.test")], content: .bytes(Array(content(number).utf8)), received: Int64(time(nil)))
        }
        var limits = DeliveryLimits.quick
        (limits.firstRetry, limits.lastRetry) = (.seconds(1), .seconds(1))
        try relay.start(limits)
        relay.run("seed \(seed): \(relay.queue.waiting) left") { relay.queue.waiting == 0 }
        #expect(taken.count == 300 && taken.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        relay.run { relay.statistics.heldMessages == 0 && relay.statistics.connections == 0 }
        relay.finish()
    }

    @Test func aSessionThatEndsAfterAMessageDefersNobody() throws {
        var taken = 0
        let relay = try relay {
            var messages = 0
            return ScriptedServer { word in
                if word != "MAIL" { return nil }
                messages += 1
                return messages > 1 ? .sayAndClose("421 4.7.0 one message a session\r\n") : nil
            } took: { _ in taken += 1 }
        }
        for number in 0..<20 { relay.queue.add("r\(number)@b.test") }
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        relay.run { relay.statistics.activeDestinations == 0 }
        #expect(taken == 20 && relay.statistics.deferred == 0)
        relay.finish()
    }

    @Test func deadNextHopsAreProbedByOneConnectionBehindGrowingDelays() throws {
        var times: [MonotonicTime] = []
        let loop = try EventLoop()
        let listener = try loop.listen(on: .loopback(port: 0)) { [loop] in
            times.append(loop.clock.now)
            return ScriptedServer { $0 == "CONNECT" ? .sayAndClose("554 no service\r\n") : nil }
        }
        let relay = Relay(loop, MemoryQueue(.to(listener.address)))
        for number in 0..<40 { relay.queue.add("r\(number)@b.test") }
        var limits = DeliveryLimits.quick
        limits.lastReconnect = .seconds(10)
        try relay.start(limits)
        relay.run { times.count >= 8 }
        // 10, 20, 40, 80, 160 ms, each a fifth less at most.
        #expect(times[2].nanoseconds(until: times[7]) >= 240_000_000)
        #expect(relay.queue.waiting == 40 && relay.queue.outcomes().isEmpty)
        relay.finish()
    }

    @Test func recipientsPastTheNextHopsLimitFollowAtOnce() throws {
        var taken = 0
        let relay = try relay {
            var recipients = 0
            return ScriptedServer { word in
                if word == "MAIL" { recipients = 0 }
                guard word.hasPrefix("RCPT ") else { return nil }
                recipients += 1
                return recipients > 2 ? .say("452 4.5.3 too many\r\n") : nil
            } took: { _ in taken += 1 }
        }
        relay.queue.add((1...7).map { Envelope.Recipient("r\($0)@b.test") }, received: Int64(time(nil)))
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 4)
        relay.finish()
    }

    @Test func manyRecipientsGoInSeveralTransactions() throws {
        var recipients: [Int] = []
        var current = 0
        let relay = try relay {
            ScriptedServer { word in
                if word.hasPrefix("RCPT ") { current += 1 }
                return nil
            } took: { _ in
                recipients.append(current)
                current = 0
            }
        }
        relay.queue.add((1...7).map { Envelope.Recipient("r\($0)@b.test") }, received: Int64(time(nil)))
        var limits = DeliveryLimits.quick
        (limits.recipientsPerTransaction, limits.initialConnections, limits.connectionsPerDestination) = (3, 1, 1)
        try relay.start(limits)
        relay.run { relay.queue.waiting == 0 }
        #expect(recipients == [3, 3, 1])
        relay.finish()
    }

    @Test func connectionsAndMemoryAreBounded() throws {
        var taken = 0
        let relay = try relay { ScriptedServer(took: { _ in taken += 1 }) }
        for number in 0..<400 { relay.queue.add("r\(number)@b.test") }
        var limits = DeliveryLimits.quick
        (limits.connectionsPerDestination, limits.messagesPerConnection, limits.heldMessages, limits.batch) = (5, 20, 30, 10)
        try relay.start(limits)
        var most = (connections: 0, held: 0)
        relay.loop.every(.milliseconds(1)) {
            most.connections = max(most.connections, relay.loop.statistics.openConnections)
            most.held = max(most.held, relay.agent?.held.count ?? 0)
        }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 400)
        #expect((3...10).contains(most.connections), "each has two ends in this loop")
        #expect(most.held <= 30)
        relay.run { relay.statistics.activeDestinations == 0 }
        #expect((20...40).contains(relay.statistics.connectionsMade), "twenty messages each, used up or not")
        relay.finish()
    }

    @Test func refusalsAreReturnedToTheSender() throws {
        let relay = try relay { ScriptedServer { $0.hasPrefix("RCPT TO:<bad") ? .say("550 5.1.1 no such user\r\n") : nil } }
        relay.queue.add("bad@b.test", "good@b.test")
        relay.queue.add([Envelope.Recipient("bad@b.test")], from: "", received: Int64(time(nil)))
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        #expect(relay.queue.notices.count == 1, "none for a notice")
        #expect(relay.queue.notices.first?.content.text.contains("Diagnostic-Code: ") == true)
        #expect(relay.queue.outcomes(of: 1, 0).first?.report.status == EnhancedStatusCode(5, 1, 1))
        #expect(relay.queue.outcomes(of: 1, 1).first?.isDelivered == true)
        relay.run { relay.statistics.bounced == 2 && relay.statistics.notices == 1 }
        relay.finish()
    }

    @Test func mailForADeadNextHopIsGivenUpInTime() throws {
        let loop = try EventLoop()
        let listener = try loop.listen(on: .loopback(port: 0)) { ScriptedServer() }
        listener.stop()
        let relay = Relay(loop, MemoryQueue(.to(listener.address)))
        let now = Int64(time(nil))
        for number in 0..<120 { relay.queue.add([Envelope.Recipient("old\(number)@b.test")], received: now - 6 * 86_400) }
        for number in 0..<120 { relay.queue.add([Envelope.Recipient("late\(number)@b.test")], received: now - 5 * 3600, due: 1) }
        for _ in 0..<3 { relay.queue.add("new@b.test", due: 2) }
        try relay.start()
        relay.run { relay.queue.notices.count == 240 }
        relay.run(for: .milliseconds(50))
        #expect(relay.queue.notices.count == 240 && relay.queue.waiting == 123)
        #expect(relay.queue.outcomes(of: 1).first?.report.status == EnhancedStatusCode(4, 4, 7))
        #expect(relay.queue.outcomes(of: 241).isEmpty, "new mail waits without being touched")
        relay.finish()
    }

    @Test func localAndNoDeliveries() throws {
        var routes = Routes(.discard, localDomain: "relay.test")
        let path = "/tmp/relay-maildir-\(UInt64.random(in: 0 ... .max))"
        defer { system("rm -rf \(path)") }
        routes.add("relay.test", .maildir(path))
        routes.add("gone.test", .error(EnhancedStatusCode(5, 1, 6), "they have moved"))
        let relay = try Relay(routes)
        for number in 0..<30 { relay.queue.add("r\(number)@relay.test", "x@nowhere.test", "y@gone.test") }
        relay.queue.add([Envelope.Recipient("a@relay.test", notify: .success)], received: Int64(time(nil)))
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        relay.run { relay.statistics.delivered == 61 && relay.statistics.bounced == 30 }
        #expect(relay.queue.outcomes(of: 1, 2) == [.failed(DeliveryReport(status: EnhancedStatusCode(5, 1, 6), text: "they have moved"))])
        #expect(relay.queue.notices.filter { $0.content.text.contains("Action: delivered") }.count == 1)
        relay.finish()
    }

    @Test func connectionsInAllAreLimitedAndEveryDestinationGetsItsTurn() throws {
        var taken = 0
        let loop = try EventLoop()
        var routes = Routes(.discard, localDomain: "relay.test")
        var open = 0
        var most = 0
        for number in 0..<6 {
            let listener = try loop.listen(on: .loopback(port: 0)) { ScriptedServer(took: { _ in taken += 1 }) }
            routes.add("d\(number).test", .nextHop(NextHop(listener.address)))
        }
        let relay = Relay(loop, MemoryQueue(routes))
        for number in 0..<120 { relay.queue.add("r@d\(number % 6).test") }
        var limits = DeliveryLimits.quick
        (limits.connections, limits.messagesPerConnection) = (2, 3)
        try relay.start(limits)
        loop.every(.milliseconds(1)) {
            open = loop.statistics.openConnections
            most = max(most, open)
        }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 120 && most <= 4)
        relay.finish()
    }

    @Test func aLocalDeliveryThatAStopComesInBetweenIsWrittenDown() throws {
        let path = "/tmp/relay-maildir-\(UInt64.random(in: 0 ... .max))"
        defer { system("rm -rf \(path)") }
        let relay = try Relay(Routes(.maildir(path), localDomain: "relay.test"))
        for number in 0..<8 { relay.queue.add("r\(number)@relay.test") }
        try relay.start()
        relay.finish()
        #expect(relay.queue.waiting == 4, "the four that were begun")
        #expect(relay.queue.outcomes(of: 1).count == 1)
    }
}
