import ConnectionHandling
import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// TLS and what surrounds it, over a layer that is readable.
@Suite struct SessionTests {
    private static let make: @Sendable () -> ConnectionLayer = { ToyLayer(greets: true) }
    private struct NoLayer: Error {}

    private enum Policy: CaseIterable { case none, opportunistic, required, implicit }

    private static func dialogue(_ policy: Policy, _ messages: [OutgoingMessage] = [outgoing()], make: @escaping @Sendable () throws -> ConnectionLayer = make) -> Dialogue {
        var options = SMTPClientOptions()
        switch policy {
        case .none: options.tls = .none
        case .opportunistic: options.tls = .opportunistic(make)
        case .required: options.tls = .required(make)
        case .implicit: options.tls = .implicit(make)
        }
        return Dialogue(messages, options: options)
    }

    /// What came through the layer.
    private func unsealed(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return String(decoding: stride(from: 1, to: bytes.count, by: 2).map { bytes[$0] ^ 0x20 }, as: UTF8.self)
    }

    private func sealedReply(_ dialogue: Dialogue, _ text: String, _ feeding: Feeding = .whole) -> String {
        feeding.feed(ToyLayer.sealed(text), to: dialogue.driver)
        return unsealed(dialogue.driver.takeOutput())
    }

    private static let offer = Dialogue.offering("STARTTLS,PIPELINING,SIZE")

    @Test("STARTTLS, and EHLO again behind it", arguments: Feeding.all) func startTLS(_ feeding: Feeding) {
        let dialogue = Self.dialogue(.opportunistic)
        #expect(dialogue.reply("220 hi\r\n", feeding) == "EHLO client.test\r\n")
        #expect(dialogue.reply(Self.offer, feeding) == "STARTTLS\r\n")
        #expect(dialogue.reply("220 go\r\n", feeding) == "H")
        #expect(unsealed(dialogue.reply("h")) == "EHLO client.test\r\n")
        // What was offered before counts no more: neither SIZE nor PIPELINING; and TLS is not begun twice.
        let next = sealedReply(dialogue, Dialogue.offering("STARTTLS,8BITMIME"), feeding)
        #expect(next == "MAIL FROM:<a@a.test>\r\n")
    }

    /// As LMTP servers that count wrong have it: it must not pass for the answer to the next command.
    @Test func aVerdictTooManyIsNobodysElse() {
        var options = SMTPClientOptions()
        options.isLMTP = true
        let (dialogue, _) = Dialogue.ready([outgoing(), outgoing(to: ["c@c.test", "d@d.test"])], "PIPELINING", options: options)
        #expect(dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n") == "x\r\n.\r\n")
        _ = dialogue.reply("250 b has it\r\n250 who has it?\r\n")
        #expect(dialogue.source.outcomes.count == 2)
        #expect(dialogue.source.outcomes.first == [.delivered("250 b has it")])
        #expect(dialogue.source.outcomes.last?.allSatisfy { $0 == .deferred("a reply to nothing: 250 who has it?") } == true)
        #expect(dialogue.driver.closed != nil)
    }

    /// The client's side of CVE-2011-0411: answers in plain behind the one to STARTTLS must not count as given under TLS.
    @Test func whatIsInjectedBehindItIsThrownAway() {
        for injected in ["250-next.test\r\n250 AUTH PLAIN\r\n", "250-half a reply\r\n", "250 half a li"] {
            let dialogue = Self.dialogue(.required)
            _ = dialogue.reply("220 hi\r\n" + Self.offer)
            #expect(dialogue.reply("220 go\r\n" + injected) == "H")
            #expect(unsealed(dialogue.reply("h")) == "EHLO client.test\r\n")
            #expect(dialogue.source.outcomes.isEmpty && dialogue.source.messages.count == 1)
            #expect(sealedReply(dialogue, Dialogue.offering("")) == "MAIL FROM:<a@a.test>\r\n")
        }
        // In a piece of its own it is part of the handshake, which fails.
        let dialogue = Self.dialogue(.required)
        _ = dialogue.reply("220 hi\r\n" + Self.offer)
        _ = dialogue.reply("220 go\r\n")
        dialogue.driver.receive("250 evil\r\n")
        dialogue.driver.receiveEndOfInput()
        #expect(dialogue.source.messages.count == 1 && dialogue.source.end != .finished)
    }

    @Test func implicitTLSComesFirst() {
        let dialogue = Self.dialogue(.implicit)
        #expect(dialogue.reply("") == "H")
        #expect(dialogue.reply("h") == "")
        #expect(sealedReply(dialogue, "220 hi\r\n") == "EHLO client.test\r\n")
        #expect(sealedReply(dialogue, Self.offer).hasPrefix("MAIL FROM:<a@a.test> SIZE=3\r\nRCPT"))
    }

    private static let refusals: [String] = [
        "220 hi\r\n" + Dialogue.offering("SIZE"), "220 hi\r\n502 no\r\n250 hello\r\n", "220 hi\r\n\(offer)454 4.7.0 not now\r\n",
        "220 hi\r\n\(offer)501 no\r\n",
    ]

    @Test("where it cannot be had", arguments: refusals)
    func withoutTLS(_ replies: String) {
        let opportunistic = Self.dialogue(.opportunistic)
        #expect(opportunistic.reply(replies).contains("MAIL FROM:<a@a.test>"), "goes on in plain")
        let required = Self.dialogue(.required)
        #expect(!required.reply(replies).contains("MAIL"))
        #expect(required.source.messages.count == 1, "no message was touched")
        guard case .unusable(let report) = required.source.end else { Issue.record("\(String(describing: required.source.end))"); return }
        #expect(report.status == EnhancedStatusCode(4, 7, 4))
    }

    private static let failures: [@Sendable (Dialogue) -> Void] = [
        { _ = $0.reply("x") }, { _ = $0.reply("nonsense") }, { $0.driver.receiveEndOfInput() }, { $0.driver.reset() },
        { $0.driver.advance(by: .seconds(11)) },
    ]

    @Test("a handshake that fails ends the session, and says whether to go on without", arguments: 0..<6)
    func handshakeFails(_ way: Int) {
        for policy in [Policy.opportunistic, .required, .implicit] {
            let dialogue = way < 5 ? Self.dialogue(policy) : Self.dialogue(policy) { throw NoLayer() }
            if policy != .implicit { _ = dialogue.reply("220 hi\r\n" + Self.offer + "220 go\r\n") }
            if way < 5 { Self.failures[way](dialogue) }
            dialogue.driver.advance(by: .seconds(5))
            #expect(dialogue.driver.closed != nil)
            #expect(dialogue.source.messages.count == 1 && dialogue.source.outcomes.isEmpty)
            switch dialogue.source.end {
            case .tlsFailed(let report): #expect(policy == .opportunistic && report.status == EnhancedStatusCode(4, 7, 5))
            case .unusable(let report): #expect(policy != .opportunistic && report.status == EnhancedStatusCode(4, 7, 5))
            default: Issue.record("\(String(describing: dialogue.source.end))")
            }
        }
    }

    @Test func stoppingInTheMiddleSendsNoCommand() {
        for replies in ["220 hi\r\n" + Self.offer, "220 hi\r\n" + Self.offer + "220 go\r\n"] {
            let dialogue = Self.dialogue(.opportunistic)
            _ = dialogue.reply(replies)
            dialogue.driver.stop()
            #expect(!dialogue.reply("").contains("QUIT") && dialogue.source.messages.count == 1)
            guard case .unusable = dialogue.source.end else { Issue.record("\(String(describing: dialogue.source.end))"); continue }
        }
    }

    @Test func replies421EndTheSessionAnywhere() {
        for step in 0..<7 {
            let replies = ["220 hi\r\n", Dialogue.offering(""), "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n"]
            let dialogue = Dialogue()
            for reply in replies.prefix(step) { _ = dialogue.reply(reply) }
            _ = dialogue.reply("421 4.3.2 going down\r\n")
            #expect(dialogue.driver.closed == .finished)
            if step == 6 { #expect(dialogue.source.end == .finished); continue }
            guard case .unusable(let report) = dialogue.source.end else { Issue.record("step \(step)"); continue }
            #expect(report.status == EnhancedStatusCode(4, 3, 2) && report.text == "421 4.3.2 going down")
            #expect(dialogue.source.outcomes == (step < 2 || step > 5 ? [] : [[.deferred("421 4.3.2 going down")]]), "step \(step)")
        }
    }

    @Test func reportsNameWhoSaidIt() {
        var options = SMTPClientOptions()
        options.remoteName = "mx.next.test"
        let (dialogue, _) = Dialogue.ready([outgoing()], "DSN", options: options)
        _ = dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n")
        _ = dialogue.reply("250 2.0.0 taken\r\n")
        let report = DeliveryReport(
            status: EnhancedStatusCode(2, 0, 0), text: "250 2.0.0 taken", remote: "mx.next.test", notifiesOnward: true)
        #expect(dialogue.source.reports == [[report]])
        let (other, _) = Dialogue.ready()
        _ = other.reply("550 5.7.1 no\r\n")
        #expect(other.source.reports[0][0].remote == "127.0.0.1:40000")
    }

    @Test("the transcript has no credentials") func transcript() throws {
        final class Shown: Sendable {
            let lines = Mutex<[SMTPTranscriptLine]>([])
        }
        let shown = Shown()
        var options = SMTPClientOptions()
        options.credentials = SMTPCredentials(user: "user", password: "secret")
        options.authenticatesInPlain = true
        options.transcript = { line in shown.lines.withLock { $0.append(line) } }
        for offer in ["AUTH PLAIN", "AUTH LOGIN", "AUTH SCRAM-SHA-256"] {
            let (dialogue, _) = Dialogue.ready([outgoing()], offer, options: options)
            if offer == "AUTH LOGIN" { _ = dialogue.reply("334 VXNlcm5hbWU6\r\n") + dialogue.reply("334 UGFzc3dvcmQ6\r\n") }
            if offer != "AUTH SCRAM-SHA-256" {
                _ = dialogue.reply("235 welcome\r\n") + dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n")
            } else {
                _ = dialogue.reply("334 cj1zZWNyZXQ=\r\n")
            }
        }
        let lines = shown.lines.withLock { $0 }
        #expect(lines.contains(.sent("MAIL FROM:<a@a.test>")) && lines.contains(.received("235 welcome")))
        #expect(lines.contains(.sent("AUTH PLAIN (masked)")) && lines.contains(.received("334 (challenge)")))
        let text = "\(lines)"
        let hidden = ["AHVzZXIAc2VjcmV0", "dXNlcg==", "c2VjcmV0", "secret", "cj1zZWNyZXQ="]
        for word in hidden { #expect(!text.contains(word), "\(word)") }
        #expect(!"\(SMTPCredentials(user: "u", password: "secret"))".contains("secret"))
    }
}
