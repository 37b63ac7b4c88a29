import ConnectionHandling
import ReactorTLS
import ReactorTesting
import ReactorWire
import Testing

@Suite struct ExchangeTests {
    @Test(arguments: bothVersions, Pair.Splitting.all)
    func bothSidesHearWhatTheOtherSays(_ version: TLSVersion, _ splitting: Pair.Splitting) throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = version...version })
        let pair = try join(try clientContext(), server, splitting)
        try #require(pair.isEstablished, "\(pair.failures)")
        #expect(pair.client.version == version)
        #expect(pair.server.version == version)
        #expect(pair.client.cipher == pair.server.cipher)
        #expect(pair.client.cipher?.hasPrefix("TLS_") == true)
        #expect(!pair.client.isResumed && !pair.server.isResumed)
        pair.send(fromClient: Array("hello".utf8))
        #expect(pair.takeAtServer() == Array("hello".utf8))
        pair.send(fromServer: Array("good day".utf8))
        #expect(pair.takeAtClient() == Array("good day".utf8))
        pair.send(fromClient: [])
        #expect(pair.takeAtServer().isEmpty)
    }

    @Test(arguments: bothVersions, [Pair.Splitting.whole, .random(UInt64.random(in: 0...UInt64.max))])
    func muchGoesThroughInBothDirections(_ version: TLSVersion, _ splitting: Pair.Splitting) throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = version...version })
        let pair = try join(try clientContext(), server, splitting)
        var random = SeededGenerator(seed: 7)
        for size in [1, 16_383, 16_384, 16_385, 100_000, 3_000_000] {
            let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            pair.send(fromClient: bytes)
            #expect(pair.takeAtServer() == bytes)
            pair.send(fromServer: bytes)
            #expect(pair.takeAtClient() == bytes)
        }
    }

    @Test(arguments: bothVersions) func dataInOneFlightWithTheEndOfTheHandshakeIsHeard(_ version: TLSVersion) throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = version...version })
        let client = try clientContext().makeSession(serverName: "localhost")
        let pair = Pair(client, server.makeSession(), beginning: false)
        pair.begin()
        while client.isHandshaking && client.failure == nil {
            if pair.carry(toServer: true) || pair.carry(toServer: false) { continue }
            break
        }
        // The client's last flight may still be on its wire.
        pair.send(fromClient: Array("at once".utf8))
        #expect(pair.takeAtServer() == Array("at once".utf8))
    }

    // MARK: The end

    @Test(arguments: bothVersions, Pair.Splitting.all)
    func anEndIsToldFromATruncation(_ version: TLSVersion, _ splitting: Pair.Splitting) throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = version...version })
        let pair = try join(try clientContext(), server, splitting)
        pair.client.seal(Array("the last".utf8).span.bytes)
        pair.client.finish()
        pair.carry()
        #expect(pair.takeAtServer() == Array("the last".utf8))
        #expect(pair.server.inputEnded)
        pair.server.transportEnded()
        #expect(pair.server.failure == nil)
        // The other direction goes on.
        pair.send(fromServer: Array("still here".utf8))
        #expect(pair.takeAtClient() == Array("still here".utf8))
        #expect(!pair.client.inputEnded)
        pair.client.transportEnded()
        #expect(pair.client.failure?.kind == .truncated)
    }

    @Test func whatFollowsTheEndIsNobodys() throws {
        let pair = try join(try clientContext(), try TLSServerContext(serverConfiguration()))
        pair.client.finish()
        pair.client.wire.append("GET / HTTP/1.1\r\n\r\n")
        pair.carry()
        #expect(pair.server.inputEnded)
        #expect(pair.server.failure == nil)
        #expect(pair.takeAtServer().isEmpty)
    }

    @Test func aTransportThatEndsInTheHandshakeIsToldSo() throws {
        let session = try TLSServerContext(serverConfiguration()).makeSession()
        session.start()
        session.transportEnded()
        #expect(session.failure?.kind == .handshakeCutOff)
    }

    // MARK: Application protocols

    @Test(arguments: bothVersions) func theServersPreferredProtocolIsChosen(_ version: TLSVersion) throws {
        let server = try TLSServerContext(serverConfiguration {
            $0.versions = version...version
            $0.applicationProtocols = ["h2", "http/1.1"]
        })
        let both = try join(try clientContext { $0.applicationProtocols = ["http/1.1", "h2"] }, server)
        #expect(both.client.applicationProtocol == "h2")
        #expect(both.server.applicationProtocol == "h2")
        let one = try join(try clientContext { $0.applicationProtocols = ["spdy/3", "http/1.1"] }, server)
        #expect(one.server.applicationProtocol == "http/1.1")
        let none = try join(try clientContext(), server)
        #expect(none.isEstablished)
        #expect(none.server.applicationProtocol == nil)
    }

    /// RFC 7301 section 3.2
    @Test(arguments: bothVersions) func noSharedProtocolIsAnAlert(_ version: TLSVersion) throws {
        let server = try TLSServerContext(serverConfiguration {
            $0.versions = version...version
            $0.applicationProtocols = ["h2"]
        })
        let pair = try join(try clientContext { $0.applicationProtocols = ["smtp"] }, server)
        #expect(pair.server.failure?.kind == .nothingShared)
        #expect(pair.client.failure?.kind == .alert(120))
    }

    @Test func noSharedVersionIsAnAlert() throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = .v1_3 ... .v1_3 })
        let pair = try join(try clientContext { $0.versions = .v1_2 ... .v1_2 }, server)
        #expect(pair.server.failure?.kind == .nothingShared)
        #expect(pair.client.failure?.kind == .alert(70))
    }
}
