import ConnectionHandling
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// The parameters of MAIL and RCPT that extensions bring: DSN (RFC 3461), SMTPUTF8 (RFC 6531), AUTH (RFC 4954).
@Suite struct ParameterTests {
    @Test("DSN in MAIL", arguments: [
        ("RET=FULL", "250 2.1.0"), ("ret=hdrs ENVID=QQ314159", "250 2.1.0"), ("ENVID=a+20b+2B+3D", "250 2.1.0"),
        ("RET=BODY", "501 5.5.4"), ("RET=", "501 5.5.4"), ("RET", "501 5.5.4"), ("RET=FULL RET=FULL", "501 5.5.4"),
        ("ENVID=", "501 5.5.4"), ("ENVID=a+2b", "501 5.5.4"), ("ENVID=a+", "501 5.5.4"), ("ENVID=a+2", "501 5.5.4"),
        ("ENVID=a=b", "501 5.5.4"), ("ENVID=a+0D+0A", "501 5.5.4"), ("ENVID=a+E9", "501 5.5.4"), ("ENVID=\u{E9}", "501 5.5.4"),
        ("ENVID=a ENVID=b", "501 5.5.4"), ("ENVID=\(String(repeating: "x", count: 100))", "250 2.1.0"),
        ("ENVID=\(String(repeating: "x", count: 101))", "501 5.5.4"),
        ("AUTH=<>", "250 2.1.0"), ("AUTH=a+40b.test", "250 2.1.0"), ("AUTH=e+3Dmc2@example.com", "250 2.1.0"),
        ("AUTH=nobody", "501 5.5.4"), ("AUTH=", "501 5.5.4"), ("AUTH=<> AUTH=<>", "501 5.5.4"),
        ("SMTPUTF8", "250 2.1.0"), ("SMTPUTF8=YES", "501 5.5.4"), ("SMTPUTF8=", "501 5.5.4"), ("SMTPUTF8 SMTPUTF8", "501 5.5.4"),
        ("SIZE=1 BODY=8BITMIME RET=FULL ENVID=x SMTPUTF8 AUTH=<>", "250 2.1.0"), ("XYZZY", "555 5.5.4"), ("=", "555 5.5.4"),
    ])
    func mail(_ parameters: String, _ code: String) {
        #expect(Session.greeted().codes("MAIL FROM:<a@a.test> \(parameters)\r\n") == [code])
    }

    @Test("DSN in RCPT", arguments: [
        ("NOTIFY=NEVER", "250 2.1.5"), ("notify=success,FAILURE,Delay", "250 2.1.5"), ("NOTIFY=DELAY", "250 2.1.5"),
        ("NOTIFY=", "501 5.5.4"), ("NOTIFY", "501 5.5.4"), ("NOTIFY=NEVER,FAILURE", "501 5.5.4"), ("NOTIFY=SUCCESS,", "501 5.5.4"),
        ("NOTIFY=,SUCCESS", "501 5.5.4"), ("NOTIFY=ALWAYS", "501 5.5.4"), ("NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"),
        ("ORCPT=rfc822;b+2Bc@b.test", "250 2.1.5"), ("ORCPT=x400;anything", "250 2.1.5"), ("ORCPT=rfc822", "501 5.5.4"),
        ("ORCPT=;b@b.test", "501 5.5.4"), ("ORCPT=rfc822;", "501 5.5.4"), ("ORCPT=rfc822;a+0Ab", "501 5.5.4"),
        ("ORCPT=rf(c;b@b.test", "501 5.5.4"), ("ORCPT=rfc822;\u{E9}@b.test", "501 5.5.4"), ("ORCPT=utf-8;\\x{E9}@b.test", "250 2.1.5"),
        ("ORCPT=utf-8;\u{E9}@b.test", "501 5.5.4"), ("ORCPT=rfc822;x ORCPT=rfc822;x", "501 5.5.4"),
        ("ORCPT=rfc822;\(String(repeating: "x", count: 493))", "250 2.1.5"),
        ("ORCPT=rfc822;\(String(repeating: "x", count: 494))", "501 5.5.4"), ("SMTPUTF8", "555 5.5.4"),
    ])
    func rcpt(_ parameters: String, _ code: String) {
        let session = Session.greeted()
        session.exchange("MAIL FROM:<a@a.test>\r\n")
        #expect(session.codes("RCPT TO:<b@b.test> \(parameters)\r\n") == [code])
    }

    @Test func theEnvelopeKeepsThem() throws {
        let session = Session.greeted()
        session.exchange(
            "MAIL FROM:<a@a.test> RET=HDRS ENVID=QQ+2B1 BODY=8BITMIME SMTPUTF8\r\n"
                + "RCPT TO:<b@b.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+2B@b.test\r\nRCPT TO:<c@b.test> NOTIFY=NEVER\r\n"
                + "RCPT TO:<d@b.test> ORCPT=utf-8;\u{E9}@b.test\r\nDATA\r\nx\r\n.\r\n")
        let envelope = try #require(session.store.messages.first?.envelope)
        #expect(envelope.returnContent == .headers && envelope.envelopeID == "QQ+2B1")
        #expect(envelope.body == .eightBitMIME && envelope.isInternationalized)
        #expect(
            envelope.recipients == [
                .init("b@b.test", notify: [.success, .delay], originalRecipient: "rfc822;B+2B@b.test"),
                .init("c@b.test", notify: .never), .init("d@b.test", originalRecipient: "utf-8;\u{E9}@b.test"),
            ])
    }

    @Test("xtext", arguments: ["", "a", "a+b=c", "a b", "~!@#", "\u{7F}\r\n"])
    func xtext(_ text: String) {
        let encoded = Xtext.encode(text)
        let decoded = Xtext.decode(Array(encoded.utf8).span.bytes)
        #expect(decoded == (text.utf8.allSatisfy { $0 >= 32 && $0 < 127 } ? text : nil))
    }

    // MARK: SMTPUTF8

    @Test("addresses in UTF-8", arguments: [
        "\u{7528}\u{6237}@\u{4F8B}\u{5B50}.test", "\u{E9}@b.test", "b@\u{E9}.test", "\"\u{E9} \u{1F600}\"@b.test",
        "@\u{E9}.test:b@b.test", "b@\(String(repeating: "\u{E9}", count: 59)).test",
    ])
    func addresses(_ address: String) throws {
        let session = Session.greeted()
        #expect(session.codes("MAIL FROM:<\(address)>\r\n").first == (address.hasPrefix("@") ? "250 2.1.0" : "553 5.6.7"))
        session.exchange("RSET\r\n")
        #expect(session.codes("MAIL FROM:<\(address)> SMTPUTF8\r\nRCPT TO:<\(address)>\r\nDATA\r\nx\r\n.\r\n").last == "250 2.0.0")
        let (envelope, content) = try #require(session.store.messages.first)
        let mailbox = address.hasPrefix("@") ? "b@b.test" : address
        #expect(envelope.sender == mailbox && envelope.recipients.map(\.address) == [mailbox])
        #expect(String(decoding: content, as: UTF8.self).contains(" with UTF8SMTP id "))
    }

    @Test func aRecipientNeedsItDeclared() {
        let session = Session.greeted()
        #expect(session.codes("MAIL FROM:<a@a.test>\r\nRCPT TO:<\u{E9}@b.test>\r\n") == ["250 2.1.0", "553 5.6.7"])
    }

    @Test("bytes that are no text", arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC2, 0x85]] as [[UInt8]])
    func malformed(_ bytes: [UInt8]) {
        for path in [("<", "@b.test>"), ("<b@", ".test>"), ("<\"", "\"@b.test>"), ("<@", ".test:b@b.test>")] {
            let session = Session.greeted()
            session.driver.receive(Array("MAIL FROM:\(path.0)".utf8) + bytes + Array("\(path.1) SMTPUTF8\r\n".utf8))
            #expect(session.output().hasPrefix("501 5.1.7"), "\(path)")
        }
    }

    @Test("mailboxes as they may go out", arguments: [("a@b.test", true, true), ("\u{E9}@b.test", false, true), ("a", false, false), ("a@b>", false, false)])
    func mailboxes(_ text: String, _ plain: Bool, _ internationalized: Bool) {
        #expect(MailPath.isMailbox(text) == plain)
        #expect(MailPath.isMailbox(text, orInternationalized: true) == internationalized)
    }
}
