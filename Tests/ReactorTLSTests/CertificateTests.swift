import COpenSSL
import ConnectionHandling
import ReactorTLS
import Testing

/// Whom a client believes (RFC 5280, RFC 9525), and whom a server.
@Suite struct CertificateTests {
    typealias Fault = TLSFailure.CertificateFault

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let issued: @Sendable () -> Issued
        var name = "localhost"
        let fault: Fault?
        var alert: UInt8 = 0
    }

    static let cases = [
        Case(testDescription: "good", issued: { Shared.localhost }, fault: nil),
        Case(testDescription: "an IPv4 address", issued: { Shared.localhost }, name: "127.0.0.1", fault: nil),
        Case(testDescription: "an IPv6 address", issued: { Shared.localhost }, name: "::1", fault: nil),
        Case(testDescription: "an address with a dot behind it", issued: { Shared.localhost }, name: "127.0.0.1.", fault: nil),
        Case(testDescription: "a name with a dot behind it", issued: { Shared.localhost }, name: "localhost.", fault: nil),
        Case(testDescription: "a name in capitals", issued: { Shared.localhost }, name: "LOCALHOST", fault: nil),
        Case(testDescription: "another address", issued: { Shared.localhost }, name: "127.0.0.2", fault: .wrongHost, alert: 42),
        Case(testDescription: "another host", issued: { Shared.root.issue(["example.com"]) }, fault: .wrongHost, alert: 42),
        Case(testDescription: "a wildcard", issued: { Shared.root.issue(["*.example.com"]) }, name: "a.example.com", fault: nil),
        Case(
            testDescription: "a wildcard for two labels", issued: { Shared.root.issue(["*.example.com"]) }, name: "a.b.example.com",
            fault: .wrongHost, alert: 42),
        Case(
            testDescription: "a wildcard for no label", issued: { Shared.root.issue(["*.example.com"]) }, name: "example.com",
            fault: .wrongHost, alert: 42),
        Case(
            testDescription: "a wildcard for part of a label", issued: { Shared.root.issue(["w*.example.com"]) },
            name: "www.example.com", fault: .wrongHost, alert: 42),
        Case(
            testDescription: "the name in the subject only", issued: { Shared.root.issue([], subject: "localhost") },
            fault: .wrongHost, alert: 42),
        Case(
            testDescription: "the address as a name", issued: { Shared.root.issue(["127.0.0.1"]) }, name: "127.0.0.1",
            fault: .wrongHost, alert: 42),
        Case(testDescription: "expired", issued: { Shared.root.issue(until: -60) }, fault: .expired, alert: 45),
        Case(testDescription: "not valid yet", issued: { Shared.root.issue(from: 3600) }, fault: .notYetValid, alert: 42),
        Case(testDescription: "for clients", issued: { Shared.root.issue(purpose: "clientAuth") }, fault: .wrongPurpose, alert: 43),
        Case(
            testDescription: "self-signed", issued: { Authority.make("localhost", issuer: nil, [(NID_subject_alt_name, "DNS:localhost")]) },
            fault: .selfSigned, alert: 48),
        Case(testDescription: "of another root", issued: { Authority("Other").issue() }, fault: .unknownIssuer, alert: 48),
        Case(
            testDescription: "through an intermediate", issued: { Authority("Middle", under: Shared.root).issue() }, fault: nil),
        Case(
            testDescription: "with the intermediate missing",
            issued: { Authority("Middle", under: Shared.root).issue().with(chain: []) }, fault: .unknownIssuer, alert: 48),
        Case(
            testDescription: "issued by a server's certificate",
            issued: {
                Authority.make("victim", issuer: Shared.localhost, [(NID_subject_alt_name, "DNS:localhost")])
                    .with(chain: [Shared.localhost])
            }, fault: .invalid, alert: 48),
    ]

    @Test(arguments: cases, bothVersions) func aServerIsWhoItShouldBe(_ one: Case, _ version: TLSVersion) throws {
        let server = try TLSServerContext(serverConfiguration([one.issued().identity]) { $0.versions = version...version })
        let pair = try join(try clientContext(), server, name: one.name)
        #expect(pair.client.failure?.kind == one.fault.map { .certificate($0) })
        if one.fault == nil {
            #expect(pair.isEstablished)
        } else {
            #expect(pair.server.failure?.kind == .alert(one.alert))
            #expect(pair.client.isHandshaking)
        }
        let any = try join(try clientContext { $0.acceptsAnyCertificate = true }, server, name: one.name)
        #expect(any.isEstablished, "accepts any")
    }

    @Test(arguments: [
        "", "a b", "a\0b", "127.0.0.1\0.example.com", ".", "..", "exämple.com", String(repeating: "a", count: 64), "[::1]", "localhost:443",
    ])
    func whatIsNoNameIsRefused(_ name: String) throws {
        let client = try clientContext()
        #expect { _ = try client.makeSession(serverName: name) } throws: { ($0 as? TLSConfigurationError)?.kind == .invalidValue }
    }

    @Test func aSelfSignedCertificateIsTrustedWhereItIsListed() throws {
        let identity = try TLSIdentity.selfSigned(hosts: ["localhost", "127.0.0.1", "::1", "*.example.com"])
        let server = try TLSServerContext(serverConfiguration([identity]))
        for name in ["localhost", "127.0.0.1", "::1", "a.example.com"] {
            let client = try clientContext { $0.trust = .authorities(identity.certificates) }
            #expect(try join(client, server, name: name).isEstablished, "\(name)")
            #expect(try join(try clientContext(), server, name: name).client.failure?.kind == .certificate(.selfSigned))
        }
        #expect(throws: TLSConfigurationError.self) { try TLSIdentity.selfSigned(hosts: ["a,DNS:b"]) }
    }

    @Test(arguments: [KeyKind.ecdsa, .rsa]) func aSignatureOfSomebodyWithTheSameNameIsRefused(_ key: KeyKind) throws {
        let (own, other) = (Authority("Same", key: key), Authority("Same", key: key))
        let pair = try join(try clientContext(trusting: own), try TLSServerContext(serverConfiguration([other.issue().identity])))
        #expect(pair.client.failure?.kind == .certificate(.invalid), "\(pair.failures)")
    }

    @Test func theSystemDoesNotTrustTheRootOfATest() throws {
        let pair = try join(try TLSClientContext(), try TLSServerContext(serverConfiguration([Authority("M", under: Shared.root).issue().identity])))
        #expect(pair.client.failure?.kind == .certificate(.unknownIssuer))
    }

    @Test func thePeersCertificateCanBeRead() throws {
        let pair = try join(try clientContext(), try TLSServerContext(serverConfiguration()))
        let certificate = try #require(pair.client.peerCertificate)
        #expect(certificate.subject == "CN=localhost")
        #expect(certificate.issuer == "CN=Test Root")
        #expect(certificate.names == ["localhost"])
        #expect(certificate.addresses == [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]])
        #expect(certificate.notAfter - certificate.notBefore == Int64(2 * day))
        #expect(certificate.fingerprint.count == 32)
        #expect(pair.server.peerCertificate == nil)
        #expect(pair.server.serverName == "localhost")
    }

    // MARK: Clients' certificates

    @Test(arguments: bothVersions) func aClientProvesWhoItIs(_ version: TLSVersion) throws {
        let users = Authority("Users")
        let user = users.issue(["user.example.com"], purpose: "clientAuth", subject: "user")
        func attempt(required: Bool, _ identity: TLSIdentity?) throws -> Pair {
            let server = try TLSServerContext(serverConfiguration {
                $0.versions = version...version
                $0.clientCertificates = required ? .required(authorities: users.source) : .optional(authorities: users.source)
            })
            let pair = try join(try clientContext { $0.identity = identity }, server)
            pair.send(fromClient: [1])
            return pair
        }
        for required in [true, false] {
            let good = try attempt(required: required, user.identity)
            #expect(good.isEstablished)
            #expect(good.server.peerCertificate?.subject == "CN=user")
            #expect(good.takeAtServer() == [1])
            let foreign = try attempt(required: required, Shared.root.issue(purpose: "clientAuth").identity)
            #expect(foreign.server.failure?.kind == .certificate(.unknownIssuer))
            #expect(foreign.client.failure?.kind == .alert(48))
            let expired = try attempt(required: required, users.issue(until: -60, purpose: "clientAuth").identity)
            #expect(expired.server.failure?.kind == .certificate(.expired))
            let purpose = try attempt(required: required, users.issue(purpose: "serverAuth").identity)
            #expect(purpose.server.failure?.kind == .certificate(.wrongPurpose))
        }
        let optional = try attempt(required: false, nil)
        #expect(optional.isEstablished)
        #expect(optional.server.peerCertificate == nil)
        let missing = try attempt(required: true, nil)
        #expect(missing.server.failure?.kind == .certificate(.missing))
        #expect(missing.client.failure?.kind == .alert(version == .v1_3 ? 116 : 40))
    }

    @Test func aChainMayBeSoLong() throws {
        let issued = Authority("Middle", under: Shared.root).issue()
        let server = try TLSServerContext(serverConfiguration([issued.identity]) { $0.versions = .v1_2 ... .v1_2 })
        let lengths = ([issued] + issued.chain).map { Int(i2d_X509($0.certificate, nil)) }
        // RFC 5246 section 7.4.2: each behind its length, and all of them behind theirs.
        let length = lengths.reduce(3) { $0 + 3 + $1 }
        #expect(try join(try clientContext { $0.limits.certificateChain = length }, server).isEstablished)
        let refused = try join(try clientContext { $0.limits.certificateChain = length - 1 }, server)
        #expect(refused.client.failure?.kind == .violation)
    }

    // MARK: Revoked

    @Test func whoIsOnARevocationListIsRefused() throws {
        let bad = Shared.root.issue()
        let server = try TLSServerContext(serverConfiguration([bad.identity]))
        func attempt(_ list: [UInt8]) throws -> TLSFailure? {
            try join(try clientContext { $0.revocationLists = [.bytes(list)] }, server).client.failure
        }
        #expect(try attempt(Shared.root.revocationList([Shared.localhost])) == nil)
        #expect(try attempt(Shared.root.revocationList([bad, Shared.localhost]))?.kind == .certificate(.revoked))
        #expect(try attempt(Shared.root.revocationList([], until: -60))?.kind == .certificate(.invalid))
        #expect(try attempt(Authority("Other").revocationList([]))?.kind == .certificate(.invalid))

        let client = Shared.root.issue(purpose: "clientAuth")
        let strict = try TLSServerContext(serverConfiguration {
            $0.clientCertificates = .required(authorities: Shared.root.source)
            $0.revocationLists = [.bytes(Shared.root.revocationList([client]))]
        })
        #expect(try join(try clientContext { $0.identity = client.identity }, strict).server.failure?.kind == .certificate(.revoked))
    }

    @Test(arguments: bothVersions) func aStapledResponseIsChecked(_ version: TLSVersion) throws {
        let root = Shared.root
        let own = root.issue()
        func attempt(_ response: [UInt8]?, required: Bool = false) throws -> TLSFailure? {
            let identity = response.map { own.stapled($0) } ?? own.identity
            let server = try TLSServerContext(serverConfiguration([identity]) { $0.versions = version...version })
            return try join(try clientContext { $0.requiresStapledResponse = required }, server).client.failure
        }
        #expect(try attempt(nil) == nil)
        #expect(try attempt(nil, required: true)?.kind == .certificate(.invalid))
        #expect(try attempt(root.ocspResponse(own), required: true) == nil)
        #expect(try attempt(root.ocspResponse(own, digest: EVP_sha256()), required: true) == nil)
        #expect(try attempt(root.ocspResponse(own, until: nil), required: true) == nil)
        #expect(try attempt(root.ocspResponse(own, V_OCSP_CERTSTATUS_REVOKED))?.kind == .certificate(.revoked))
        #expect(try attempt(root.ocspResponse(own, V_OCSP_CERTSTATUS_UNKNOWN))?.kind == .certificate(.invalid))
        #expect(try attempt(root.ocspResponse(own, from: 3600, until: 7200))?.kind == .certificate(.invalid))
        // Not signed by who may: by somebody with a certificate of the same root, and by a stranger.
        #expect(try attempt(root.ocspResponse(own, signer: Shared.localhost))?.kind == .certificate(.invalid))
        #expect(try attempt(root.ocspResponse(own, signer: Authority("Other").own))?.kind == .certificate(.invalid))
        let responder = root.issue(["ocsp.example.com"], purpose: "OCSPSigning")
        #expect(try attempt(root.ocspResponse(own, signer: responder), required: true) == nil)
        // An expired one is not sent.
        #expect(try attempt(root.ocspResponse(own, from: -7200, until: -3600)) == nil)
        #expect(try attempt(root.ocspResponse(own, from: -7200, until: -3600), required: true)?.kind == .certificate(.invalid))
    }

    @Test func aStapleOfAnotherCertificateIsAMistake() throws {
        let response = Shared.root.ocspResponse(Shared.root.issue())
        #expect(throws: TLSConfigurationError.self) {
            _ = try TLSServerContext(serverConfiguration([Shared.localhost.stapled(response)]))
        }
        #expect(throws: TLSConfigurationError.self) {
            _ = try TLSServerContext(serverConfiguration([Shared.localhost.stapled([1, 2, 3])]))
        }
    }
}
