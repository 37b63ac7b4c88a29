import ConnectionHandling
import Glibc
import Reactor
@testable import ReactorMailRelay
import ReactorSMTP
import ReactorTLS
import TestSupport
import Testing

/// What routes ask of sessions: TLS by destination, and LMTP.
@Suite(.timeLimit(.minutes(40))) struct TLSTests {
    enum Server: CaseIterable { case plain, protected, broken }

    private static func identity() throws -> TLSIdentity { try TLSIdentity.selfSigned(hosts: ["127.0.0.1"]) }

    /// `plain TLS`: how often a message was taken in either way.
    @Test("policies", arguments: [
        (DestinationTLS.none, Server.protected, "1 0"), (.opportunistic, .plain, "1 0"), (.opportunistic, .protected, "0 1"),
        (.opportunistic, .broken, "1 0"), (.required, .plain, "4.7.4"), (.required, .protected, "0 1"), (.required, .broken, "4.7.5"),
        (.verified, .plain, "4.7.4"), (.verified, .protected, "4.7.5"), (.verified, .broken, "4.7.5"),
    ])
    func policy(_ policy: DestinationTLS, _ server: Server, _ expected: String) throws {
        let loop = try EventLoop()
        let context = try TLSServerContext(TLSServerConfiguration(identities: [try Self.identity()]))
        var taken = (plain: 0, protected: 0)
        var refused = 0
        let listener = try loop.listen(on: .loopback(port: 0)) {
            var isProtected = false
            var handler = ScriptedServer { word in
                if word == "STARTTLS" {
                    isProtected = true
                    if server == .broken {
                        refused += 1
                        return .sayAndClose("220 go\r\n")
                    }
                }
                return nil
            } took: { _ in if isProtected { taken.protected += 1 } else { taken.plain += 1 } }
            if server != .plain { handler.makeLayer = { context.makeSession() } }
            return handler
        }
        var routes = Routes.to(listener.address)
        routes.add("\(listener.address)", policy)
        let relay = Relay(loop, MemoryQueue(routes))
        // Late, so that it is told why it waits.
        relay.queue.add([Envelope.Recipient("b@b.test")], received: Int64(time(nil)) - 5 * 3600)
        try relay.start()
        if expected.contains(".") {
            relay.run { !relay.queue.outcomes().isEmpty }
            #expect(relay.queue.outcomes().first.map { "\($0.report.status)" } == expected && taken == (0, 0))
            #expect(relay.queue.waiting == 1)
        } else {
            relay.run { relay.queue.waiting == 0 }
            #expect("\(taken.plain) \(taken.protected)" == expected && refused <= 1)
        }
        relay.finish()
    }

    @Test func aCertificateThatIsTrustedIsVerified() throws {
        let loop = try EventLoop()
        let identity = try Self.identity()
        let context = try TLSServerContext(TLSServerConfiguration(identities: [identity]))
        var taken = 0
        let listener = try loop.listen(on: .loopback(port: 0)) {
            var handler = ScriptedServer(took: { _ in taken += 1 })
            handler.makeLayer = { context.makeSession() }
            return handler
        }
        var routes = Routes.to(listener.address)
        routes.standardTLS = .verified
        let relay = Relay(loop, MemoryQueue(routes))
        relay.queue.add("b@b.test")
        var configuration = TLSClientConfiguration()
        configuration.trust = .authorities(identity.certificates)
        let client = try TLSClientContext(configuration)
        try relay.start { $0.tls = client }
        relay.run { relay.queue.waiting == 0 }
        #expect(taken == 1)
        relay.finish()
    }

    /// How often credentials were shown, and a message taken, where the certificate is trusted or not.
    @Test("a next hop that wants credentials", arguments: [
        (nil, true, "1 1"), (nil, false, "0 0"), (.opportunistic, false, "0 0"), (DestinationTLS.none, true, "0 0"), (.verified, true, "1 1"),
        (.required, false, "1 1"), (.implicit, true, "1 1"), (.implicit, false, "0 0"),
    ] as [(DestinationTLS?, Bool, String)])
    func credentials(_ policy: DestinationTLS?, _ isTrusted: Bool, _ expected: String) throws {
        let loop = try EventLoop()
        let identity = try Self.identity()
        let context = try TLSServerContext(TLSServerConfiguration(identities: [identity]))
        var (shown, taken, sessions) = (0, 0, 0)
        let isImplicit = policy == .implicit
        let listener = try loop.listen(
            on: .loopback(port: 0), makeHandler: {
                sessions += 1
                var isAuthenticated = false
                var handler = ScriptedServer { word in
                    switch word {
                    case "EHLO": return .say("250-mx.test\r\n\(isImplicit ? "" : "250-STARTTLS\r\n")250 AUTH PLAIN\r\n")
                    case "AUTH":
                        shown += 1
                        isAuthenticated = true
                        return .say("235 2.7.0 welcome\r\n")
                    case "MAIL": return isAuthenticated ? nil : .say("530 5.7.0 who are you?\r\n")
                    default: return nil
                    }
                } took: { _ in taken += 1 }
                handler.isImplicit = isImplicit
                handler.makeLayer = { context.makeSession() }
                return handler
            })
        let hop = NextHop(listener.address)
        var routes = Routes(.nextHop(hop), localDomain: "relay.test")
        routes.add(hop, SMTPCredentials(user: "u", password: "p"))
        if let policy { routes.add("\(hop)", policy) }
        let relay = Relay(loop, MemoryQueue(routes))
        relay.queue.add("b@b.test")
        var configuration = TLSClientConfiguration()
        if isTrusted { configuration.trust = .authorities(identity.certificates) }
        let client = try TLSClientContext(configuration)
        try relay.start { $0.tls = client }
        relay.run { relay.queue.waiting == 0 || sessions == 3 && taken == 0 }
        #expect("\(shown) \(taken)" == expected)
        #expect(relay.queue.outcomes().count == taken, "nothing is returned for what the operator has to put right")
        relay.finish()
    }

    @Test func eachRecipientHasItsOwnAnswerOverLMTP() throws {
        let loop = try EventLoop()
        let path = "/tmp/relay-lmtp-\(UInt64.random(in: 0 ... .max))"
        var greetings: [String] = []
        let listener = try loop.listen(on: .unix(path: path)) {
            ScriptedServer { word in
                if word == "LHLO" || word == "EHLO" { greetings.append(word) }
                return word.hasPrefix("RCPT TO:<bad") ? .say("550 5.1.1 no\r\n") : nil
            }
        }
        let route = try Route(parsing: "lmtp:unix:\(path)")
        let relay = Relay(loop, MemoryQueue(Routes(route, localDomain: "relay.test")))
        relay.queue.add([Envelope.Recipient("a@b.test", notify: .success), Envelope.Recipient("bad@b.test"), Envelope.Recipient("c@b.test")], received: Int64(time(nil)))
        try relay.start()
        relay.run { relay.queue.waiting == 0 }
        #expect(greetings == ["LHLO"])
        #expect((0..<3).map { relay.queue.outcomes(of: 1, $0).first?.isDelivered } == [true, false, true])
        #expect(relay.queue.notices.contains { $0.content.text.contains("Action: delivered") }, "LMTP is the last station")
        listener.stop()
        relay.finish()
        unlink(path)
    }
}
