import ConnectionHandling
import Foundation
import ReactorTLS
import Testing

@Suite struct ConfigurationTests {
    struct Broken: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let certificate: [UInt8]
        let key: [UInt8]
        let kind: TLSConfigurationError.Kind
        /// What the message names.
        let file: String
    }

    private static let good = Shared.localhost
    private static let encryptedKey = Array(
        """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
        -----END EC PRIVATE KEY-----

        """.utf8)

    static let broken = [
        Broken(
            testDescription: "another's key", certificate: good.certificatePEM, key: Shared.root.issue().keyPEM, kind: .keyMismatch,
            file: "key.pem"),
        Broken(testDescription: "an encrypted key", certificate: good.certificatePEM, key: encryptedKey, kind: .encryptedKey, file: "key.pem"),
        Broken(testDescription: "no key", certificate: good.certificatePEM, key: good.certificatePEM, kind: .malformed, file: "key.pem"),
        Broken(testDescription: "an empty key", certificate: good.certificatePEM, key: [], kind: .malformed, file: "key.pem"),
        Broken(testDescription: "no certificate", certificate: good.keyPEM, key: good.keyPEM, kind: .malformed, file: "cert.pem"),
        Broken(testDescription: "an empty certificate", certificate: [], key: good.keyPEM, kind: .malformed, file: "cert.pem"),
        Broken(
            testDescription: "a damaged certificate", certificate: Array(good.certificatePEM.dropLast(60)), key: good.keyPEM,
            kind: .malformed, file: "cert.pem"),
        Broken(
            testDescription: "a damaged chain", certificate: good.certificatePEM + good.certificatePEM.dropLast(60), key: good.keyPEM,
            kind: .malformed, file: "cert.pem"),
    ]

    @Test(arguments: broken) func brokenFilesAreRefusedAndAReloadOfThemChangesNothing(_ one: Broken) throws {
        let directory = try TemporaryDirectory()
        let certificate = try directory.write(one.certificate, as: "cert.pem")
        let key = try directory.write(one.key, as: "key.pem")
        let configuration = serverConfiguration([TLSIdentity(certificateFile: certificate, keyFile: key)])
        func expectRefusal(_ attempt: () throws -> Void) {
            do {
                try attempt()
                Issue.record("not refused")
            } catch let error as TLSConfigurationError {
                #expect(error.kind == one.kind)
                #expect(error.description.hasPrefix("\(directory.path)/\(one.file): "), "\(error)")
                #expect(!error.description.contains("\n"))
            } catch { Issue.record("\(error)") }
        }
        expectRefusal { _ = try TLSServerContext(configuration) }

        try directory.write(Self.good.certificatePEM, as: "cert.pem")
        try directory.write(Self.good.keyPEM, as: "key.pem")
        let server = try TLSServerContext(configuration)
        try directory.write(one.certificate, as: "cert.pem")
        try directory.write(one.key, as: "key.pem")
        expectRefusal { try server.reload() }
        #expect(try join(try clientContext(), server).isEstablished, "the old ones stay")
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        let configuration = serverConfiguration([TLSIdentity(certificateFile: "/nowhere/cert.pem", keyFile: "/nowhere/key.pem")])
        #expect { _ = try TLSServerContext(configuration) } throws: {
            "\($0)" == "/nowhere/cert.pem: cannot be read: No such file or directory"
        }
        #expect(throws: TLSConfigurationError.self) { _ = try clientContext { $0.trust = .authorities(.file("/")) } }
        #expect(throws: TLSConfigurationError.self) { _ = try clientContext { $0.revocationLists = [.file("/nowhere/crl.pem")] } }
        #expect(throws: TLSConfigurationError.self) { _ = try TLSServerContext(serverConfiguration([])) }
        #expect(throws: TLSConfigurationError.self) {
            _ = try TLSServerContext(serverConfiguration { $0.applicationProtocols = [""] })
        }
        #expect(throws: TLSConfigurationError.self) {
            _ = try clientContext { $0.applicationProtocols = [String(repeating: "a", count: 256)] }
        }
        _ = try clientContext { $0.applicationProtocols = [String(repeating: "a", count: 255)] }
    }

    @Test func aReloadServesTheNewCertificateAndLeavesConnectionsAlone() throws {
        let directory = try TemporaryDirectory()
        func write(_ issued: Issued) throws {
            try directory.write(issued.certificatePEM, as: "cert.pem")
            try directory.write(issued.keyPEM, as: "key.pem")
        }
        try write(Shared.root.issue(subject: "old"))
        let server = try TLSServerContext(serverConfiguration([
            TLSIdentity(certificateFile: "\(directory.path)/cert.pem", keyFile: "\(directory.path)/key.pem")
        ]))
        let client = try clientContext { $0.cachedSessions = 0 }
        let old = try join(client, server)
        let half = Pair(try client.makeSession(serverName: "localhost"), server.makeSession(), beginning: false)
        half.begin()
        half.carry(toServer: true)
        try write(Shared.root.issue(subject: "new"))
        try server.reload()
        half.carry()
        #expect(half.client.peerCertificate?.subject == "CN=old")
        old.send(fromClient: [1])
        #expect(old.takeAtServer() == [1])
        #expect(try join(client, server).client.peerCertificate?.subject == "CN=new")
    }

    @Test func anExpiredCertificateOfOnesOwnIsAWarning() throws {
        #expect(try TLSServerContext(serverConfiguration()).warnings == [])
        let expired = try TLSServerContext(serverConfiguration([Shared.root.issue(until: -60).identity]))
        #expect(expired.warnings == ["(in memory): the certificate has expired"])
        let early = try TLSServerContext(serverConfiguration([Shared.root.issue(from: 60).identity]))
        #expect(early.warnings == ["(in memory): the certificate is not valid yet"])
        let staple = Shared.root.ocspResponse(Shared.localhost, from: -7200, until: -3600)
        let stale = try TLSServerContext(serverConfiguration([Shared.localhost.stapled(staple)]))
        #expect(stale.warnings == ["(in memory): the OCSP response has expired, and is not sent"])
    }

    @Test func secretsAreLoggedOnRequest() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/keys"
        let server = try TLSServerContext(serverConfiguration { $0.keyLogFile = path })
        #expect(try join(try clientContext { $0.keyLogFile = path }, server).isEstablished)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(Set(lines).count * 2 == lines.count, "both ends log the same secrets")
        for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"] {
            #expect(lines.filter { $0.hasPrefix(label + " ") }.count == 2)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
