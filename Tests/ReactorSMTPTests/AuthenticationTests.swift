import ConnectionHandling
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// AUTH (RFC 4954) with PLAIN, LOGIN and SCRAM-SHA-256.
@Suite(.timeLimit(.minutes(40))) struct AuthenticationTests {
    /// Few iterations: what they cost is no matter here.
    private static let keys = SCRAMKeys(password: "pencil", iterations: 2)

    private struct Users: SMTPAuthenticator {
        var mechanisms = SMTPMechanism.allCases
        var isBroken = false

        func verifier(of user: String) async throws -> SMTPVerifier? {
            await Task.yield()
            if isBroken { throw MessageStoreError.failed("directory down") }
            switch user {
            case "user", "a,b=c": return .keys(AuthenticationTests.keys)
            case "asked": return .password { $0 == "secret" }
            case "unreachable": return .password { _ in throw MessageStoreError.failed("down") }
            default: return nil
            }
        }
    }

    private func options(_ users: Users = Users(), inPlain: Bool = true) -> SMTPServerOptions {
        var options = SMTPServerOptions()
        options.authenticator = users
        options.authenticatesInPlain = inPlain
        return options
    }

    private func greeted(_ users: Users = Users(), limits: SMTPServerLimits = SMTPServerLimits()) -> Session {
        Session.greeted(peer: .ipv4(0x0A00_0001, port: 9), limits: limits, options: options(users))
    }

    private func base64(_ text: String) -> String { Base64.encode(Array(text.utf8)) }

    @Test("PLAIN", arguments: [
        ("\0user\0pencil", "235 2.7.0"), ("user\0user\0pencil", "235 2.7.0"), ("\0asked\0secret", "235 2.7.0"),
        ("other\0user\0pencil", "535 5.7.8"), ("\0user\0pencil2", "535 5.7.8"), ("\0user\0", "535 5.7.8"), ("\0\0pencil", "535 5.7.8"),
        ("\0nobody\0pencil", "535 5.7.8"), ("user\0pencil", "535 5.7.8"), ("\0user\0pencil\0", "535 5.7.8"), ("", "535 5.7.8"),
        ("\0asked\0pencil", "535 5.7.8"), ("\0unreachable\0x", "454 4.7.0"),
    ], Feeding.all)
    func plain(_ message: (text: String, code: String), _ feeding: Feeding) {
        let initial = greeted()
        let coded = message.text.isEmpty ? "=" : base64(message.text)
        #expect(initial.codes("AUTH PLAIN \(coded)\r\nNOOP\r\n", feeding) == [message.code, "250 2.0.0"])
        let asked = greeted()
        #expect(asked.exchange("auth plain\r\n", feeding) == "334 \r\n")
        #expect(asked.codes("\(base64(message.text))\r\nNOOP\r\n", feeding) == [message.code, "250 2.0.0"])
    }

    @Test("LOGIN", arguments: [
        ("user", "pencil", "235 2.7.0"), ("user", "wrong", "535 5.7.8"), ("nobody", "pencil", "535 5.7.8"), ("user", "", "535 5.7.8"),
    ], Feeding.all)
    func login(_ given: (user: String, password: String, code: String), _ feeding: Feeding) {
        let session = greeted()
        #expect(session.exchange("AUTH LOGIN\r\n", feeding) == "334 VXNlcm5hbWU6\r\n")
        #expect(session.exchange("\(base64(given.user))\r\n", feeding) == "334 UGFzc3dvcmQ6\r\n")
        #expect(session.codes("\(base64(given.password))\r\nNOOP\r\n", feeding) == [given.code, "250 2.0.0"])
        let initial = greeted()
        #expect(initial.exchange("AUTH LOGIN \(base64(given.user))\r\n") == "334 UGFzc3dvcmQ6\r\n")
    }

    // MARK: SCRAM

    /// RFC 7677 section 3.
    @Test func scramOfTheRFC() throws {
        let salt = try #require(Base64.decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
        let first = try #require(SCRAMServer.ClientFirst(Array("n,,n=user,r=rOprNGfwEbeRWgbNEkqO".utf8)))
        let scram = SCRAMServer(
            first, keys: SCRAMKeys(password: "pencil", iterations: 4096, salt: salt), serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
        #expect(scram.challenge == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        let final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        #expect(scram.verify(Array(final.utf8)) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        // Anything changed is no proof.
        for index in final.utf8.indices where index != final.utf8.startIndex {
            var bytes = Array(final.utf8)
            bytes[final.utf8.distance(from: final.utf8.startIndex, to: index)] ^= 1
            #expect(scram.verify(bytes) == nil, "changed at \(bytes)")
        }
        for text in ["", ",p=", "p=", "c=biws", "c=biws,p=AAAA", final + ",x=y"] { #expect(scram.verify(Array(text.utf8)) == nil) }
    }

    /// A client of SCRAM: what it says last, for a server's challenge.
    private func final(_ user: String, _ password: String, header: String = "n,,", nonce: String, answered: String? = nil, _ challenge: String) throws -> String {
        let parts = challenge.split(separator: ",")
        let salt = try #require(Base64.decode(String(parts[1].dropFirst(2))))
        let salted = SCRAMDigest.saltedPassword(password, salt: salt, iterations: try #require(Int(parts[2].dropFirst(2))))
        let clientKey = SCRAMDigest.hmac(key: salted, Array("Client Key".utf8))
        let bare = "n=\(user),r=\(nonce)"
        let without = "c=\(base64(header)),r=\(answered ?? String(parts[0].dropFirst(2)))"
        let signature = SCRAMDigest.hmac(key: SCRAMDigest.hash(clientKey), Array("\(bare),\(challenge),\(without)".utf8))
        return "\(without),p=\(Base64.encode(zip(clientKey, signature).map { $0 ^ $1 }))"
    }

    private func challenge(_ reply: String) throws -> String {
        #expect(reply.hasPrefix("334 ") && reply.hasSuffix("\r\n"))
        return String(decoding: try #require(Base64.decode(String(reply.dropFirst(4).dropLast()))), as: UTF8.self)
    }

    @Test("SCRAM", arguments: [
        ("user", "pencil", true), ("a=2Cb=3Dc", "pencil", true), ("user", "wrong", false), ("nobody", "pencil", false), ("asked", "secret", false),
    ], Feeding.all)
    func scram(_ given: (user: String, password: String, succeeds: Bool), _ feeding: Feeding) throws {
        let session = greeted()
        let first = try challenge(session.exchange("AUTH SCRAM-SHA-256 \(base64("n,,n=\(given.user),r=abc"))\r\n", feeding))
        #expect(first.hasPrefix("r=abc"))
        let reply = session.exchange("\(base64(try final(given.user, given.password, nonce: "abc", first)))\r\n", feeding)
        guard given.succeeds else { return #expect(reply == "535 5.7.8 not authenticated\r\n") }
        #expect(try challenge(reply).hasPrefix("v="))
        #expect(session.codes("\r\nNOOP\r\n", feeding) == ["235 2.7.0", "250 2.0.0"])
    }

    @Test("what is no first message of SCRAM", arguments: [
        "", "n", "n,,", "n,,n=user", "p=tls-unique,,n=user,r=abc", "x,,n=user,r=abc", "n,,m=ext,n=user,r=abc", "n,,n=,r=abc", "n,,n=user,r=",
        "n,,n=us=er,r=abc", "n,,n=us=2,r=abc", "n,a=other,n=user,r=abc", "n,x,n=user,r=abc", "n,,r=abc,n=user", "n,,n=user,r=a b", "n,,n=user\0,r=abc",
    ])
    func badFirst(_ message: String) {
        #expect(SCRAMServer.ClientFirst(Array(message.utf8)) == nil)
        let session = greeted()
        #expect(session.codes("AUTH SCRAM-SHA-256 \(message.isEmpty ? "=" : base64(message))\r\n") == ["535 5.7.8"])
    }

    @Test("a header that names the same user, and one that could bind", arguments: ["n,a=user,", "y,,"])
    func headers(_ header: String) throws {
        let session = greeted()
        let first = try challenge(session.exchange("AUTH SCRAM-SHA-256 \(base64("\(header)n=user,r=abc"))\r\n"))
        // What was said first must be what was signed.
        #expect(session.codes("\(base64(try final("user", "pencil", nonce: "abc", first)))\r\n") == ["535 5.7.8"])
        let second = try challenge(session.exchange("AUTH SCRAM-SHA-256 \(base64("\(header)n=user,r=abc"))\r\n"))
        #expect(second != first, "no nonce twice")
        let reply = session.exchange("\(base64(try final("user", "pencil", header: header, nonce: "abc", second)))\r\n")
        #expect(try challenge(reply).hasPrefix("v="))
        #expect(session.codes("eA==\r\n") == ["535 5.7.8"], "the client's last message is empty")
    }

    @Test func theNonceIsTheServersToo() throws {
        let session = greeted()
        let first = try challenge(session.exchange("AUTH SCRAM-SHA-256 \(base64("n,,n=user,r=abc"))\r\n"))
        #expect(session.codes("\(base64(try final("user", "pencil", nonce: "abc", answered: "abc", first)))\r\n") == ["535 5.7.8"])
    }

    @Test func somebodyWhoIsNotThereHasASalt() throws {
        let session = greeted()
        let salts = try (0..<2).map { _ in
            let first = try challenge(session.exchange("AUTH SCRAM-SHA-256 \(base64("n,,n=nobody,r=abc"))\r\n"))
            session.exchange("*\r\n")
            return first.split(separator: ",")[1]
        }
        #expect(salts[0] == salts[1] && salts[0].count == 2 + 24)
    }

    @Test func nobodyIsToldFromSomebodyByIterations() throws {
        func keys(_ iterations: Int) -> SCRAMKeys { SCRAMKeys(password: "pencil", iterations: iterations) }
        #expect(SMTPUsers([:]).iterations == 4096)
        let users = SMTPUsers(["a": keys(3), "b": keys(7), "c": keys(7), "d": keys(9)])
        var options = SMTPServerOptions()
        options.authenticator = users
        options.authenticatesInPlain = true
        let session = Session.greeted(options: options)
        for user in ["b", "nobody"] {
            let first = try challenge(session.exchange("AUTH SCRAM-SHA-256 \(base64("n,,n=\(user),r=abc"))\r\n"))
            #expect(first.hasSuffix(",i=7"))
            session.exchange("*\r\n")
        }
    }

    // MARK: Order and limits

    @Test("out of place", arguments: [
        ("AUTH", "501 5.5.4"), ("AUTH XYZZY", "504 5.5.4"), ("AUTH PLAIN !", "501 5.5.2"), ("AUTH PLAIN AA", "501 5.5.2"),
        ("AUTH PLAIN AAAA more", "501 5.5.4"), ("HELO a.test\r\nAUTH PLAIN", "503 5.5.1"), ("MAIL FROM:<a@a.test>\r\nAUTH PLAIN", "503 5.5.1"),
        ("AUTH PLAIN AHVzZXIAcGVuY2ls\r\nAUTH PLAIN", "503 5.5.1"), ("AUTH PLAIN\r\n*", "501 5.7.0"), ("AUTH PLAIN\r\nNOOP!", "501 5.5.2"),
        ("AUTH LOGIN\r\n*", "501 5.7.0"), ("AUTH LOGIN dXNlcg==\r\n*", "501 5.7.0"),
    ])
    func outOfPlace(_ commands: String, _ code: String) {
        let session = greeted()
        #expect(session.codes("\(commands)\r\nNOOP\r\n").suffix(2) == [code, "250 2.0.0"])
    }

    @Test func onlyWhatIsOffered() {
        #expect(Session.greeted().codes("AUTH PLAIN\r\n") == ["502 5.5.1"])
        let session = Session(options: options(Users(mechanisms: [.plain])))
        #expect(session.exchange("EHLO a.test\r\n").contains("\r\n250-AUTH PLAIN\r\n"))
        #expect(session.codes("AUTH LOGIN\r\nAUTH SCRAM-SHA-256\r\n") == ["504 5.5.4", "504 5.5.4"])
        #expect(Session(options: options()).exchange("EHLO a.test\r\n").contains("\r\n250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n"))
    }

    @Test func onlyUnderTLS() {
        let session = Session(options: options(inPlain: false))
        #expect(!session.exchange("EHLO a.test\r\n").contains("AUTH"))
        #expect(session.codes("AUTH PLAIN AHVzZXIAcGVuY2ls\r\n") == ["538 5.7.11"])

        // TLS from the first byte (RFC 8314): nothing is to be started.
        let store = MemoryStore()
        let server = SMTPServer(hostname: "mx.test", store: store, options: options(inPlain: false), startTLS: { ToyLayer() }, logger: quietLogger)
        let driver = TestDriver(Secured(inner: SMTPServerHandler(server)))
        driver.receive("H")
        #expect(unsealed(driver.takeOutput()).hasPrefix("220 mx.test"))
        driver.receive(ToyLayer.sealed("EHLO a.test\r\n"))
        let answer = unsealed(driver.takeOutput())
        #expect(answer.contains("\r\n250-AUTH ") && !answer.contains("STARTTLS"))
        driver.receive(ToyLayer.sealed("STARTTLS\r\nAUTH PLAIN AHVzZXIAcGVuY2ls\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\n"))
        #expect(unsealed(driver.takeOutput()).hasPrefix("503 5.5.1 TLS is there already\r\n235 2.7.0"))
        let stored = String(decoding: store.messages.first?.content ?? [], as: UTF8.self)
        #expect(stored.contains(" with ESMTPSA id "))
    }

    /// The first byte is what was said before the toy's own.
    private func unsealed(_ output: [UInt8]) -> String {
        let bytes = output.first == UInt8(ascii: "h") ? Array(output.dropFirst()) : output
        return String(decoding: stride(from: 1, to: bytes.count, by: 2).map { bytes[$0] ^ 0x20 }, as: UTF8.self)
    }

    @Test func whoHasAuthenticatedMayRelay() {
        let session = greeted()
        let attempt = "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRSET\r\n"
        #expect(session.codes(attempt) == ["250 2.1.0", "554 5.7.1", "250 2.0.0"])
        #expect(session.codes("AUTH PLAIN AHVzZXIAcGVuY2ls\r\n" + attempt) == ["235 2.7.0", "250 2.1.0", "250 2.1.5", "250 2.0.0"])
        var relay = RelayPolicy.local
        relay.allowsAuthenticated = false
        let other = Session.greeted(peer: .ipv4(0x0A00_0001, port: 9), relay: relay, options: options())
        #expect(other.codes("AUTH PLAIN AHVzZXIAcGVuY2ls\r\n" + attempt) == ["235 2.7.0", "250 2.1.0", "554 5.7.1", "250 2.0.0"])
    }

    @Test func attempts() {
        let session = greeted()
        for _ in 0..<3 { #expect(session.codes("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n") == ["535 5.7.8"]) }
        #expect(session.codes("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\nNOOP\r\n") == ["421 4.7.0"])
        #expect(session.driver.closed == .finished)
        let right = greeted()
        for _ in 0..<3 { right.exchange("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n") }
        #expect(right.codes("AUTH PLAIN AHVzZXIAcGVuY2ls\r\n") == ["235 2.7.0"])
    }

    @Test func attemptsOfOneAddress() {
        var limits = SMTPServerLimits()
        limits.attemptsPerMinute = 3
        let server = SMTPServer(hostname: "mx.test", store: MemoryStore(), limits: limits, options: options(), logger: quietLogger)
        func attempt(_ peer: SocketAddress) -> Session {
            let session = Session(server, peer: peer)
            session.exchange("EHLO a.test\r\n")
            return session
        }
        let right = "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n"
        for port in UInt16(1)...3 { #expect(attempt(.ipv6(high: 1, low: UInt64(port), port: port)).codes(right) == ["235 2.7.0"]) }
        let session = attempt(.ipv6(high: 1, low: 9, port: 4))
        #expect(session.codes(right + "NOOP\r\n") == ["454 4.7.0", "250 2.0.0"])
        session.driver.advance(by: .seconds(20))
        #expect(session.codes(right) == ["235 2.7.0"])
        for port in UInt16(1)...4 { #expect(attempt(.loopback(port: port)).codes(right) == ["235 2.7.0"]) }
    }

    @Test("a line of the exchange", arguments: Feeding.all)
    func lines(_ feeding: Feeding) {
        let session = greeted()
        let longest = String(repeating: "A", count: 12_284)  // A whole number of groups; with CRLF, two less than the limit.
        #expect(session.codes("AUTH PLAIN\r\n\(longest)\r\n", feeding) == ["334", "535 5.7.8"])
        #expect(session.codes("AUTH PLAIN\r\n\(longest)xx\r\n", feeding) == ["334", "501 5.5.2"], "at the limit")
        #expect(session.codes("AUTH PLAIN\r\n\(longest)xxx\r\nNOOP\r\n", feeding) == ["334", "500 5.5.6", "250 2.0.0"])
    }

    @Test func anAuthenticatorThatFails() {
        let session = greeted(Users(isBroken: true))
        #expect(session.codes("AUTH PLAIN AHVzZXIAcGVuY2ls\r\nNOOP\r\n") == ["454 4.7.0", "250 2.0.0"])
    }

    // MARK: Keys

    @Test func keysAsText() throws {
        let keys = SCRAMKeys(password: "pencil", iterations: 4096, salt: try #require(Base64.decode("W22ZaJ0SNY7soEsUEjb6gQ==")))
        let text = keys.description
        #expect(text.hasPrefix("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"))
        #expect(try SCRAMKeys(parsing: text) == keys)
        #expect(keys.match("pencil") && !keys.match("Pencil") && !keys.match(""))
        for bad in ["", "x", text + "x", text + ":", String(text.dropLast(2)), text.replacing("4096", with: "0"), text.replacing("256", with: "512")] {
            #expect(throws: SCRAMKeysError.self) { try SCRAMKeys(parsing: bad) }
        }
        let users = try SMTPUsers(parsing: "# mail\nuser:\(text)\r\n\nother:\(text)\n")
        #expect(users.keys == ["user": keys, "other": keys])
        for (bad, line) in [("user\n", 1), ("\nuser:\(text)\nuser:\(text)", 3), (":\(text)", 1), ("user: \(text)", 1)] {
            #expect(throws: SMTPUsersError(line: line)) { try SMTPUsers(parsing: bad) }
        }
    }

    @Test("base64", arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")])
    func base64(_ text: String, _ coded: String) {
        #expect(Base64.encode(Array(text.utf8)) == coded)
        #expect(Base64.decode(coded) == Array(text.utf8))
    }

    @Test("not base64", arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v=", "====", "Zg==Zg==", "Zm 9", "Zm9-", "Zm9v\n", "\u{E9}AA"])
    func notBase64(_ text: String) { #expect(Base64.decode(text) == nil) }
}

/// A handler under a layer from the first byte on.
struct Secured<Inner: ConnectionHandler>: ConnectionHandler {
    var inner: Inner

    mutating func connected(on connection: inout Connection) { connection.start(ToyLayer(), keepingInput: true) }
    mutating func secured(on connection: inout Connection) { inner.connected(on: &connection) }
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { inner.received(bytes, on: &connection) }
    mutating func answered(on connection: inout Connection) { inner.answered(on: &connection) }
    mutating func deadlineExpired(on connection: inout Connection) { inner.deadlineExpired(on: &connection) }
    mutating func endOfInput(on connection: inout Connection) { inner.endOfInput(on: &connection) }
    mutating func closed(_ reason: CloseReason) { inner.closed(reason) }
}
