import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
import ReactorTesting
import Testing

@testable import ReactorNames

/// RFC 8305 on a virtual clock: which address is tried when.
@Suite struct HappyEyeballsTests {
    struct Scenario: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let world: @Sendable () -> EyeballsWorld
        let trace: [String]

        init(
            _ name: String, aaaa: (at: Int, [String]?)?, a: (at: Int, [String]?)?,
            _ fates: [String: EyeballsWorld.Fate] = [:], unroutable: Set<String> = [],
            with change: @escaping @Sendable (inout HappyEyeballsOptions) -> Void = { _ in }, then trace: String...
        ) {
            testDescription = name
            let six = aaaa.map { EyeballsWorld.Reply(at: $0.at, family: .ipv6, addresses: $0.1) }
            let four = a.map { EyeballsWorld.Reply(at: $0.at, family: .ipv4, addresses: $0.1) }
            world = {
                var world = EyeballsWorld(replies: [six, four].compactMap { $0 }, fates: fates, unroutable: unroutable)
                change(&world.options)
                return world
            }
            self.trace = trace
        }
    }

    private static let quick = EyeballsWorld.Fate.connects(after: 20)
    private static let refuses = EyeballsWorld.Fate.fails(after: 10)

    // MARK: Section 3: when the answers come

    static let answers: [Scenario] = [
        Scenario(
            "IPv6 first: at once", aaaa: (10, ["6a"]), a: (30, ["4a"]), ["6a": quick], then: "10 try 6a", "30 won 6a"),
        Scenario(
            "IPv4 first waits for IPv6", aaaa: (40, ["6a"]), a: (10, ["4a"]), ["6a": quick], then: "40 try 6a", "60 won 6a"),
        Scenario(
            "IPv4 first waits for 50 ms and no more", aaaa: (100, ["6a"]), a: (10, ["4a"]), ["4a": .connects(after: 60)],
            then: "60 try 4a", "120 won 4a"),
        Scenario(
            "IPv6 at the last moment", aaaa: (60, ["6a"]), a: (10, ["4a"]), ["6a": quick], then: "60 try 6a", "80 won 6a"),
        Scenario(
            "no IPv6 addresses end the wait", aaaa: (20, []), a: (10, ["4a"]), ["4a": quick], then: "20 try 4a", "40 won 4a"),
        Scenario(
            "a failed IPv6 answer ends the wait", aaaa: (20, nil), a: (10, ["4a"]), ["4a": quick], then: "20 try 4a", "40 won 4a"),
        Scenario("an IPv6 answer that never comes", aaaa: nil, a: (10, ["4a"]), ["4a": quick], then: "60 try 4a", "80 won 4a"),
        Scenario("an IPv4 answer that never comes", aaaa: (10, ["6a"]), a: nil, ["6a": quick], then: "10 try 6a", "30 won 6a"),
        Scenario(
            "IPv6 that comes later is tried next", aaaa: (100, ["6a"]), a: (10, ["4a", "4b"]), ["6a": quick],
            then: "60 try 4a", "310 try 6a", "330 cancel 4a", "330 won 6a"),
        Scenario(
            "an answer that comes when all have failed is tried at once", aaaa: (100, ["6a"]), a: (10, ["4a"]),
            ["4a": refuses, "6a": quick], then: "60 try 4a", "100 try 6a", "120 won 6a"),
        Scenario(
            "the resolution delay is an option", aaaa: (100, ["6a"]), a: (10, ["4a"]), ["4a": quick],
            with: { $0.resolutionDelay = .zero }, then: "10 try 4a", "30 won 4a"),
        Scenario("no addresses", aaaa: (10, []), a: (20, []), then: "20 failed"),
        Scenario("two failures", aaaa: (10, nil), a: (20, nil), then: "20 failed"),
        Scenario("a failure and no addresses", aaaa: (30, nil), a: (20, []), then: "30 failed"),
    ]

    // MARK: Sections 4 and 5: in which order, and how far apart

    static let attempts: [Scenario] = [
        Scenario(
            "the families alternate", aaaa: (0, ["6a", "6b", "6c"]), a: (0, ["4a", "4b"]), ["4b": quick],
            then: "0 try 6a", "250 try 4a", "500 try 6b", "750 try 4b", "770 cancel 6a", "770 cancel 4a", "770 cancel 6b", "770 won 4b"),
        Scenario(
            "what is left of one family follows", aaaa: (0, ["6a"]), a: (0, ["4a", "4b", "4c"]), ["4c": quick],
            then: "0 try 6a", "250 try 4a", "500 try 4b", "750 try 4c", "770 cancel 6a", "770 cancel 4a", "770 cancel 4b",
            "770 won 4c"),
        Scenario(
            "two of the first family", aaaa: (0, ["6a", "6b", "6c"]), a: (0, ["4a", "4b"]), ["4b": quick],
            with: { $0.firstFamilyCount = 2 },
            then: "0 try 6a", "250 try 6b", "500 try 4a", "750 try 6c", "1000 try 4b", "1020 cancel 6a", "1020 cancel 6b",
            "1020 cancel 4a", "1020 cancel 6c", "1020 won 4b"),
        Scenario(
            "a failure starts the next at once", aaaa: (0, ["6a", "6b"]), a: (0, ["4a"]), ["6a": refuses, "4a": refuses, "6b": quick],
            then: "0 try 6a", "10 try 4a", "20 try 6b", "40 won 6b"),
        Scenario(
            "an older one's failure as well", aaaa: (0, ["6a", "6b"]), a: (0, ["4a"]), ["6a": .fails(after: 300), "6b": quick],
            then: "0 try 6a", "250 try 4a", "300 try 6b", "320 cancel 4a", "320 won 6b"),
        Scenario(
            "the delay counts from the last start", aaaa: (0, ["6a", "6b"]), a: (0, ["4a"]), ["6a": .fails(after: 100), "6b": quick],
            then: "0 try 6a", "100 try 4a", "350 try 6b", "370 cancel 4a", "370 won 6b"),
        Scenario(
            "the slow first one still wins", aaaa: (0, ["6a"]), a: (0, ["4a"]), ["6a": .connects(after: 400), "4a": .connects(after: 500)],
            then: "0 try 6a", "250 try 4a", "400 cancel 4a", "400 won 6a"),
        Scenario(
            "all fail", aaaa: (0, ["6a"]), a: (0, ["4a"]), ["6a": refuses, "4a": refuses], then: "0 try 6a", "10 try 4a", "20 failed"),
        Scenario(
            "addresses without a route use up no attempts", aaaa: (0, ["6a", "6b"]), a: (100, ["4a"]), ["6a": refuses, "6b": refuses, "4a": quick],
            unroutable: ["6a", "6b"], with: { $0.maxAttempts = 1 }, then: "100 try 4a", "120 won 4a"),
        Scenario(
            "and come last, for the error", aaaa: (0, ["6a", "6b"]), a: (10, ["4a", "4b"]), ["6b": refuses, "4a": refuses, "4b": refuses],
            unroutable: ["6a", "6b"], then: "10 try 4a", "20 try 4b", "30 try 6a", "280 try 6b", "30000 cancel 6a", "30000 failed"),
        Scenario(
            "and when both answers are there, behind the others", aaaa: (5, ["6a", "6b"]), a: (0, ["4a", "4b"]), ["6b": quick],
            unroutable: ["6a"], then: "5 try 6b", "25 won 6b"),
        Scenario(
            "an address that is there twice is tried once", aaaa: (0, ["6a", "6a"]), a: (0, []), ["6a": refuses], then: "0 try 6a", "10 failed"),
        Scenario(
            "the attempt delay is an option", aaaa: (0, ["6a"]), a: (0, ["4a"]), ["4a": quick], with: { $0.attemptDelay = .milliseconds(100) },
            then: "0 try 6a", "100 try 4a", "120 cancel 6a", "120 won 4a"),
        Scenario(
            "but never below 10 ms", aaaa: (0, ["6a"]), a: (0, ["4a"]), ["4a": quick], with: { $0.attemptDelay = .zero },
            then: "0 try 6a", "10 try 4a", "30 cancel 6a", "30 won 4a"),
    ]

    // MARK: Limits

    static let limits: [Scenario] = [
        Scenario(
            "the time runs out", aaaa: (0, ["6a"]), a: (0, ["4a"]), [:], with: { $0.timeout = .seconds(1) },
            then: "0 try 6a", "250 try 4a", "1000 cancel 6a", "1000 cancel 4a", "1000 failed"),
        Scenario("without an answer", aaaa: nil, a: nil, [:], with: { $0.timeout = .seconds(1) }, then: "1000 failed"),
        Scenario(
            "a connection in the last moment counts", aaaa: (0, ["6a"]), a: (0, []), ["6a": .connects(after: 1_000)],
            with: { $0.timeout = .seconds(1) }, then: "0 try 6a", "1000 won 6a"),
        Scenario(
            "and none after it", aaaa: (0, ["6a"]), a: (0, []), ["6a": .connects(after: 1_001)], with: { $0.timeout = .seconds(1) },
            then: "0 try 6a", "1000 cancel 6a", "1000 failed"),
        Scenario(
            "attempts are limited", aaaa: (0, ["6a", "6b"]), a: (0, ["4a"]), ["6a": refuses, "4a": refuses, "6b": quick],
            with: { $0.maxAttempts = 2 }, then: "0 try 6a", "10 try 4a", "20 failed"),
        Scenario(
            "at the limit", aaaa: (0, ["6a", "6b"]), a: (0, ["4a"]), ["6a": refuses, "4a": refuses, "6b": quick],
            with: { $0.maxAttempts = 3 }, then: "0 try 6a", "10 try 4a", "20 try 6b", "40 won 6b"),
        Scenario(
            "no answer is waited for when no attempt is left", aaaa: (0, ["6a"]), a: nil, ["6a": refuses], with: { $0.maxAttempts = 1 },
            then: "0 try 6a", "10 failed"),
        Scenario(
            "addresses are limited", aaaa: (0, ["6a", "6b", "6c"]), a: (0, []), ["6a": refuses, "6b": refuses, "6c": quick],
            with: { $0.maxAddresses = 2 }, then: "0 try 6a", "10 try 6b", "20 failed"),
        Scenario("no attempts at all", aaaa: (0, ["6a"]), a: (0, []), [:], with: { $0.maxAttempts = 0 }, then: "0 failed"),
    ]

    @Test(arguments: answers + attempts + limits)
    func eachAddressIsTriedInItsTime(_ scenario: Scenario) {
        let run = scenario.world().run()
        #expect(run.trace == scenario.trace)
        #expect(!run.hung)
    }

    @Test func theErrorHasEveryAttemptAndEveryAnswer() throws {
        var world = EyeballsWorld(replies: [
            .init(at: 0, family: .ipv6, addresses: nil), .init(at: 0, family: .ipv4, addresses: ["4a", "4b", "4c"]),
        ])
        world.fates = ["4a": .fails(after: 10)]
        world.options.timeout = .seconds(1)
        world.options.maxAttempts = 2
        let error = try #require(world.run().error)
        #expect(error.attempts.map(\.address) == ["4a", "4b"].map(EyeballsWorld.address))
        #expect(error.attempts.map(\.error.errno) == [ECONNREFUSED, ETIMEDOUT])
        #expect(error.untried == 1 && error.ranOutOfTime)
        #expect(error.ipv6Failure == .serverFailure(name: "host.example", type: .aaaa) && error.ipv4Failure == nil)
        #expect(
            "\(error)" == """
                cannot connect to host.example:443: 192.0.2.97:443: Connection refused; 192.0.2.98:443: Connection timed out; \
                1 more not tried; cannot look up host.example: the name server failed; the time ran out
                """)
    }

    @Test func aNameThatDoesNotExistIsSaidOnce() {
        var error = ConnectByNameError(host: "host.example", port: 80)
        #expect("\(error)" == "cannot connect to host.example:80: it has no addresses")
        error.ipv6Failure = .nameDoesNotExist(name: "host.example", type: .aaaa)
        error.ipv4Failure = .nameDoesNotExist(name: "host.example", type: .a)
        #expect("\(error)" == "cannot connect to host.example:80: cannot look up host.example: there is no such name")
        error.ipv4Failure = .timedOut(name: "host.example", type: .a)
        #expect("\(error)".contains("(AAAA): there is no such name; ") && "\(error)".contains("(A): no name server"))
        #expect("\(ConnectByNameError(host: "::1", port: 80))".hasPrefix("cannot connect to [::1]:80: "))
    }

    // MARK: Whatever happens

    private static func randomWorld(_ random: inout SeededGenerator) -> EyeballsWorld {
        var world = EyeballsWorld()
        let letters = Array("abcdefghij")
        for family in HappyEyeballs.Family.allCases where Int.random(in: 0..<10, using: &random) > 0 {
            let names = letters.prefix(.random(in: 0...10, using: &random)).map { (family == .ipv6 ? "6" : "4") + String($0) }
            let isFailure = Int.random(in: 0..<6, using: &random) == 0
            world.replies.append(.init(at: .random(in: 0...600, using: &random), family: family, addresses: isFailure ? nil : names))
            for name in names {
                switch Int.random(in: 0..<8, using: &random) {
                case 0: world.fates[name] = .connects(after: .random(in: 0...2_000, using: &random))
                case 1..<6: world.fates[name] = .fails(after: .random(in: 0...600, using: &random))
                default: break
                }
                if Int.random(in: 0..<5, using: &random) == 0 { world.unroutable.insert(name) }
            }
        }
        world.options.attemptDelay = .milliseconds(.random(in: 0...400, using: &random))
        world.options.resolutionDelay = .milliseconds(.random(in: 0...100, using: &random))
        world.options.firstFamilyCount = .random(in: 0...3, using: &random)
        world.options.maxAttempts = .random(in: 0...20, using: &random)
        world.options.maxAddresses = .random(in: 0...12, using: &random)
        world.options.timeout = .milliseconds(.random(in: 0...5_000, using: &random))
        return world
    }

    @Test(arguments: 0..<20)
    func thePromisesAreKept(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for round in 0..<200 {
            let world = Self.randomWorld(&random)
            let run = world.run()
            let story = "seed \(seed), round \(round): \(run.trace)"
            #expect(run.ended && !run.hung, "it ends: \(story)")
            #expect(run.trace.allSatisfy { !["unexpected", "wrong", "numbered", "not running", "twice", "not over"].contains(where: $0.contains) }, "\(story)")
            #expect(run.starts.count <= world.options.maxAttempts, "\(story)")
            let delay = world.options.effectiveAttemptDelay.wholeNanoseconds
            for (before, start) in zip(run.starts, run.starts.dropFirst()) where !start.afterFailure {
                #expect(start.at >= before.at + delay, "never sooner but after a failure: \(story)")
            }
            let tried = run.trace.filter { $0.contains("try") }.map { $0.suffix(2) }
            #expect(Set(tried).count == tried.count, "each address once: \(story)")
            if let last = run.trace.last, let time = UInt64(last.prefix { $0 != " " }) {
                #expect(time <= world.options.timeout.wholeNanoseconds / 1_000_000, "\(story)")
            }
            if let error = run.error { #expect(error.attempts.count == run.starts.count, "every attempt has its error: \(story)") }
        }
    }
}
