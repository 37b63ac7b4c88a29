import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// CHUNKING and BINARYMIME (RFC 3030). BDAT always consumes what it announced, and has one reply.
@Suite struct ChunkingTests {
    static let begin = "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n"
    static let begun = ["250 2.1.0", "250 2.1.5"]

    private func chunk(_ text: String, last: Bool = false) -> String { "BDAT \(text.utf8.count)\(last ? " LAST" : "")\r\n\(text)" }

    @Test("a message in chunks", arguments: [
        [""], ["whole\r\n"], ["a", "b"], ["one\r", "\ntwo\r\n"], ["", "x\r\n", ""], ["Subject: x\r\n\r\n", ".\r\n..\r\n", "end"],
        ["\r\n.\r\n", "DATA\r\n", "RSET\r\n"],
    ], Feeding.all)
    func inChunks(_ parts: [String], _ feeding: Feeding) {
        let session = Session.greeted()
        var input = Self.begin
        for (index, part) in parts.enumerated() { input += chunk(part, last: index == parts.count - 1) }
        let codes = session.codes(input + "NOOP\r\n", feeding)
        #expect(codes == Self.begun + Array(repeating: "250 2.0.0", count: parts.count + 1))
        #expect(session.store.bodies == [parts.joined()])
    }

    @Test("what stands in a refused chunk is not executed", arguments: [
        ("", "503 5.5.1"), ("MAIL FROM:<a@a.test>\r\n", "554 5.5.1"),
        ("MAIL FROM:<a@a.test>\r\nRCPT TO:<bad>\r\n", "554 5.5.1"),
    ], Feeding.all)
    func refused(_ before: (commands: String, code: String), _ feeding: Feeding) {
        let session = Session.greeted()
        session.exchange(before.commands)
        let smuggled = SmugglingTests.smuggled + "\r\n.\r\n"
        #expect(session.codes(chunk(smuggled, last: true) + "NOOP\r\n", feeding) == [before.code, "250 2.0.0"])
        #expect(session.codes(chunk("") + "NOOP\r\n", feeding) == [before.code, "250 2.0.0"], "an empty one, too")
        #expect(session.store.messages.isEmpty)
    }

    @Test func dataAndChunksDoNotMix() {
        let session = Session.greeted()
        let codes = session.codes(
            Self.begin + chunk("part\r\n") + "DATA\r\nRCPT TO:<c@b.test>\r\nMAIL FROM:<a@a.test>\r\n" + chunk("rest\r\n", last: true))
        #expect(codes == Self.begun + ["250 2.0.0", "503 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0"])
        #expect(session.store.bodies == ["part\r\nrest\r\n"])
        #expect(session.store.messages.first?.envelope.recipients.count == 1)
    }

    @Test("a message that is given up between chunks", arguments: ["RSET\r\n", "EHLO again.test\r\n"])
    func reset(_ command: String) {
        let session = Session.greeted()
        session.exchange(Self.begin + chunk("part\r\n") + command)
        #expect(session.codes(chunk("rest\r\n", last: true)) == ["503 5.5.1"])
        #expect(session.codes(Self.begin + chunk("other\r\n", last: true)) == Self.begun + ["250 2.0.0"])
        #expect(session.store.bodies == ["other\r\n"])
    }

    @Test("arguments", arguments: ["BDAT", "BDAT x", "BDAT -1", "BDAT 1 2", "BDAT LAST", "BDAT 1 LAST LAST", "BDAT 1LAST", "BDAT 0x5", "BDAT +5"])
    func badArguments(_ command: String) {
        // Where its chunk ends nobody knows: nothing behind it is executed.
        let session = Session.greeted()
        session.exchange(Self.begin)
        #expect(session.codes("\(command)\r\nRSET\r\nNOOP\r\n") == ["501 5.5.4"])
        #expect(session.driver.closed == .finished)
    }

    @Test("a chunk's arguments in other ways", arguments: ["bdat 3 last", "BDAT  3  LAST ", "BDAT 0003 LaSt"])
    func arguments(_ command: String) {
        let session = Session.greeted()
        #expect(session.codes("\(Self.begin)\(command)\r\nx\r\n") == Self.begun + ["250 2.0.0"])
    }

    @Test("bare line breaks in chunks", arguments: ["a\nb\r\n", "a\rb\r\n", "a\r", "\n", "\r\r\n"], Feeding.all)
    func bareLineBreaks(_ text: String, _ feeding: Feeding) {
        let session = Session.greeted()
        #expect(session.codes(Self.begin + chunk(text, last: true) + "NOOP\r\n", feeding) == Self.begun + ["550 5.6.0", "250 2.0.0"])
        // Parted at each place.
        for cut in 1..<max(text.utf8.count, 2) where cut < text.utf8.count {
            let session = Session.greeted()
            let front = String(decoding: Array(text.utf8)[..<cut], as: UTF8.self)
            let back = String(decoding: Array(text.utf8)[cut...], as: UTF8.self)
            let codes = session.codes(Self.begin + chunk(front) + chunk(back, last: true), feeding)
            #expect(codes.last == "550 5.6.0" || codes.suffix(2) == ["550 5.6.0", "503 5.5.1"], "\(codes)")
            #expect(session.store.messages.isEmpty)
        }
    }

    @Test("a binary content", arguments: Feeding.all)
    func binary(_ feeding: Feeding) throws {
        let session = Session.greeted()
        session.exchange("MAIL FROM:<a@a.test> BODY=BINARYMIME\r\nRCPT TO:<b@b.test>\r\n")
        #expect(session.codes("DATA\r\n") == ["503 5.5.1"], "not by DATA")
        let content = Array("Content-Transfer-Encoding: binary\r\n\r\n".utf8) + (0...255).map { UInt8($0) } + Array("\n.\r\n.\n".utf8)
        feeding.feed(Array("BDAT \(content.count) LAST\r\n".utf8) + content, to: session.driver)
        #expect(session.output().hasPrefix("250 2.0.0 queued"))
        let (envelope, stored) = try #require(session.store.messages.first)
        #expect(envelope.body == .binaryMIME)
        #expect(stored.suffix(content.count) == content[...])
    }

    @Test("a message's size in chunks", arguments: Feeding.all)
    func size(_ feeding: Feeding) {
        var limits = SMTPServerLimits()
        limits.messageSize = 1_000
        let text = String(repeating: "0123456\r\n", count: 111)  // 999
        let session = Session.greeted(limits: limits)
        #expect(session.codes(Self.begin + chunk(text) + chunk("x", last: true), feeding) == Self.begun + ["250 2.0.0", "250 2.0.0"])
        let codes = session.codes(Self.begin + chunk(text) + chunk("xy") + chunk("z", last: true) + "NOOP\r\n", feeding)
        #expect(codes == Self.begun + ["250 2.0.0", "552 5.3.4", "503 5.5.1", "250 2.0.0"])
        #expect(session.store.messages.count == 1)
    }

    @Test func aChunkThatNobodyWaitsFor() {
        var limits = SMTPServerLimits()
        limits.messageSize = 1_000
        limits.discardedData = 5_000
        let within = Session.greeted(limits: limits)
        #expect(within.codes(Self.begin + chunk(String(repeating: "x", count: 5_000)) + "NOOP\r\n") == Self.begun + ["552 5.3.4", "250 2.0.0"])
        let past = Session.greeted(limits: limits)
        #expect(past.codes(Self.begin + "BDAT 5001 LAST\r\nNOOP\r\n") == Self.begun + ["552 5.3.4"])
        #expect(past.driver.closed == .finished)
        let huge = Session.greeted(limits: limits)
        #expect(huge.codes(Self.begin + chunk("x") + "BDAT 99999999999999999999 LAST\r\nNOOP\r\n") == Self.begun + ["250 2.0.0", "552 5.3.4"])
    }

    @Test func chunksOfNothingAreNoProgress() {
        let session = Session.greeted()
        session.exchange(Self.begin)
        // EHLO was one, too.
        for _ in 0..<99 { #expect(session.codes("BDAT 0\r\n") == ["250 2.0.0"]) }
        #expect(session.codes("BDAT 0\r\n") == ["421 4.7.0"])
        #expect(session.driver.closed == .finished)
    }

    @Test("a chunk that does not come", arguments: [true, false])
    func stalls(_ isRefused: Bool) {
        let session = Session.greeted()
        if !isRefused { session.exchange(Self.begin) }
        session.exchange("BDAT 100\r\nhalf")
        session.driver.advance(by: isRefused ? .seconds(3_599) : .seconds(299))
        #expect(session.driver.closed == nil)
        session.driver.advance(by: .seconds(1))
        #expect(session.output() == "421 4.4.2 message not sent in time\r\n")
        #expect(session.driver.closed == .finished)
    }

    @Test func contentBetweenChunksHasTheWholeMessagesTime() {
        var limits = SMTPServerLimits()
        limits.wholeMessage = .seconds(400)
        let session = Session.greeted(limits: limits)
        session.exchange(Self.begin + chunk("part\r\n"))
        session.driver.advance(by: .seconds(250))
        session.exchange("NOOP\r\n")
        session.driver.advance(by: .seconds(149))
        #expect(session.driver.closed == nil)
        session.driver.advance(by: .seconds(1))
        #expect(session.output() == "421 4.4.2 message not sent in time\r\n")
    }

    @Test("the peer goes away in a chunk") func truncated() {
        let session = Session.greeted()
        session.exchange(Self.begin + "BDAT 10 LAST\r\nhalf")
        session.driver.receiveEndOfInput()
        #expect(session.driver.closed == .finished)
        #expect(session.store.messages.isEmpty)
    }

    @Test("a service that stops between chunks") func stopping() {
        let session = Session.greeted()
        session.exchange(Self.begin + chunk("part\r\n"))
        session.driver.stop()
        #expect(session.driver.closed == nil)
        #expect(session.codes(chunk("rest\r\n", last: true)) == ["250 2.0.0", "421 4.3.2"])
        #expect(session.store.messages.count == 1)
    }
}
