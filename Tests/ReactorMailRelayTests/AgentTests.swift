import ConnectionHandling
import MailTestSupport
import Reactor
import ReactorDNS
@testable import ReactorMailRelay
import ReactorSMTP
import ReactorTesting
import TestSupport
import Synchronization
import Testing

/// The agent and a next hop on one loop, over real sockets.
@Suite(.timeLimit(.minutes(15))) struct AgentTests {
    @Test func messagesReachTheNextHop() throws {
        let loop = try EventLoop()
        var taken = 0
        let listener = try loop.listen(on: .loopback(port: 0)) { ScriptedServer { _ in nil } took: { _ in taken += 1 } }
        let relay = Relay(loop, MemoryQueue(.to(listener.address)))
        for number in 0..<50 { relay.queue.add("r\(number)@b.test", "s\(number)@c.test") }
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 50, "each once, both recipients in one transaction")
        #expect(relay.statistics.delivered == 100)
        #expect(relay.queue.state.withLock { $0.records.count } < 50, "outcomes are written down in groups")
        relay.run { relay.statistics.activeDestinations == 0 }
        #expect(relay.statistics.destinations == 0 && relay.statistics.heldMessages == 0)
        relay.finish()
    }
}
