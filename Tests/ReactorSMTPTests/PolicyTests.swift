import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// What an embedder decides at each step.
@Suite(.timeLimit(.minutes(40))) struct PolicyTests {
    /// Writes down what it is asked, and says what it was told to say.
    private final class Script: SMTPServerPolicy {
        let decisions: [String: SMTPDecision]
        let isAsync: Bool
        let asked = Mutex<[String]>([])

        init(_ decisions: [String: SMTPDecision] = [:], isAsync: Bool) {
            self.decisions = decisions
            self.isAsync = isAsync
        }

        private func say(_ step: String, _ what: String, _ session: SMTPSession) -> SMTPDecision {
            asked.withLock { $0.append("\(step) \(what) \(session.hello ?? "-") \(session.isExtended)") }
            let decision = decisions[step] ?? .accept
            if !isAsync { return decision }
            return .pending {
                await Task.yield()
                return .pending { decision }
            }
        }

        func connected(_ session: SMTPSession) -> SMTPDecision { say("connect", "\(session.peer)", session) }
        func greeted(_ session: SMTPSession) -> SMTPDecision { say("hello", "", session) }
        func sender(of envelope: Envelope, in session: SMTPSession) -> SMTPDecision { say("mail", envelope.sender, session) }
        func recipient(_ recipient: Envelope.Recipient, of envelope: Envelope, in session: SMTPSession) -> SMTPDecision {
            say("rcpt", "\(recipient.address)+\(envelope.recipients.count)", session)
        }
        func message(_ envelope: Envelope, _ content: MessageContent, in session: SMTPSession) -> SMTPDecision {
            var bytes: [UInt8] = []
            try? content.read(from: 0, upTo: content.size, into: &bytes)
            return say("message", withoutTrace(bytes).replacing("\r\n", with: "|"), session)
        }
    }

    private func options(_ policy: any SMTPServerPolicy) -> SMTPServerOptions {
        var options = SMTPServerOptions()
        options.policy = policy
        return options
    }

    private static let all =
        "EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<c@c.test>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n"

    @Test("every step, pipelined", arguments: [false, true], Feeding.all)
    func everyStep(_ isAsync: Bool, _ feeding: Feeding) {
        let policy = Script(isAsync: isAsync)
        let session = Session(options: options(policy))
        // A pending connection is greeted once what came before was looked at.
        session.driver.advance(by: .zero)
        #expect(session.output() == "220 mx.test ESMTP ready\r\n")
        let codes = session.codes(Self.all, feeding)
        #expect(codes == ["250", "250 2.1.0", "250 2.1.5", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"])
        #expect(
            policy.asked.withLock { $0 } == [
                "connect 127.0.0.1:40000 - false", "hello  a.test true", "mail a@a.test a.test true", "rcpt b@b.test+0 a.test true",
                "rcpt c@c.test+1 a.test true", "message hello| a.test true",
            ])
        #expect(session.store.messages.count == 1)
    }

    @Test("its own words", arguments: [
        ("hello", "not you", ["550 5.7.1 not you", "503 5.5.1", "503 5.5.1", "503 5.5.1", "503 5.5.1"], true),
        ("mail", "not from you", ["250 HELP", "550 5.7.1 not from you", "503 5.5.1", "503 5.5.1", "503 5.5.1"], true),
        ("rcpt", "no such user", ["250 HELP", "250 2.1.0", "550 5.7.1 no such user", "550 5.7.1 no such user", "554 5.5.1"], true),
        ("message", "spam", ["250 HELP", "250 2.1.0", "250 2.1.5", "250 2.1.5", "354", "550 5.7.1 spam", "221"], false),
    ], [false, true])
    func itsOwnWords(_ given: (step: String, text: String, replies: [String], isCut: Bool), _ isAsync: Bool) {
        let session = Session(options: options(Script([given.step: .refuse(given.text)], isAsync: isAsync)))
        session.driver.advance(by: .zero)
        _ = session.output()
        // Where DATA is refused, what would follow it is not sent.
        let input = given.isCut ? Self.all.replacing("hello\r\n.\r\nQUIT\r\n", with: "") : Self.all
        let replies = session.exchange(input).split(separator: "\r\n").filter { !$0.dropFirst(3).hasPrefix("-") }
        #expect(replies.count == given.replies.count)
        for (reply, expected) in zip(replies, given.replies) { #expect(reply.hasPrefix(expected)) }
        #expect(session.store.messages.isEmpty)
    }

    @Test("for now", arguments: [false, true])
    func postponed(_ isAsync: Bool) {
        let session = Session(options: options(Script(["rcpt": .postpone("come back", code: 451, status: .init(4, 7, 1))], isAsync: isAsync)))
        session.driver.advance(by: .zero)
        #expect(session.exchange("EHLO a.test\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.test>\r\n").hasSuffix("\r\n451 4.7.1 come back\r\n"))
    }

    @Test("the connection", arguments: [false, true])
    func theConnection(_ isAsync: Bool) {
        let refused = Session(options: options(Script(["connect": .refuse("go away", code: 554)], isAsync: isAsync)))
        #expect(refused.output() == "554 5.7.1 go away\r\n")
        let chunk = "BDAT 6\r\nQUIT\r\n"
        #expect(refused.codes("EHLO a.test\r\nMAIL FROM:<>\r\n\(chunk)NOOP\r\n") == ["503 5.5.1", "503 5.5.1", "503 5.5.1", "503 5.5.1"])
        let polite = Session(options: options(Script(["connect": .refuse("go away", code: 554)], isAsync: isAsync)))
        #expect(polite.codes("QUIT\r\n").last == "221 2.0.0")
        for (code, kind) in [(421, 4), (521, 5), (450, 4)] {
            let refusal = SMTPRefusal(code: code, status: .init(UInt16(kind), 7, 1), text: "no")
            let closed = Session(options: options(Script(["connect": .refuse(refusal)], isAsync: isAsync)))
            #expect(closed.output() == "\(code) \(kind).7.1 no\r\n")
            #expect(closed.driver.closed == .finished)
        }
    }

    @Test("a refusal that ends the session", arguments: [false, true])
    func endsTheSession(_ isAsync: Bool) {
        let session = Session(options: options(Script(["mail": .postpone("enough", code: 421)], isAsync: isAsync)))
        session.driver.advance(by: .zero)
        _ = session.output()
        #expect(session.codes("EHLO a.test\r\nMAIL FROM:<>\r\nNOOP\r\n") == ["250", "421 4.7.1"])
        #expect(session.driver.closed == .finished)
    }

    @Test func aTextIsOneLine() {
        let refusal = SMTPRefusal(code: 550, status: .init(5, 7, 1), text: "a\r\n250 2.0.0 b\u{E9}\u{0}" + String(repeating: "x", count: 1_000))
        #expect(refusal.text.hasPrefix("a??250 2.0.0 b???x") && refusal.text.utf8.count == 480)
        let session = Session(options: options(Script(["mail": .refuse(refusal)], isAsync: false)))
        let reply = session.exchange("EHLO a.test\r\nMAIL FROM:<>\r\n").split(separator: "\r\n").last
        #expect(reply.map { $0.utf8.count } == 490)
    }

    @Test("what follows a decision has its own time", arguments: [SMTPDecision.accept, .refuse("no")])
    func timeBehindADecision(_ decision: SMTPDecision) {
        let session = Session(options: options(Script(["mail": decision], isAsync: true)))
        session.driver.advance(by: .zero)
        session.exchange("EHLO a.test\r\nMAIL FROM:<>\r\n")
        session.driver.advance(by: .seconds(299))
        #expect(session.driver.closed == nil)
        session.driver.advance(by: .seconds(1))
        #expect(session.output() == "421 4.4.2 no command in time\r\n")
    }

    private struct Failing: SMTPServerPolicy {
        func sender(of envelope: Envelope, in session: SMTPSession) -> SMTPDecision { .pending { throw MessageStoreError.failed("down") } }
    }

    @Test func whatThrowsIsTriedAgain() {
        let session = Session(options: options(Failing()))
        #expect(session.codes("EHLO a.test\r\nMAIL FROM:<>\r\nNOOP\r\n").suffix(2) == ["451 4.3.0", "250 2.0.0"])
    }
}
