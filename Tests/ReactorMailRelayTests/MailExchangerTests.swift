import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
@testable import ReactorMailRelay
import ReactorNames
import ReactorSMTP
import Synchronization
import TestSupport
import Testing

/// The agent with a name server and mail exchangers on addresses of 127.0.0.0/8.
@Suite(.timeLimit(.minutes(40))) struct MailExchangerTests {
    private final class World {
        let relay: Relay
        let dns: NameServer
        var port: UInt16 = 0
        /// Host and number of messages taken.
        var taken: [String: Int] = [:]

        init(_ answer: @escaping NameServer.Answering) throws {
            let loop = try EventLoop()
            dns = try NameServer(on: loop, answer: answer)
            relay = Relay(loop, MemoryQueue(.byMX))
        }

        func serve(_ host: UInt32, script: @escaping (String) -> ScriptedServer.Act? = { _ in nil }) throws {
            let listener = try relay.loop.listen(on: .ipv4(0x7F00_0000 | host, port: port)) { [unowned self] in
                ScriptedServer(script: script, took: { _ in self.taken["\(host)", default: 0] += 1 })
            }
            port = listener.address.port ?? 0
        }

        func start(_ limits: DeliveryLimits = .quick, edit: (inout DeliveryOptions) -> Void = { _ in }) throws {
            try relay.start(limits, dns: dns) {
                $0.port = port
                $0.resolver.timeout = .milliseconds(100)
                $0.resolver.tries = 2
                edit(&$0)
            }
        }
    }

    private static func mx(_ preference: UInt16, _ name: String) -> RecordData {
        .mx(preference: preference, exchange: (try? DomainName(parsing: name)) ?? .root)
    }

    private static func address(_ host: UInt32) -> RecordData { .address(.v4(0x7F00_0000 | host)) }

    /// One zone for all tests.
    private static let zone: NameServer.Answering = { query, _ in
        guard let question = query.questions.first else { return .nothing }
        let hosts: [String: UInt32] = ["one.test.": 1, "two.test.": 2, "three.test.": 3, "implicit.test.": 1]
        switch ("\(question.name)".lowercased(), question.type) {
        case ("b.test.", .mx): return .message(query.answered(mx(10, "one.test"), mx(20, "two.test")))
        case ("worse.test.", .mx): return .message(query.answered(mx(30, "one.test"), mx(10, "nobody.test"), mx(20, "two.test")))
        case ("null.test.", .mx): return .message(query.answered(mx(0, ".")))
        case ("self.test.", .mx): return .message(query.answered(mx(10, "relay.test"), mx(20, "one.test")))
        case ("bare.test.", .mx): return .message(query.answered(mx(10, "bare-host.test")))
        case ("literal.test.", .mx): return .message(query.answered(mx(10, "127.0.0.1")))
        case ("gone.test.", _): return .message(query.denied(.nameError, negative: 60))
        case ("failing.test.", _): return .message(query.denied(.serverFailure))
        case ("silent.test.", _): return .nothing
        case ("hangup.test.", _): return .hangUp
        case ("halfway.test.", .mx): return .message(query.answered(mx(10, "failing.test")))
        case (let name, .a):
            if let host = hosts[name] { return .message(query.answered(address(host))) }
            return .message(query.denied(.noError, negative: 60))
        default: return .message(query.denied(.noError, negative: 60))
        }
    }

    @Test func theMostPreferredThatGivesServiceGetsAll() throws {
        let world = try World(Self.zone)
        try world.serve(1)
        try world.serve(2)
        for number in 0..<10 { world.relay.queue.add("r\(number)@b.test") }
        for number in 0..<10 { world.relay.queue.add("r\(number)@worse.test") }
        try world.start()
        world.relay.run { world.relay.queue.waiting == 0 }
        #expect(world.taken == ["1": 10, "2": 10])
        #expect(world.relay.statistics.deferred == 0 && world.relay.queue.notices.isEmpty)
        world.relay.finish()
    }

    @Test("the next one is tried where one gives no service", arguments: ["refused", "554 go away\r\n", "421 busy\r\n", "what?\r\n", ""])
    func oneAfterTheOther(_ greeting: String) throws {
        let world = try World(Self.zone)
        try world.serve(2)
        if greeting != "refused" { try world.serve(1) { $0 == "CONNECT" ? greeting.isEmpty ? .hangUp : .sayAndClose(greeting) : nil } }
        for number in 0..<10 { world.relay.queue.add("r\(number)@b.test") }
        try world.start()
        world.relay.run { world.relay.queue.waiting == 0 }
        #expect(world.taken == ["2": 10] && world.relay.statistics.deferred == 0)
        world.relay.finish()
    }

    @Test func implicitExchangersAndLiterals() throws {
        let world = try World(Self.zone)
        try world.serve(1)
        world.relay.queue.add("a@implicit.test", "a@[127.0.0.1]", "a@[x:y]")
        try world.start()
        world.relay.run { world.relay.queue.waiting == 0 }
        #expect(world.taken == ["1": 2])
        #expect(world.relay.queue.outcomes(of: 1, 2).first?.report.status == EnhancedStatusCode(5, 1, 3))
        world.relay.finish()
    }

    @Test("domains that get no mail", arguments: [
        ("gone.test", 5, 1, 2), ("null.test", 5, 1, 10), ("self.test", 5, 4, 6), ("bare.test", 5, 4, 4), ("literal.test", 5, 4, 4),
        ("nothing.test", 5, 1, 2), ("failing.test", 4, 4, 3), ("silent.test", 4, 4, 3), ("hangup.test", 4, 4, 3), ("halfway.test", 4, 4, 3),
    ] as [(String, UInt16, UInt16, UInt16)])
    func undeliverable(_ domain: String, _ kind: UInt16, _ subject: UInt16, _ detail: UInt16) throws {
        let world = try World(Self.zone)
        for number in 0..<3 { world.relay.queue.add("r\(number)@\(domain)") }
        try world.start()
        world.relay.run { world.relay.queue.outcomes(of: 3).count == 1 && world.relay.queue.outcomes(of: 1).count == 1 }
        #expect(world.relay.queue.outcomes(of: 1)[0].report.status == EnhancedStatusCode(kind, subject, detail))
        #expect(world.relay.queue.notices.count == (kind == 5 ? 3 : 0))
        #expect(world.relay.queue.waiting == (kind == 5 ? 0 : 3))
        if kind == 4 { #expect((world.relay.queue.next(2) ?? 0) >= Int64(time(nil)) + 230, "each has a delay of its own") }
        world.relay.finish()
    }

    @Test func ownAddressesAreNotSentTo() throws {
        let world = try World(Self.zone)
        try world.serve(1)
        world.relay.queue.add("a@b.test")
        try world.start { $0.ownAddresses = [.v4(0x7F00_0001)] }
        world.relay.run { world.relay.queue.waiting == 0 }
        #expect(world.relay.queue.outcomes(of: 1)[0].report.status == EnhancedStatusCode(5, 4, 6) && world.taken.isEmpty)
        world.relay.finish()
    }

    @Test func aDeadDestinationDefersAllItsMailAndIsTriedAgain() throws {
        let world = try World(Self.zone)
        try world.serve(9)  // A port.
        for number in 0..<250 { world.relay.queue.add("r\(number)@b.test") }
        var limits = DeliveryLimits.quick
        limits.firstRetry = .seconds(1)
        limits.batch = 20
        try world.start(limits)
        world.relay.run { world.relay.statistics.deferred >= 250 }
        #expect(world.taken.isEmpty)
        try world.serve(1)
        world.relay.run { world.relay.queue.waiting == 0 }
        #expect(world.taken == ["1": 250])
        world.relay.finish()
    }

    /// More destinations that no answer comes for than have a place; new mail for one that lives.
    @Test func aDeadBacklogDoesNotHoldUpLiveDestinations() throws {
        let world = try World { query, isTCP in
            "\(query.questions.first?.name ?? .root)".contains("dead") ? .nothing : Self.zone(query, isTCP)
        }
        try world.serve(1)
        for number in 0..<1000 { world.relay.queue.add("r@dead\(number).test") }
        var limits = DeliveryLimits.quick
        (limits.activeDestinations, limits.backlogDestinations) = (20, 15)
        try world.start(limits) {
            $0.resolver.timeout = .seconds(5)
            $0.resolver.maxOutstanding = 1000
        }
        world.relay.run { world.relay.statistics.activeDestinations == 15 }
        for number in 0..<10 { world.relay.queue.add("r\(number)@b.test") }
        world.relay.queue.wake()
        let start = world.relay.loop.clock.now
        world.relay.run { world.taken["1"] == 10 }
        #expect(start.nanoseconds(until: world.relay.loop.clock.now) < 2_000_000_000)
        #expect(world.relay.statistics.activeDestinations >= 15)
        world.relay.finish()
    }

    /// The queue is one of tests, slow with many messages for one destination; with a destination each it is the real number.
    @Test("many messages for dead destinations", arguments: [(10_000, 1), (50_000, 1000), (100_000, 100_000)])
    func manyForTheDead(_ messages: Int, _ destinations: Int) throws {
        let world = try World { query, isTCP in
            "\(query.questions.first?.name ?? .root)".contains("dead") ? .message(query.denied(.serverFailure)) : Self.zone(query, isTCP)
        }
        try world.serve(1)
        for number in 0..<messages { world.relay.queue.add("r@dead\(number % destinations).test") }
        let start = ContinuousClock.now
        // The name server shares the loop.
        var limits = DeliveryLimits.quick
        limits.refusalPause = DeliveryLimits().refusalPause
        try world.start(limits) { $0.resolver.timeout = .seconds(5) }
        #expect(ContinuousClock.now - start < .seconds(5), "half a second, on a machine that has time")
        world.relay.run { world.relay.statistics.deferred > 0 }
        for number in 0..<20 { world.relay.queue.add("r\(number)@b.test") }
        world.relay.queue.wake()
        world.relay.run { world.taken["1"] == 20 }
        #expect(world.relay.statistics.deferred < messages, "the live are served before the dead are through")
        #expect(world.relay.agent?.held.count ?? .max <= 4000)
        #expect(world.relay.statistics.destinations <= destinations + 1)
        world.relay.finish()
    }
}
