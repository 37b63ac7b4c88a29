import COpenSSL
import ConnectionHandling
import ReactorTLS
import ReactorTesting
import ReactorWire
import Testing

/// Peers that speak something else, or TLS badly.
@Suite struct GarbageTests {
    /// What a session made of `input`.
    private func feed(_ input: [UInt8], to session: TLSSession, _ splitting: Pair.Splitting = .whole) -> Pair {
        // The client's part is played by the test.
        let pair = Pair(session, session, splitting, beginning: false)
        session.start()
        pair.deliver(input)
        return pair
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n", "POST /a HTTP/1.1\r\n\r\n", "PUT /a HTTP/1.1\r\n\r\n",
        "DELETE /a HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "PATCH /a HTTP/1.1\r\n\r\n", "TRACE / HTTP/1.1\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ], Pair.Splitting.all)
    func plainHTTPIsAnsweredInPlain(_ request: String, _ splitting: Pair.Splitting) throws {
        let session = try TLSServerContext(serverConfiguration()).makeSession()
        let pair = feed(Array(request.utf8), to: session, splitting)
        #expect(session.failure?.kind == .plainHTTP)
        let answer = String(decoding: session.wire.withUnsafeBytes { Array($0) }, as: UTF8.self)
        let parts = answer.split(separator: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.contains("\r\nContent-Length: \(parts.last?.utf8.count ?? 0)\r\n"))
        #expect(answer.contains("TLS"))
        #expect(pair.takeAtServer().isEmpty)
    }

    @Test(arguments: [
        "EHLO example.com\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\0\0\0\0\0\0\0\0", "{\"jsonrpc\":\"2.0\"}", "GETTER / HTTP/1.1\r\n",
        "get / http/1.1\r\n",
    ], Pair.Splitting.all)
    func whatIsNotTLSIsToldSo(_ input: String, _ splitting: Pair.Splitting) throws {
        let server = try TLSServerContext(serverConfiguration()).makeSession()
        _ = feed(Array(input.utf8), to: server, splitting)
        #expect(server.failure?.kind == .notTLS)
        let client = try clientContext().makeSession(serverName: "localhost")
        _ = feed(Array(input.utf8), to: client, splitting)
        #expect(client.failure?.kind == .notTLS)
    }

    @Test func aWebServerIsNoTLSServer() throws {
        let client = try clientContext().makeSession(serverName: "localhost")
        client.start()
        client.wire.removeAll()
        _ = feed(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), to: client)
        #expect(client.failure?.kind == .notTLS)
        #expect(!String(decoding: client.wire.withUnsafeBytes { Array($0) }, as: UTF8.self).contains("HTTP"))
    }

    @Test(arguments: Pair.Splitting.all) func anAlertInTheHandshakeEndsIt(_ splitting: Pair.Splitting) throws {
        for (level, alert, kind) in [
            (UInt8(1), UInt8(0), TLSFailure.Kind.handshakeCutOff), (2, 40, .alert(40)), (2, 255, .alert(255)), (9, 9, .violation),
        ] {
            let client = try clientContext().makeSession(serverName: "localhost")
            _ = feed([21, 3, 3, 0, 2, level, alert], to: client, splitting)
            #expect(client.failure?.kind == kind)
            // Who has not yet said anything has nothing to complain of.
            let server = try TLSServerContext(serverConfiguration()).makeSession()
            _ = feed([21, 3, 3, 0, 2, level, alert], to: server, splitting)
            #expect(server.failure?.kind == .violation)
        }
    }

    @Test(arguments: [UInt64](1...10) + [UInt64.random(in: 11...UInt64.max)])
    func noGarbageTrapsOrIsAccepted(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (server, client) = (try TLSServerContext(serverConfiguration()), try clientContext())
        for _ in 0..<300 {
            var input = (0..<Int.random(in: 0...600, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            if Bool.random(using: &random) {
                // Looks like a record, of a handshake message perhaps.
                let length = UInt16.random(in: 0...1000, using: &random)
                input = [UInt8.random(in: 20...24, using: &random), 3, UInt8.random(in: 0...4, using: &random),
                    UInt8(length >> 8), UInt8(length & 0xff), UInt8.random(in: 0...24, using: &random)] + input
            }
            for session in [server.makeSession(), try client.makeSession(serverName: "localhost")] {
                let pair = feed(input, to: session)
                #expect(session.isHandshaking, "seed \(seed)")
                #expect(pair.takeAtServer().isEmpty, "seed \(seed)")
                session.transportEnded()
                #expect(session.failure != nil)
            }
        }
    }

    /// One byte, or one bit, of one flight is changed. The peers notice, unless it is a bit that nobody reads.
    @Test(arguments: bothVersions, [UInt64](1...6) + [UInt64.random(in: 7...UInt64.max)])
    func aDamagedHandshakeNeverGoesThroughUnnoticed(_ version: TLSVersion, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let server = try TLSServerContext(serverConfiguration {
            $0.versions = version...version
            $0.applicationProtocols = ["h2"]
        })
        let client = try clientContext { $0.applicationProtocols = ["h2"] }
        var failures = 0
        for _ in 0..<60 {
            let pair = Pair(try client.makeSession(serverName: "localhost"), server.makeSession(), beginning: false)
            pair.begin()
            var flights = Int.random(in: 0..<4, using: &random)
            let (place, change) = (Double.random(in: 0..<1, using: &random), UInt8.random(in: 1...255, using: &random))
            let cuts = Int.random(in: 0..<4, using: &random) == 0
            pair.tamper = { _, flight in
                if flights == 0 {
                    let index = Int(place * Double(flight.count))
                    if cuts { flight.removeSubrange(index...) } else { flight[index] ^= change }
                }
                flights -= 1
            }
            pair.carry()
            pair.send(fromClient: Array("over".utf8))
            pair.send(fromServer: Array("and out".utf8))
            let heard = (pair.takeAtServer(), pair.takeAtClient())
            #expect(heard.0.isEmpty || heard.0 == Array("over".utf8), "seed \(seed)")
            #expect(heard.1.isEmpty || heard.1 == Array("and out".utf8), "seed \(seed)")
            if pair.isEstablished { continue }
            failures += 1
            pair.client.transportEnded()
            pair.server.transportEnded()
            #expect(pair.client.failure != nil || pair.server.failure != nil, "seed \(seed)")
        }
        #expect(failures > 20, "seed \(seed)")
    }

    @Test(arguments: bothVersions) func aDamagedRecordEndsTheConnection(_ version: TLSVersion) throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = version...version })
        for place in [0, 1, 2, 3, 5, 10, 20] {
            let pair = try join(try clientContext(), server)
            pair.send(fromClient: [1])
            _ = pair.takeAtServer()
            pair.tamper = { toServer, flight in if toServer { flight[place] ^= 0x40 } }
            pair.send(fromClient: [UInt8](repeating: 7, count: 100))
            pair.server.transportEnded()
            #expect(pair.takeAtServer().isEmpty)
            #expect([.violation, .truncated].contains(pair.server.failure?.kind), "byte \(place): \(pair.failures)")
        }
    }

    @Test func aRecordThatIsRepeatedIsNoticed() throws {
        let pair = try join(try clientContext(), try TLSServerContext(serverConfiguration()))
        pair.tamper = { toServer, flight in if toServer { flight += flight } }
        pair.send(fromClient: [1, 2, 3])
        #expect(pair.takeAtServer() == [1, 2, 3])
        #expect(pair.server.failure?.kind == .violation)
        #expect(pair.client.failure?.kind == .alert(20))
    }

    // MARK: Handshakes behind the handshake

    /// RFC 5246 section 7.2.2: refused with a warning, which this client takes for the end.
    @Test func renegotiationIsRefused() throws {
        let server = try TLSServerContext(serverConfiguration { $0.versions = .v1_2 ... .v1_2 })
        let pair = try join(try clientContext(), server)
        SSL_clear_options(pair.client.ssl, copenssl_no_renegotiation)
        #expect(SSL_renegotiate(pair.client.ssl) == 1)
        SSL_do_handshake(pair.client.ssl)
        let hello = pair.client.wire.count
        #expect(hello > 100)
        pair.carry()
        #expect(pair.client.failure != nil)
        #expect(pair.server.failure?.kind != .system)
        #expect(!pair.server.isHandshaking)
    }

    private func updateKeys(_ session: TLSSession, times: Int) {
        for _ in 0..<times {
            SSL_key_update(session.ssl, SSL_KEY_UPDATE_REQUESTED)
            SSL_do_handshake(session.ssl)
        }
    }

    @Test(arguments: [0, 5, 64]) func keysMayBeUpdatedSoOften(_ limit: Int) throws {
        let server = try TLSServerContext(serverConfiguration { $0.limits.lateMessages = limit })
        // Each is answered with one.
        let pair = try join(try clientContext { $0.limits.lateMessages = 1000 }, server)
        updateKeys(pair.client, times: limit)
        pair.carry()
        pair.send(fromClient: [1])
        #expect(pair.takeAtServer() == [1])
        pair.send(fromServer: [2])
        #expect(pair.takeAtClient() == [2])
        #expect(pair.isEstablished)
        updateKeys(pair.client, times: 1)
        pair.carry()
        #expect(pair.server.failure?.kind == .violation)
    }

    @Test func aFloodOfKeyUpdatesAnswersLittle() throws {
        let pair = try join(try clientContext(), try TLSServerContext(serverConfiguration()))
        updateKeys(pair.client, times: 3000)
        #expect(pair.client.wire.count > 60_000)
        let answered = pair.server.wire.count
        pair.carry(toServer: true)
        #expect(pair.server.failure?.kind == .violation)
        #expect(pair.server.wire.count - answered < 70 * 30)
    }

    @Test func whoSendsMuchMayUpdateKeysOften() throws {
        let server = try TLSServerContext(serverConfiguration {
            $0.limits.lateMessages = 0
            $0.limits.bytesPerLateMessage = 1000
        })
        let pair = try join(try clientContext { $0.limits.lateMessages = 1000 }, server)
        for _ in 0..<100 {
            pair.send(fromClient: [UInt8](repeating: 0, count: 1000))
            updateKeys(pair.client, times: 1)
            pair.carry()
        }
        #expect(pair.isEstablished)
    }
}
