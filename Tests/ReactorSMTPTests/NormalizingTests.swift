import ConnectionHandling
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Line ends that stand alone, from networks that may send them.
@Suite struct NormalizingTests {
    private static var options: SMTPServerOptions {
        var options = SMTPServerOptions()
        options.normalizing = CIDR.loopback
        return options
    }

    @Test("contents", arguments: [
        ("a\nb\r\n", "a\r\nb\r\n"), ("a\rb\r\n", "a\r\nb\r\n"), ("\n\n", "\r\n\r\n"), ("a\r\r\nb\r\n", "a\r\n\r\nb\r\n"),
        ("a\n\r\n", "a\r\n\r\n"), ("a\n.b\n", "a\r\n.b\r\n"), ("a\n..b\n", "a\r\n.b\r\n"), ("a\n.\nb\r\n", "a\r\n.\r\nb\r\n"),
        ("a\n.\r\nb\r\n", "a\r\n.\r\nb\r\n"), ("a\r\n.\nb\r\n", "a\r\n\r\nb\r\n"), ("a\r\n..\n", "a\r\n.\r\n"), ("\r\n", "\r\n"),
        ("a\r\n..b\r\n.c\r\n", "a\r\n.b\r\nc\r\n"), ("\u{0}\n\u{E9}\n", "\u{0}\r\n\u{E9}\r\n"),
    ], Feeding.all)
    func contents(_ content: (sent: String, stored: String), _ feeding: Feeding) {
        let session = Session.inData(options: Self.options)
        // After a bare LF the end is not one, so an empty line is sent first.
        let codes = session.codes("\(content.sent)\r\n.\r\nNOOP\r\n", feeding)
        #expect(codes == ["250 2.0.0", "250 2.0.0"])
        #expect(session.store.bodies == [content.stored + "\r\n"])
    }

    @Test("only CRLF.CRLF ends a message", arguments: ["\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n.\r", "\r.\r\n"], Feeding.all)
    func falseEnds(_ end: String, _ feeding: Feeding) {
        let session = Session.inData(options: Self.options)
        #expect(session.codes("innocent\(end)\(SmugglingTests.smuggled)\r\n.\r\nNOOP\r\n", feeding) == ["250 2.0.0", "250 2.0.0"])
        #expect(session.store.messages.count == 1)
        // Nor is there one in what is stored, as it would be sent on.
        #expect(session.store.bodies.first?.contains("smuggled") == true)
    }

    @Test("commands", arguments: Feeding.all)
    func commands(_ feeding: Feeding) {
        let session = Session.greeted(options: Self.options)
        #expect(session.codes("NOOP\nMAIL FROM:<a@a.test>\nRSET\r\n", feeding) == ["250 2.0.0", "250 2.1.0", "250 2.0.0"])
        #expect(session.codes("NO\rOP\nNOOP\r\n", feeding) == ["550 5.6.0"], "a CR in it is no line's end")
        #expect(session.driver.closed == .finished)
    }

    @Test func notFromOthers() {
        func session() -> Session {
            .greeted(peer: .ipv4(0x0A00_0001, port: 9), relay: RelayPolicy(allowed: [], domains: ["b.test"]), options: Self.options)
        }
        let content = "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\na\nb\r\n.\r\n"
        #expect(session().codes(content) == ["250 2.1.0", "250 2.1.5", "354", "550 5.6.0"])
        #expect(session().codes("NOOP\n") == ["550 5.6.0"])
    }
}
