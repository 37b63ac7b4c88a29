import ConnectionHandling
import ReactorTLS
import Testing

/// Which certificate a client gets (RFC 6066 section 3).
@Suite struct ServerNameTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let asked: String
        let subject: String
        var testDescription: String { "\(asked) gets \(subject)" }
    }

    static let context = Result {
        try TLSServerContext(serverConfiguration([
            Shared.root.issue(["default.example", "shared.example"], subject: "default").identity,
            Shared.root.issue(["a.example", "b.example"], subject: "a").identity,
            Shared.root.issue(["*.a.example"], subject: "wild").identity,
            Shared.root.issue(["www.a.example"], subject: "exact").identity,
            Shared.root.issue(["a.example"], subject: "late").identity,
        ]))
    }

    @Test(arguments: [
        Case(asked: "default.example", subject: "default"), Case(asked: "shared.example", subject: "default"),
        Case(asked: "a.example", subject: "a"), Case(asked: "b.example", subject: "a"), Case(asked: "B.EXAMPLE", subject: "a"),
        Case(asked: "x.a.example", subject: "wild"), Case(asked: "www.a.example", subject: "exact"),
        Case(asked: "x.y.a.example", subject: "default"), Case(asked: "nobody.example", subject: "default"),
        Case(asked: "example", subject: "default"), Case(asked: "127.0.0.1", subject: "default"),
        Case(asked: "xa.example", subject: "default"),
    ], bothVersions)
    func aNameGetsItsCertificate(_ one: Case, _ version: TLSVersion) throws {
        let client = try clientContext {
            $0.acceptsAnyCertificate = true
            $0.versions = version...version
        }
        let pair = try join(client, try Self.context.get(), name: one.asked)
        try #require(pair.isEstablished)
        #expect(pair.client.peerCertificate?.subject == "CN=\(one.subject)")
        #expect(pair.server.serverName == (one.asked.contains("127") ? nil : one.asked))
    }

    @Test(arguments: bothVersions) func sessionsOfAnyNameAreResumed(_ version: TLSVersion) throws {
        let client = try clientContext {
            $0.acceptsAnyCertificate = true
            $0.versions = version...version
        }
        for (name, subject) in [("default.example", "default"), ("b.example", "a"), ("x.a.example", "wild")] {
            #expect(try !join(client, try Self.context.get(), name: name).server.isResumed)
            let again = try join(client, try Self.context.get(), name: name)
            #expect(again.server.isResumed)
            #expect(again.server.serverName == name)
            #expect(again.client.peerCertificate?.subject == "CN=\(subject)")
        }
    }

    @Test func aClientGetsTheKindOfKeyThatItCanCheck() throws {
        let identities = [
            Shared.root.issue(["first.example"], subject: "first").identity,
            Shared.root.issue(["both.example"], key: .rsa, subject: "rsa").identity,
            Shared.root.issue(["both.example"], key: .ecdsa, subject: "ecdsa").identity,
        ]
        let server = try TLSServerContext(serverConfiguration(identities) { $0.versions = .v1_2 ... .v1_2 })
        for (list, subject) in [("ECDSA+SHA256", "ecdsa"), ("RSA-PSS+SHA256:RSA+SHA256", "rsa")] {
            let session = try clientContext { $0.acceptsAnyCertificate = true }.makeSession(serverName: "both.example")
            restrictSignatures(of: session, to: list)
            let pair = Pair(session, server.makeSession())
            #expect(pair.client.peerCertificate?.subject == "CN=\(subject)", "\(list) \(pair.failures)")
        }
    }
}
