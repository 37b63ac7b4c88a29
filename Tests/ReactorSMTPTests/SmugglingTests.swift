import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Only CRLF.CRLF ends a message; whatever else looks like an end is content, and makes the message unacceptable.
@Suite struct SmugglingTests {
    static let smuggled = "MAIL FROM:<evil@a.test>\r\nRCPT TO:<victim@b.test>\r\nDATA\r\nsmuggled\r\n"

    @Test("ends that are none", arguments: [
        "\n.\n", "\r.\r", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r\n.\r\r\n", "\r\n\u{0}.\r\n\n", "\n\r.\r\n",
        "\r\r\n.\n", "\n\n.\n\n", "\r\r\n.\r\n", "x\n\r\n.\r\n", "\r\n.\n\r\n", "\r\r.\r\n", ".\n", ".\r", "\r\n..\n", "\r\n.\u{0}\n", "\n\r\n.\n",
    ], Feeding.all)
    func falseEnds(_ end: String, _ feeding: Feeding) {
        let session = Session.inData()
        let codes = session.codes("innocent" + end + Self.smuggled + ".\r\nNOOP\r\n", feeding)
        #expect(codes == ["550 5.6.0"], "who wrote it may have seen another end: nothing behind it is executed")
        #expect(session.driver.closed == .finished && session.store.messages.isEmpty)
    }

    @Test("lone CR or LF anywhere", arguments: ["\r", "\n", "a\nb", "a\rb", "\r\r\n", "\n\r\n", "x\n\r", ".\r.", "\r\n\n"], Feeding.all)
    func loneLineBreaks(_ text: String, _ feeding: Feeding) {
        let session = Session.inData()
        #expect(session.codes("before\r\n\(text) after\r\n.\r\nNOOP\r\n", feeding) == ["550 5.6.0"])
        #expect(session.store.messages.isEmpty)
    }

    @Test("a bare line break in a command", arguments: ["NOOP\n", "NO\rOP\r\n", "NOOP\r\r\n", "\n", "NOOP x\ry\n"], Feeding.all)
    func inCommands(_ line: String, _ feeding: Feeding) {
        let session = Session.greeted()
        #expect(session.codes("\(line)\(Self.smuggled).\r\nNOOP\r\n", feeding) == ["550 5.6.0"], "nothing behind it is executed")
        #expect(session.driver.closed == .finished)
        #expect(session.store.messages.isEmpty)
    }

    private static let long = String(repeating: "x", count: 3_000)

    /// What is skipped of a line is read as strictly as the rest.
    @Test("a bare line break in a command that is too long", arguments: [
        "\(long)\n", "\(long)\r\r\n", "\(long)\r\(long)\r\n", "x\r\(long)\r\n", "\(long)\n\(long)\r\n", "\(long)\r\(long)\n",
    ], Feeding.all)
    func inLongCommands(_ line: String, _ feeding: Feeding) {
        let session = Session.greeted()
        #expect(session.codes("\(line)\(Self.smuggled).\r\nNOOP\r\n", feeding) == ["550 5.6.0"], "nothing behind it is executed")
        #expect(session.driver.closed == .finished && session.store.messages.isEmpty)
    }

    @Test("content that is fine", arguments: [
        ("", ""), ("..\r\n", ".\r\n"), ("...\r\n", "..\r\n"), (". \r\n", "\r\n \r\n"), (".a\r\n", "a\r\n"),
        ("a.\r\n", "a.\r\n"), ("a\r\n..b\r\n.c\r\n", "a\r\n.b\r\nc\r\n"), ("\r\n\r\n", "\r\n\r\n"), ("a\u{0}b\r\n", "a\u{0}b\r\n"),
        ("\u{E9}\u{1F600}\r\n", "\u{E9}\u{1F600}\r\n"), (String(repeating: "long ", count: 2_000) + "\r\n", String(repeating: "long ", count: 2_000) + "\r\n"),
    ], Feeding.all)
    func contents(_ content: (sent: String, stored: String), _ feeding: Feeding) {
        let (sent, stored) = content
        let session = Session.inData()
        #expect(session.codes("\(sent).\r\nNOOP\r\n", feeding) == ["250 2.0.0", "250 2.0.0"])
        #expect(session.store.bodies == [stored])
    }

    /// Every text of four of the characters that matter, against the rule written down another way.
    @Test func allShortContents() {
        let characters = Array("\r\n.x".utf8)
        for code in 0..<4096 {
            let text = (0..<6).map { characters[code >> (2 * $0) & 3] }
            let bytes = text + Array("y\r\n.\r\n".utf8)
            let expected = reference(bytes)
            for feeding in [Feeding.whole, .byteByByte] {
                let session = Session.inData()
                feeding.feed(bytes, to: session.driver)
                let first = session.output().prefix(3)
                if let expected {
                    #expect(first == "250", "\(text)")
                    #expect(session.store.bodies.first == String(decoding: expected, as: UTF8.self), "\(text)")
                } else {
                    #expect(first == "550", "\(text)")
                    #expect(session.store.messages.isEmpty)
                }
            }
        }
    }

    /// The content up to its end, or nil if it is malformed.
    private func reference(_ bytes: [UInt8]) -> [UInt8]? {
        var text = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { $0 }[...]
        text = ("\r\n".unicodeScalars.map { $0 } + text)[...]
        let end: [UnicodeScalar] = ["\r", "\n", ".", "\r", "\n"]
        var index = 0
        while Array(text[index..<index + 5]) != end { index += 1 }
        let content = Array(text[..<(index + 2)])
        var result: [UInt8] = []
        for (at, scalar) in content.enumerated() {
            if scalar == "\n" && (at == 0 || content[at - 1] != "\r") { return nil }
            if scalar == "\r" && (at + 1 == content.count || content[at + 1] != "\n") { return nil }
            if scalar == "." && at >= 2 && content[at - 1] == "\n" && content[at - 2] == "\r" { continue }
            result.append(UInt8(scalar.value))
        }
        return Array(result.dropFirst(2))
    }
}
