import COpenSSL
import ConnectionHandling
import ReactorTLS
import ReactorWire
import Testing

/// Handshake messages behind the handshake that come in several records, with output between them.
@Suite struct FragmentTests {
    /// A server whose tickets, which hold its client's certificate, are cut into records of 512 bytes; and what it has on
    /// the wire once it is done with the handshake.
    private func pairWithTicketsWaiting() throws -> Pair {
        let clients = Authority("Clients")
        let server = try TLSServerContext(serverConfiguration { $0.clientCertificates = .required(authorities: clients.source) })
        let client = try clientContext { $0.identity = clients.issue(purpose: "clientAuth").identity }
        let pair = Pair(try client.makeSession(serverName: "localhost"), server.makeSession(), beginning: false)
        SSL_ctrl(pair.server.ssl, SSL_CTRL_SET_MAX_SEND_FRAGMENT, 512, nil)
        pair.begin()
        for toServer in [true, false, true] { pair.carry(toServer: toServer) }
        #expect(pair.isEstablished)
        return pair
    }

    @Test func theMiddleOfAMessageIsTold() throws {
        let pair = try pairWithTicketsWaiting()
        let tickets = pair.server.wire.withUnsafeBytes { Array($0) }
        pair.server.wire.removeAll()
        var middles = 0
        for byte in tickets {
            pair.client.receive([byte].span.bytes, into: &pair.atClient)
            if pair.client.isMidMessage { middles += 1 }
        }
        #expect(middles > 0 && middles < tickets.count)
        #expect(!pair.client.isMidMessage)
        pair.send(fromClient: [1, 2, 3])
        #expect(pair.takeAtServer() == [1, 2, 3])
    }
}
