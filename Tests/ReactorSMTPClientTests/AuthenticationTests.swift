import ConnectionHandling
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// AUTH as the client speaks it (RFC 4954).
@Suite struct AuthenticationTests {
    private static func options(user: String = "user", password: String = "pencil") -> SMTPClientOptions {
        var options = SMTPClientOptions()
        options.credentials = SMTPCredentials(user: user, password: password)
        options.authenticatesInPlain = true
        return options
    }

    @Test("the best that is offered", arguments: [
        ("AUTH PLAIN LOGIN", "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n"), ("AUTH LOGIN", "AUTH LOGIN\r\n"), ("AUTH=LOGIN", "AUTH LOGIN\r\n"),
        ("auth login plain", "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n"),
    ])
    func mechanisms(_ offered: String, _ command: String) {
        #expect(Dialogue.ready([outgoing()], offered, options: Self.options()).1 == command)
    }

    @Test func scramIsPreferred() {
        let (_, command) = Dialogue.ready([outgoing()], "AUTH LOGIN PLAIN SCRAM-SHA-256", options: Self.options())
        #expect(command.hasPrefix("AUTH SCRAM-SHA-256 biwsbj11c2Vy"))
    }

    @Test func login() {
        let (dialogue, _) = Dialogue.ready([outgoing()], "AUTH LOGIN", options: Self.options())
        #expect(dialogue.reply("334 VXNlcm5hbWU6\r\n") == "dXNlcg==\r\n")
        #expect(dialogue.reply("334 UGFzc3dvcmQ6\r\n") == "cGVuY2ls\r\n")
        #expect(dialogue.reply("235 2.7.0 welcome\r\n") == "MAIL FROM:<a@a.test>\r\n")
    }

    @Test("a command that would be too long leaves its response for later", arguments: [(363, false), (364, true)])
    func longResponses(_ count: Int, _ later: Bool) {
        // "AUTH PLAIN " and 496 characters of base64 are 507; four more are 511, one more than there may be.
        let options = Self.options(password: String(repeating: "p", count: count + 3))
        let (dialogue, command) = Dialogue.ready([outgoing()], "AUTH PLAIN", options: options)
        #expect((command == "AUTH PLAIN\r\n") == later, "\(command.utf8.count)")
        if later { #expect(dialogue.reply("334 \r\n").hasPrefix("AHVzZXIAcHBw")) }
        #expect(dialogue.reply("235 ok\r\n") == "MAIL FROM:<a@a.test>\r\n")
    }

    @Test func credentialsAreKeptBackWithoutTLS() {
        var options = Self.options()
        options.authenticatesInPlain = false
        let (dialogue, command) = Dialogue.ready([outgoing()], "AUTH PLAIN", options: options)
        #expect(command == "" && dialogue.driver.closed == .finished && dialogue.source.messages.count == 1)
        // Over a layer they are sent.
        options.tls = .implicit { ToyLayer(greets: true) }
        let protected = Dialogue(options: options)
        _ = protected.reply("h")
        protected.driver.receive(ToyLayer.sealed("220 hi\r\n"))
        _ = protected.reply("")
        protected.driver.receive(ToyLayer.sealed(Dialogue.offering("AUTH PLAIN")))
        let sealed: [UInt8] = protected.driver.takeOutput()
        #expect(sealed == ToyLayer.sealed("AUTH PLAIN AHVzZXIAcGVuY2ls\r\n"))
    }

    private static let refusals: [(String, String, String)] = [
        ("AUTH PLAIN", "535 5.7.8 no\r\n", "5.7.8"), ("AUTH PLAIN", "454 4.7.0 later\r\n", "4.7.0"), ("AUTH PLAIN", "334 \r\n", "4.7.0"),
        ("AUTH LOGIN", "235 so soon\r\n", "4.7.0"), ("AUTH GSSAPI", "", "4.7.4"), ("SIZE", "", "4.7.4"),
        ("AUTH SCRAM-SHA-256", "235 trust me\r\n", "4.7.0"), ("AUTH SCRAM-SHA-256", "334 !!!\r\n", "4.7.0"),
        ("AUTH SCRAM-SHA-256", "334 \r\n", "4.7.0"), ("AUTH LOGIN", "334 a\r\n334 b\r\n334 c\r\n", "4.7.0"),
    ]

    @Test("what ends the session before any message", arguments: refusals)
    func refused(_ offered: String, _ replies: String, _ status: String) {
        let (dialogue, _) = Dialogue.ready([outgoing()], offered, options: Self.options())
        _ = dialogue.reply(replies)
        #expect(dialogue.driver.closed == .finished && dialogue.source.messages.count == 1)
        guard case .unusable(let report) = dialogue.source.end else { Issue.record("\(String(describing: dialogue.source.end))"); return }
        #expect("\(report.status)" == status, "\(report)")
    }

    // MARK: SCRAM

    /// A server's side, made of the same digests: the exchange as a whole is checked against RFC 7677's example below.
    private struct Server {
        let first: String
        let final: String

        init(answering command: String, password: String = "pencil") throws {
            let (salt, iterations) = ("W22ZaJ0SNY7soEsUEjb6gQ==", 4_096)
            let sent = try #require(Base64.decode(String(command.dropFirst("AUTH SCRAM-SHA-256 ".count).dropLast())))
            let bare = String(decoding: sent, as: UTF8.self).dropFirst(3)
            let nonce = try #require(bare.split(separator: ",").last).dropFirst(2)
            first = "r=\(nonce)server,s=\(salt),i=\(iterations)"
            let saltBytes = try #require(Base64.decode(salt))
            let salted = SCRAMDigest.saltedPassword(password, salt: saltBytes, iterations: iterations)
            let key = SCRAMDigest.hmac(key: salted, Array("Server Key".utf8))
            let message = "\(bare),\(first),c=biws,r=\(nonce)server"
            final = "v=" + Base64.encode(SCRAMDigest.hmac(key: key, Array(message.utf8)))
        }
    }

    private func challenge(_ text: String) -> String { "334 \(Base64.encode(Array(text.utf8)))\r\n" }

    @Test(arguments: Feeding.all) func scram(_ feeding: Feeding) throws {
        let (dialogue, command) = Dialogue.ready([outgoing()], "AUTH SCRAM-SHA-256", options: Self.options())
        let server = try Server(answering: command)
        let proof = dialogue.reply(challenge(server.first), feeding)
        #expect(String(decoding: Base64.decode(String(proof.dropLast())) ?? [], as: UTF8.self).hasPrefix("c=biws,r="))
        #expect(dialogue.reply(challenge(server.final), feeding) == "\r\n")
        #expect(dialogue.reply("235 welcome\r\n", feeding) == "MAIL FROM:<a@a.test>\r\n")
    }

    @Test func aServerThatDoesNotKnowThePasswordIsLeft() throws {
        for answer in ["signature", "none"] {
            let (dialogue, command) = Dialogue.ready([outgoing()], "AUTH SCRAM-SHA-256", options: Self.options())
            let server = try Server(answering: command, password: "other")
            _ = dialogue.reply(challenge(server.first))
            _ = dialogue.reply(answer == "none" ? "235 welcome\r\n" : challenge(server.final))
            #expect(dialogue.driver.closed == .finished && dialogue.source.messages.count == 1)
        }
    }

    @Test("what a server may ask", arguments: [(4_095, false), (4_096, true), (5_000, true), (5_001, false), (0, false), (-1, false)])
    func iterations(_ count: Int, _ isTaken: Bool) throws {
        var limits = SMTPClientLimits()
        limits.scramIterations = 4_096...5_000
        let (dialogue, command) = Dialogue.ready([outgoing()], "AUTH SCRAM-SHA-256", options: Self.options(), limits: limits)
        let server = try Server(answering: command)
        let asked = server.first.replacing("i=4096", with: "i=\(count)")
        #expect((dialogue.reply(challenge(asked)) != "") == isTaken)
        #expect((dialogue.driver.closed == nil) == isTaken)
    }

    @Test("first messages that are none", arguments: [
        "", "r=", "m=x,r=NONCEs,s=AAAA,i=4096", "r=other,s=AAAA,i=4096", "r=NONCE,s=AAAA,i=4096", "r=NONCEs,s=,i=4096", "r=NONCEs,s=A,i=4096",
        "r=NONCEs,i=4096,s=AAAA", "r=NONCEs,s=AAAA", "r=NONCEs,s=AAAA,i=", "r=NONCEs,s=AAAA,i=+4096", "r=NONCEs,s=AAAA,i=99999999999999999999",
        "e=other-error",
    ])
    func badFirstMessages(_ text: String) {
        let client = SCRAMClient(SMTPCredentials(user: "user", password: "p"), nonce: "NONCE", iterations: 4_096...10_000)
        #expect(throws: SCRAMClient.Fault.self) { try client.proof(for: text) }
    }

    /// RFC 7677 section 3.
    @Test func theExampleOfTheRFC() throws {
        let client = SCRAMClient(
            SMTPCredentials(user: "user", password: "pencil"), nonce: "rOprNGfwEbeRWgbNEkqO", iterations: 4_096...4_096)
        #expect(client.first == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let proof = try client.proof(for: "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        #expect(proof.message == "c=biws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        #expect(proof.isAnswered(by: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))
        #expect(!proof.isAnswered(by: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8="))
        #expect(!proof.isAnswered(by: "") && !proof.isAnswered(by: "v=") && !proof.isAnswered(by: "e=invalid-proof"))
        let other = SCRAMClient(SMTPCredentials(user: "a=b,c", password: ""), nonce: "N", iterations: 4_096...4_096)
        #expect(other.first == "n,,n=a=3Db=2Cc,r=N")
    }

    @Test("base64, both ways and strictly") func base64() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
        for (plain, encoded) in vectors {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        for bad in ["Z", "Zg", "Zg=", "Zg===", "====", "Zh==", "Zm9=", "Z=g=", "Zg==Zg==", "Zm9v ", "Zm-v", "=Zg=", "Z\u{0}=="] {
            #expect(Base64.decode(bad) == nil, "\(bad)")
        }
        var random = SeededGenerator(seed: 1)
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }
}
