import ConnectionHandling
import ReactorTLS
import Testing

@Suite struct ExchangeTests {
    @Test(arguments: [TLSVersion.v1_2, .v1_3], Pair.Splitting.all)
    func bothSidesHearWhatTheOtherSays(_ version: TLSVersion, _ splitting: Pair.Splitting) throws {
        let identity = try TLSIdentity.selfSigned()
        var configuration = TLSServerConfiguration(identities: [identity])
        configuration.versions = version...version
        var trusting = TLSClientConfiguration()
        trusting.trust = .authorities(identity.certificates)
        let pair = Pair(
            try TLSClientContext(trusting).makeSession(serverName: "localhost"), try TLSServerContext(configuration).makeSession(), splitting)
        #expect(pair.client.failure == nil)
        #expect(pair.server.failure == nil)
        try #require(pair.isEstablished)
        pair.send(fromClient: Array("hello".utf8))
        #expect(pair.takeAtServer() == Array("hello".utf8))
        let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        pair.send(fromServer: large)
        #expect(pair.takeAtClient() == large)
        pair.client.finish()
        pair.carry()
        #expect(pair.server.inputEnded)
        pair.server.transportEnded()
        #expect(pair.server.failure == nil)
        pair.client.transportEnded()
        #expect(pair.client.failure?.kind == .truncated)
    }
}
