import ConnectionHandling
import ReactorDNS
@testable import ReactorMailRelay
import ReactorNames
import ReactorSMTP
import ReactorTesting
import Testing

@Suite struct RouteTests {
    @Test("next hops", arguments: [
        "mail.example:25", "127.0.0.1:2525", "[::1]:25", "a_b:1", "unix:/run/x", "localhost:25", "lmtp:unix:/run/lmtp", "lmtp:[::1]:24",
    ])
    func nextHop(_ text: String) throws {
        let hop = try NextHop(parsing: text)
        #expect(hop.description == text && hop.isLMTP == text.hasPrefix("lmtp:"))
        #expect(try Route(parsing: text) == .nextHop(hop))
    }

    @Test("no routes", arguments: [
        "", ":25", "mail.example", "mail.example:", "mail.example:0", "127.0.0.1:0", "mail.example:65536", "mail example:25",
        "*:25", "::1:25", "mail.example:+5", "1.2.3:25", "1.2.3.256:25", "[::1:25", "unix:", "a\r\nb:25", "lmtp:", "lmtp:x",
        "maildir:", "maildir:var/mail", "maildir:/a\u{0}b", "MX",
    ])
    func bad(_ text: String) { #expect(throws: NextHopError.self) { try Route(parsing: text) } }

    @Test("other routes", arguments: [
        ("mx", Route.mx, nil), ("discard", .discard, "discard:"), ("maildir:/var/mail/%d/%u", .maildir("/var/mail/%d/%u"), "maildir:/var/mail/%d/%u"),
        ("error:5.1.1 no such user", .error(EnhancedStatusCode(5, 1, 1), "no such user"), "error:5.1.1 no such user"),
        ("error:gone away", .error(EnhancedStatusCode(5, 0, 0), "gone away"), "error:5.0.0 gone away"),
        ("error:4.1.1 later", .error(EnhancedStatusCode(5, 0, 0), "4.1.1 later"), "error:5.0.0 4.1.1 later"),
    ])
    func other(_ text: String, _ route: Route, _ destination: String?) throws {
        #expect(try Route(parsing: text) == route)
        #expect(route.destination == destination)
        if let destination { #expect(try Route(parsing: destination) == route, "the destination says all of it") }
    }

    private var routes: Routes {
        get throws {
            var routes = Routes(.mx, localDomain: "Relay.Test")
            routes.add("relay.test", .maildir("/var/mail/%u"))
            routes.add("Example.org", .nextHop(try NextHop(parsing: "hub.example.org:25")))
            routes.add(".example.org", .discard)
            routes.add(".deep.example.org", .error(EnhancedStatusCode(5, 1, 2), "no"))
            routes.add("bücher.test", .discard)
            routes.add("example.org", DestinationTLS.required)
            routes.add(".example.net", .verified)
            return routes
        }
    }

    @Test("destinations", arguments: [
        ("a@Other.Test", "other.test"), ("a@other.test.", "other.test"), ("postmaster", "maildir:/var/mail/%u"),
        ("a@RELAY.test", "maildir:/var/mail/%u"), ("a@example.org", "hub.example.org:25"), ("a@x.example.org", "discard:"),
        ("a@x.y.example.org", "discard:"), ("a@x.deep.example.org", "error:5.1.2 no"), ("a@deep.example.org", "discard:"),
        ("a@notexample.org", "notexample.org"), ("\"a@b\"@other.test", "other.test"), ("a@[192.0.2.1]", "[192.0.2.1]"),
        ("a@[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"), ("a@BÜCHER.test", "discard:"), ("a@xn--bcher-kva.test", "discard:"),
        ("a@ñ.test", "xn--ida.test"),
        // A mark that makes one character with the sign: what stands in quotes names no route.
        ("\"x@maildir:/tmp/x\"@\u{301}b.test", "\u{301}b.test"), ("\"x@hub.test:25\"@\u{200D}b.test", "\u{200D}b.test"),
    ])
    func destination(_ address: String, _ destination: String) throws {
        let routes = try routes
        #expect(routes.destination(for: address) == destination)
        #expect(routes.route(to: destination).destination ?? destination == destination)
    }

    @Test func theStandardIsForAllOthers() throws {
        let hop = try NextHop(parsing: "smart.test:587")
        var routes = Routes(.nextHop(hop), localDomain: "relay.test")
        routes.add("direct.test", .mx)
        #expect(routes.destination(for: "a@b.test") == "smart.test:587")
        #expect(routes.route(to: "smart.test:587") == .nextHop(hop))
        #expect(routes.destination(for: "a@direct.test") == "direct.test" && routes.route(to: "direct.test") == .mx)
        #expect(routes.route(to: "no:such:route") == .error(EnhancedStatusCode(5, 4, 4), "no route to no:such:route"))
    }

    @Test func tls() throws {
        let routes = try routes
        #expect(routes.tls(to: "example.org") == .required && routes.tls(to: "b.example.net") == .verified)
        #expect(routes.tls(to: "example.net") == .opportunistic)
    }

    @Test("literals", arguments: [
        ("[192.0.2.1]", IPAddress.v4(0xC000_0201)), ("[ipv6:::1]", .v6(high: 0, low: 1)), ("[::1]", nil), ("[192.0.2]", nil),
        ("[]", nil), ("[ipv6:192.0.2.1]", nil), ("192.0.2.1", nil), ("[x:y]", nil),
    ])
    func literal(_ text: String, _ address: IPAddress?) { #expect(Routes.literal(text) == address) }
}

@Suite struct MailExchangeTests {
    private func answer(_ records: [(UInt16, String)]) throws -> Result<Answer, ResolutionError> {
        let name = try DomainName(parsing: "b.test")
        let records = try records.map {
            ResourceRecord(name: name, timeToLive: 60, data: .mx(preference: $0.0, exchange: try DomainName(parsing: $0.1)))
        }
        return .success(Answer(records: records, canonicalName: name, timeToLive: 60))
    }

    private func addresses(_ texts: String...) throws -> HostAddresses {
        let name = try DomainName(parsing: "x")
        func result(_ type: RecordType) -> Result<Answer, ResolutionError> {
            let records = texts.compactMap { IPAddress(parsing: $0) }.filter { $0.recordType == type }
                .map { ResourceRecord(name: name, timeToLive: 60, data: .address($0)) }
            if records.isEmpty { return .failure(.noData(name: "x", type: type)) }
            return .success(Answer(records: records, canonicalName: name, timeToLive: 60))
        }
        return HostAddresses([result(.aaaa), result(.a)])
    }

    private func step(_ result: Result<Answer, ResolutionError>, seed: UInt64 = 1) -> MailExchange.Step {
        var random = SeededGenerator(seed: seed)
        return MailExchange.step(for: "b.test", result, limit: 3, using: &random)
    }

    private func hosts(_ step: MailExchange.Step) -> [String]? {
        if case .resolve(let exchange) = step { exchange.hosts.map(\.name) } else { nil }
    }

    private func failure(_ step: MailExchange.Step) -> String? {
        switch step {
        case .decided(.failed(let report)): "failed \(report.status)"
        case .decided(.deferred(let report)): "deferred \(report.status)"
        default: nil
        }
    }

    @Test func orderIsByPreferenceAndEqualOnesAreShuffled() throws {
        let result = try answer([(20, "c.test"), (10, "a.test"), (10, "b.test"), (30, "d.test")])
        let orders = Set((1...50).compactMap { hosts(step(result, seed: $0)) })
        #expect(orders == [["a.test.", "b.test.", "c.test."], ["b.test.", "a.test.", "c.test."]], "and no more than three")
    }

    @Test("no mail exchanger", arguments: [
        (ResolutionError.nameDoesNotExist(name: "b", type: .mx), "failed 5.1.2"),
        (.invalidName(name: "b", type: .mx, .empty), "failed 5.1.2"),
        (.serverFailure(name: "b", type: .mx), "deferred 4.4.3"), (.timedOut(name: "b", type: .mx), "deferred 4.4.3"),
        (.refused(name: "b", type: .mx), "deferred 4.4.3"), (.unreachable(name: "b", type: .mx), "deferred 4.4.3"),
        (.tooManyLookups(name: "b", type: .mx), "deferred 4.4.3"),
    ])
    func noAnswer(_ error: ResolutionError, _ expected: String) { #expect(failure(step(.failure(error))) == expected) }

    @Test func implicitOnlyWhereThereIsNoRecord() {
        let step = step(.failure(.noData(name: "b.test", type: .mx)))
        #expect(step == .resolve(MailExchange(hosts: [.init(preference: 0, name: "b.test.")], isImplicit: true)))
    }

    @Test func nullMX() throws {
        #expect(failure(step(try answer([(0, ".")]))) == "failed 5.1.10")
        #expect(hosts(step(try answer([(0, "."), (10, "a.test")]))) == ["a.test."])
    }

    private let noOwn = MailExchange.Own(names: ["relay.test"], addresses: [.v4(0x7F00_0001)])

    private func decide(_ hosts: [(UInt16, String)], _ found: [String: HostAddresses], implicit: Bool = false) -> TargetDecision {
        let exchange = MailExchange(hosts: hosts.map { .init(preference: $0.0, name: $0.1) }, isImplicit: implicit)
        return exchange.decide(for: "b.test", found, own: noOwn, port: 25)
    }

    private func summary(_ decision: TargetDecision) -> String {
        switch decision {
        case .targets(let targets): targets.map { "\($0.name)=\($0.address)" }.joined(separator: " ")
        case .failed(let report): "failed \(report.status)"
        case .deferred(let report): "deferred \(report.status)"
        }
    }

    @Test func familiesTakeTurns() throws {
        let decision = decide(
            [(1, "a."), (2, "b.")],
            ["a.": try addresses("192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.2"), "b.": try addresses("192.0.2.3")])
        #expect(
            summary(decision)
                == "a=[2001:db8::1]:25 a=192.0.2.1:25 a=[2001:db8::2]:25 a=192.0.2.2:25 b=192.0.2.3:25")
    }

    @Test("this relay among the mail exchangers", arguments: [
        ([(10, "a."), (20, "relay.test."), (20, "c."), (30, "d.")], "a=192.0.2.1:25"),
        ([(10, "RELAY.test."), (20, "a.")], "failed 5.4.6"),
        ([(10, "a."), (20, "self."), (20, "c.")], "a=192.0.2.1:25"),
        ([(20, "self.")], "failed 5.4.6"),
    ] as [([(UInt16, String)], String)])
    func own(_ hosts: [(UInt16, String)], _ expected: String) throws {
        var found: [String: HostAddresses] = [:]
        for (_, name) in hosts { found[name] = try name == "self." ? addresses("127.0.0.1") : addresses("192.0.2.1") }
        #expect(summary(decide(hosts, found)) == expected)
    }

    /// This relay takes mail there from itself, and so from whoever has such a record.
    @Test("ways back to this machine", arguments: [
        ("127.0.0.1", false, "failed 5.4.6"), ("127.9.9.9", false, "failed 5.4.6"), ("0.0.0.0", false, "failed 5.4.6"),
        ("::1", false, "failed 5.4.6"), ("::", false, "failed 5.4.6"), ("::ffff:127.0.0.1", false, "failed 5.4.6"),
        ("198.51.100.1", false, "failed 5.4.6"), ("::ffff:198.51.100.1", false, "failed 5.4.6"),
        ("127.0.0.1", true, "failed 5.4.6"), ("198.51.100.1", true, "failed 5.4.6"), ("192.0.2.1", true, "b.test=192.0.2.1:25"),
    ] as [(String, Bool, String)])
    func loops(_ address: String, _ isImplicit: Bool, _ expected: String) throws {
        let own = MailExchange.Own(names: ["relay.test"], addresses: [try #require(IPAddress(parsing: "198.51.100.1"))])
        let exchange = MailExchange(hosts: [.init(preference: 10, name: "b.test.")], isImplicit: isImplicit)
        let decision = exchange.decide(for: "b.test", ["b.test.": try addresses(address)], own: own, port: 25)
        #expect(summary(decision) == expected)
    }

    @Test("where this relay listens", arguments: [
        ("192.0.2.1", 25, "failed 5.4.6"), ("::ffff:192.0.2.1", 25, "failed 5.4.6"), ("192.0.2.1", 26, "b.test=192.0.2.1:26"),
        ("198.51.100.7", 2525, "failed 5.4.6"), ("127.0.0.1", 2525, "failed 5.4.6"), ("198.51.100.8", 2525, "b.test=198.51.100.8:2525"),
        ("2001:db8::1", 2525, "b.test=[2001:db8::1]:2525"), ("2001:db8::1", 26, "failed 5.4.6"),
    ] as [(String, UInt16, String)])
    func listening(_ address: String, _ port: UInt16, _ expected: String) throws {
        let listening = try ["192.0.2.1:25", "0.0.0.0:2525", "[::]:26", "unix:/run/x"].map { try SocketAddress(parsing: $0) }
        let machine = try ["127.0.0.1", "198.51.100.7", "2001:db8::1"].map { try #require(IPAddress(parsing: $0)) }
        let own = MailExchange.Own(
            names: ["relay.test"], addresses: [], listening: MailExchange.Own.sockets(listening, of: machine))
        let exchange = MailExchange(hosts: [.init(preference: 10, name: "b.test.")])
        #expect(summary(exchange.decide(for: "b.test", ["b.test.": try addresses(address)], own: own, port: port)) == expected)
    }

    @Test func thisMachineHasAddresses() {
        #expect(InterfaceAddresses.all.contains(.v4(0x7F00_0001)))
    }

    @Test func aDomainIsBehindTheLastAtSignByteForByte() {
        let routes = Routes(.mx, localDomain: "relay.test")
        // A character of its own, to those who read characters.
        #expect(routes.destination(for: "a@\u{301}x.test") != "relay.test")
    }

    @Test func withoutAddresses() throws {
        let none = try addresses()
        let trouble = HostAddresses([.failure(.timedOut(name: "a", type: .a)), .failure(.noData(name: "a", type: .aaaa))])
        #expect(summary(decide([(1, "a."), (2, "b.")], ["a.": none, "b.": none])) == "failed 5.4.4")
        #expect(summary(decide([(1, "a."), (2, "b.")], ["a.": none, "b.": trouble])) == "deferred 4.4.3")
        #expect(summary(decide([(1, "a."), (2, "b.")], ["a.": trouble, "b.": try addresses("192.0.2.9")])) == "b=192.0.2.9:25")
        #expect(summary(decide([(0, "b.test.")], ["b.test.": none], implicit: true)) == "failed 5.1.2")
    }
}

@Suite struct ConnectionAttemptsTests {
    private func targets(_ count: UInt16) -> [DeliveryTarget] {
        (0..<count).map { DeliveryTarget(name: "t", address: .loopback(port: $0 + 1)) }
    }

    @Test func soManyAndNoMore() {
        let now = MonotonicTime(nanoseconds: 1)
        var attempts = ConnectionAttempts(targets(9), limits: DeliveryLimits(), now: now)
        let ports = (0..<9).map { _ in attempts.next(at: now)?.address.port }
        #expect(ports == [1, 2, 3, 4, 5, nil, nil, nil, nil])
    }

    /// Nine addresses of the preferred host, then a backup or three.
    @Test(arguments: [
        (1, ["p1", "p2", "p3", "b1", "b1"]), (2, ["p1", "p2", "b1", "b1", "b2"]), (3, ["p1", "p2", "b1", "b1", "b2"]),
    ])
    func manyAddressesOfOneHostDoNotHideTheOthers(_ backups: Int, _ expected: [String]) {
        let now = MonotonicTime(nanoseconds: 1)
        let preferred = (1...9).map { DeliveryTarget(name: "p", address: .loopback(port: UInt16($0))) }
        let others = (1...backups).flatMap { host in
            (1...3).map { DeliveryTarget(name: "b\(host)", address: .loopback(port: UInt16(100 * host + $0))) }
        }
        var attempts = ConnectionAttempts(preferred + others, limits: DeliveryLimits(), now: now)
        var tried: [String] = []
        while let target = attempts.next(at: now) { tried.append(target.name == "p" ? "p\(target.address.port ?? 0)" : target.name) }
        #expect(tried == expected)
    }

    @Test func whatCannotBeTriedCostsNothing() {
        let now = MonotonicTime(nanoseconds: 1)
        var attempts = ConnectionAttempts(targets(9), limits: DeliveryLimits(), now: now)
        for _ in 0..<4 {
            _ = attempts.next(at: now)
            attempts.failed(report(4, 4, 1), wasTried: false)
        }
        var left = 0
        while attempts.next(at: now) != nil { left += 1 }
        #expect(left == 5)
    }

    @Test func notForEver() {
        let now = MonotonicTime(nanoseconds: 1)
        var attempts = ConnectionAttempts(targets(9), limits: DeliveryLimits(), now: now)
        let (before, after) = (attempts.next(at: now.advanced(by: .seconds(59))), attempts.next(at: now.advanced(by: .seconds(60))))
        #expect(before != nil && after == nil)
    }
}
