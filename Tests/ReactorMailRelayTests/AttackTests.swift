import ConnectionHandling
import Glibc
import MailTestSupport
import Reactor
import ReactorDNS
@testable import ReactorMailRelay
import ReactorSMTP
import TestSupport
import Testing

/// What operators, next hops and senders may do to the agent at the worst moment.
@Suite(.timeLimit(.minutes(40))) struct AttackTests {
    private func relay(_ make: @escaping () -> ScriptedServer) throws -> Relay {
        let loop = try EventLoop()
        let listener = try loop.listen(on: .loopback(port: 0), makeHandler: make)
        return Relay(loop, MemoryQueue(.to(listener.address)))
    }

    private func fill(_ relay: Relay, _ count: Int) {
        for number in 1...count {
            relay.queue.add(
                [Envelope.Recipient("r\(number)@b.test")], content: .bytes(Array("N: \(number)\r\n\r\n".utf8)), received: Int64(time(nil)))
        }
    }

    /// The queue then names no destination at all, while one is being worked on.
    @Test("what is held to the last message is not sent", arguments: ["CONTENT", "MAIL"])
    func held(_ phase: String) throws {
        var taken = 0
        let relay = try relay { ScriptedServer { $0 == phase && taken == 1 ? .stall : nil } took: { _ in taken += 1 } }
        fill(relay, 10)
        var limits = DeliveryLimits.quick
        (limits.initialConnections, limits.connectionsPerDestination) = (1, 1)
        (limits.client.command, limits.client.dataTermination) = (.milliseconds(100), .milliseconds(100))
        try relay.start(limits)
        relay.run { taken == 1 }
        relay.queue.change { state in for number in 1...10 { state.messages[Int64(number)]?.recipients[0].isHeld = true } }
        relay.run(for: .milliseconds(50))
        taken = 2  // From now on nothing stalls.
        relay.run(for: .milliseconds(500))
        #expect(taken == 2)
        relay.run { relay.statistics.heldMessages == 0 }
        relay.finish()
    }

    /// It may have delivered what it did not answer for: to send that again at once is to deliver it once for each connection.
    @Test func aMessageAtWhichTheNextHopDiesIsNotSentAgainAtOnce() throws {
        var poisoned = 0
        var taken = 0
        let relay = try relay {
            var recipient = ""
            return ScriptedServer { word in
                if word.hasPrefix("RCPT") { recipient = word }
                guard word == "CONTENT", recipient.contains("<r20@") else { return nil }
                poisoned += 1
                return .hangUp
            } took: { _ in taken += 1 }
        }
        fill(relay, 40)
        var limits = DeliveryLimits.quick
        (limits.initialConnections, limits.connectionsPerDestination) = (4, 4)
        (limits.firstReconnect, limits.lastReconnect) = (.seconds(60), .seconds(60))
        try relay.start(limits)
        relay.run { taken == 39 && relay.queue.outcomes(of: 20).count == 1 }
        relay.run(for: .milliseconds(50))
        #expect(poisoned == 1)
        relay.finish()
    }
}
