import ConnectionHandling
import Foundation
import ReactorSMTP
import ReactorTesting
import ReactorWire
import TestSupport
import Testing

/// What a transaction carries beside senders, recipients and lines.
@Suite struct TransactionTests {
    private static func recipient(_ address: String, _ notify: Envelope.Notify? = nil, _ original: String? = nil) -> Envelope.Recipient {
        Envelope.Recipient(address, notify: notify, originalRecipient: original)
    }

    // MARK: DSN (RFC 3461)

    @Test func notificationsAreAskedForOnward() {
        let message = outgoing(
            .bytes([]), to: [
                Self.recipient("a@b.test", .never), Self.recipient("b@b.test", [.success, .delay], "rfc822;x+2By@b.test"),
                Self.recipient("c@b.test"), Self.recipient("d@b.test", [.success, .failure, .delay]),
            ], returnContent: .headers, envelopeID: "id+3D1")
        let (_, sent) = Dialogue.ready([message], "PIPELINING,DSN")
        #expect(
            sent == "MAIL FROM:<a@a.test> RET=HDRS ENVID=id+3D1\r\nRCPT TO:<a@b.test> NOTIFY=NEVER\r\n"
                + "RCPT TO:<b@b.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@b.test\r\nRCPT TO:<c@b.test>\r\n"
                + "RCPT TO:<d@b.test> NOTIFY=SUCCESS,FAILURE,DELAY\r\nDATA\r\n")
        let (_, plain) = Dialogue.ready([message], "PIPELINING")
        #expect(!plain.contains("NOTIFY") && !plain.contains("ENVID") && !plain.contains("RET=") && !plain.contains("ORCPT"))
    }

    @Test("what could end the command is left out", arguments: [
        "a b", "a\r\nRSET", "", "a=b", "\u{E9}", "\u{7F}", String(repeating: "x", count: 501),
    ])
    func parametersThatAreNone(_ value: String) {
        let message = outgoing(.bytes([]), to: [Self.recipient("a@b.test", nil, value)], envelopeID: value)
        #expect(Dialogue.ready([message], "DSN").1 == "MAIL FROM:<a@a.test>\r\n")
        let (dialogue, _) = Dialogue.ready([message], "DSN")
        #expect(dialogue.reply("250 ok\r\n") == "RCPT TO:<a@b.test>\r\n")
    }

    @Test("the longest that there may be", arguments: [(100, 500, true), (101, 501, false)])
    func longParameters(_ id: Int, _ original: Int, _ isSent: Bool) {
        let message = outgoing(
            .bytes([]), to: [Self.recipient("a@b.test", nil, String(repeating: "o", count: original))],
            envelopeID: String(repeating: "i", count: id))
        let (_, sent) = Dialogue.ready([message], "DSN,PIPELINING")
        #expect(sent.contains(" ENVID=") == isSent && sent.contains(" ORCPT=") == isSent)
    }

    @Test("delivered onward or not", arguments: [("", false), ("DSN", true)])
    func notifiesOnward(_ offered: String, _ expected: Bool) {
        let (dialogue, _) = Dialogue.ready([outgoing()], offered)
        _ = dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n")
        _ = dialogue.reply("250 taken\r\n")
        #expect(dialogue.source.reports[0][0].notifiesOnward == expected)
    }

    // MARK: SMTPUTF8 (RFC 6531)

    @Test func utf8GoesWhereItIsTaken() {
        let message = outgoing("Subject: \u{E9}\r\n\r\nx\r\n", from: "\u{E9}@\u{E9}.test", to: ["\u{FC}@b.test", "b@b.test"], isInternationalized: true)
        let (_, sent) = Dialogue.ready([message], "SMTPUTF8,8BITMIME,PIPELINING")
        #expect(sent == "MAIL FROM:<\u{E9}@\u{E9}.test> SMTPUTF8\r\nRCPT TO:<\u{FC}@b.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
    }

    @Test("what needs it is refused where it is not offered", arguments: [
        ("\u{E9}@a.test", ["b@b.test", "c@b.test"], "x\r\n", ["5.6.7", "5.6.7"]),
        ("a@a.test", ["\u{FC}@b.test", "c@b.test"], "x\r\n", ["5.6.7", ""]),
        ("a@a.test", ["b@b.test"], "Subject: \u{E9}\r\n\r\n", ["5.6.9"]), ("a@a.test", ["b@b.test"], "A: b\r\n\r\n\u{E9}\r\n", [""]),
        ("a@a.test", ["b@b.test"], "A: b\r\n\r\n", [""]),
    ])
    func utf8IsRefused(_ sender: String, _ recipients: [String], _ content: String, _ expected: [String]) {
        let message = outgoing(content, from: sender, to: recipients, isInternationalized: true)
        let (dialogue, sent) = Dialogue.ready([message], "PIPELINING")
        #expect(sent.components(separatedBy: "RCPT").count - 1 == expected.filter(\.isEmpty).count && !sent.contains("SMTPUTF8"))
        dialogue.driver.receiveEndOfInput()
        let statuses = dialogue.source.reports[0].map { $0.status.kind == 5 ? "\($0.status)" : "" }
        #expect(statuses == expected)
    }

    @Test func utf8AddressesWithoutTheFlagAreNone() {
        let (dialogue, _) = Dialogue.ready([outgoing(to: ["\u{E9}@b.test"])], "SMTPUTF8")
        #expect("\(dialogue.source.reports[0][0].status)" == "5.6.7")
        for evil in ["\u{E9}@b.test> SIZE=1", "\u{E9}\r\nRSET@b.test", "\u{E9} @b.test", "\u{E9}"] {
            let (dialogue, _) = Dialogue.ready([outgoing(to: [evil], isInternationalized: true)], "SMTPUTF8")
            #expect("\(dialogue.source.reports[0][0].status)" == "5.1.3")
        }
    }

    // MARK: BINARYMIME and BDAT (RFC 3030)

    @Test("binary goes by BDAT", arguments: Feeding.all) func bdat(_ feeding: Feeding) {
        let content: [UInt8] = Array("a\nb\r.\r\n.\r\n".utf8) + [0, 255]
        let message = outgoing(.bytes(content), to: [.init("b@b.test"), .init("c@b.test")], body: .binaryMIME)
        let (dialogue, sent) = Dialogue.ready([message, outgoing()], "BINARYMIME,CHUNKING,8BITMIME,PIPELINING")
        #expect(sent == "MAIL FROM:<a@a.test> BODY=BINARYMIME\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<c@b.test>\r\n")
        feeding.feed(Array("250 ok\r\n550 no\r\n250 ok\r\n".utf8), to: dialogue.driver)
        let output: [UInt8] = dialogue.driver.takeOutput()
        #expect(output == Array("BDAT 12 LAST\r\n".utf8) + content)
        #expect(dialogue.reply("250 taken\r\n", feeding).hasPrefix("MAIL FROM:<a@a.test>\r\nRCPT"))
        #expect(dialogue.source.outcomes == [[.failed("550 no"), .delivered("250 taken")]])
    }

    @Test func nobodyGetsABinaryMessageInVain() {
        let message = outgoing(.bytes([0]), body: .binaryMIME)
        let (dialogue, _) = Dialogue.ready([message], "BINARYMIME,CHUNKING,PIPELINING")
        #expect(dialogue.reply("250 ok\r\n550 no\r\n") == "RSET\r\n")
        let (empty, _) = Dialogue.ready([outgoing(.bytes([]), body: .binaryMIME)], "BINARYMIME,CHUNKING")
        #expect(empty.reply("250 ok\r\n250 ok\r\n") == "RCPT TO:<b@b.test>\r\nBDAT 0 LAST\r\n")
        #expect(empty.reply("250 taken\r\n") == "QUIT\r\n")
    }

    private static let binaries: [(String, String, String)] = [
        ("\u{0}\r\n", "8BITMIME", "5.6.3"), ("a\nb", "8BITMIME,CHUNKING", "5.6.3"), ("a\nb", "8BITMIME,BINARYMIME", "5.6.3"),
        (String(repeating: "x", count: 999) + "\r\n", "8BITMIME", "5.6.3"), ("\u{E9}\r\n", "", "5.6.3"),
        (String(repeating: "x", count: 998) + "\r\n", "8BITMIME", "MAIL FROM:<a@a.test> BODY=8BITMIME"), ("x\r\n", "", "MAIL FROM:<a@a.test>"),
        ("\u{E9}\r\n", "8BITMIME", "MAIL FROM:<a@a.test> BODY=8BITMIME"),
    ]

    @Test("what is called binary goes as what it is, or not at all", arguments: binaries)
    func binaryDowngrade(_ content: String, _ offered: String, _ expected: String) {
        let (dialogue, sent) = Dialogue.ready([outgoing(content, body: .binaryMIME)], offered)
        if expected.hasPrefix("MAIL") { return #expect(sent == expected + "\r\n") }
        #expect("\(dialogue.source.reports[0][0].status)" == expected)
    }

    // MARK: LMTP (RFC 2033)

    private static var lmtp: SMTPClientOptions {
        var options = SMTPClientOptions()
        options.isLMTP = true
        return options
    }

    @Test("LMTP: an answer for each who was accepted", arguments: Feeding.all) func lmtp(_ feeding: Feeding) {
        let message = outgoing(to: ["a@b.test", "b@b.test", "c@b.test", "d@b.test"])
        let dialogue = Dialogue([message, outgoing()], options: Self.lmtp)
        #expect(dialogue.reply("220 hi\r\n", feeding) == "LHLO client.test\r\n")
        #expect(dialogue.reply(Dialogue.offering("PIPELINING"), feeding).hasSuffix("DATA\r\n"))
        #expect(dialogue.reply("250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n250 ok\r\n354 go\r\n", feeding) == "x\r\n.\r\n")
        #expect(dialogue.reply("250 for a\r\n452 full\r\n", feeding) == "" && dialogue.source.outcomes.isEmpty)
        #expect(dialogue.reply("250 for d\r\n", feeding).hasPrefix("MAIL"))
        #expect(dialogue.source.outcomes == [[.delivered("250 for a"), .failed("550 no"), .deferred("452 full"), .delivered("250 for d")]])
    }

    @Test func whatLMTPHasSaidCounts() {
        for end in [0, 1, 2] {
            let (dialogue, _) = Dialogue.ready([outgoing(to: ["a@b.test", "b@b.test"])], options: Self.lmtp)
            _ = dialogue.reply("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
            _ = dialogue.reply("250 for a\r\n")
            if end == 0 { dialogue.driver.receiveEndOfInput() }
            if end == 1 { _ = dialogue.reply("421 bye\r\n") }
            if end == 2 { dialogue.driver.advance(by: .seconds(600)) }
            #expect(dialogue.source.outcomes.first?.first == .delivered("250 for a"))
            guard case .deferred = dialogue.source.outcomes.first?.last else { Issue.record("\(dialogue.source.outcomes)"); continue }
        }
    }

    @Test func lmtpHasNoHELO() {
        let dialogue = Dialogue(options: Self.lmtp)
        _ = dialogue.reply("220 hi\r\n")
        #expect(dialogue.reply("500 what\r\n") == "" && dialogue.driver.closed == .finished)
    }

    // MARK: DATA in one group with the rest (RFC 2920)

    @Test("a server that takes content for nobody gets an empty one", arguments: ["250 taken\r\n", "554 no recipients\r\n"])
    func contentForNobody(_ verdict: String) {
        let (dialogue, _) = Dialogue.ready([outgoing("secret\r\n"), outgoing(from: "next@a.test")], "PIPELINING")
        #expect(dialogue.reply("250 ok\r\n550 no\r\n") == "")
        #expect(dialogue.source.outcomes == [[.failed("550 no")]])
        #expect(dialogue.reply("354 go\r\n") == ".\r\n")
        #expect(dialogue.reply(verdict).hasPrefix("MAIL FROM:<next@a.test>"))
        #expect(dialogue.source.outcomes.count == 1, "told once")
    }

    // MARK: Time

    @Test func aMessageHasADeadlineOfItsOwn() {
        var limits = SMTPClientLimits()
        limits.message = .seconds(400)
        let (dialogue, _) = Dialogue.ready([outgoing(to: ["b@b.test", "c@b.test"])], limits: limits)
        dialogue.driver.advance(by: .seconds(299))
        _ = dialogue.reply("250 ok\r\n")
        dialogue.driver.advance(by: .milliseconds(100_999))
        #expect(dialogue.driver.closed == nil)
        dialogue.driver.advance(by: .milliseconds(1))
        #expect(dialogue.driver.closed == .aborted)
        guard case .deferred(let why) = dialogue.source.outcomes[0][0] else { Issue.record(); return }
        #expect(why.hasPrefix("the message took longer than 400"))
    }

    @Test func theLastReplyIsWaitedForBeyondIt() {
        var limits = SMTPClientLimits()
        limits.message = .seconds(10)
        let (dialogue, _) = Dialogue.ready([outgoing(), outgoing()], limits: limits)
        _ = dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n")
        dialogue.driver.advance(by: .seconds(599))
        #expect(dialogue.driver.closed == nil)
        // And each message has its own time.
        #expect(dialogue.reply("250 taken\r\n").hasPrefix("MAIL"))
        dialogue.driver.advance(by: .seconds(9))
        #expect(dialogue.reply("250 ok\r\n") == "RCPT TO:<b@b.test>\r\n")
    }

    // MARK: Contents in files

    private func file(_ content: [UInt8], in directory: TemporaryDirectory) throws -> ContentFile {
        let file = try ContentFile(creating: directory.path + "/content")
        try file.append(content.span.bytes)
        return file
    }

    @Test("a file is sent as its bytes would be, and with little in memory", arguments: [false, true])
    func fromAFile(_ isBinary: Bool) throws {
        let directory = try TemporaryDirectory()
        // Dots at the starts of lines, across whatever pieces it is read in.
        var content = Array(String(repeating: ".\r\n.x\r\n..\r\n\(String(repeating: "y", count: 13))\r\n", count: 120_000).utf8)
        if isBinary { content += [0, 13, 46, 10] }
        let message = outgoing(.file(try file(content, in: directory)), body: isBinary ? .binaryMIME : .sevenBit)
        let source = ListSource([message])
        let driver = TestDriver(SMTPClientHandler(hostname: "client.test", source: source), window: 0)
        driver.setWindow(1_000)
        driver.receive("220 hi\r\n" + Dialogue.offering("BINARYMIME,CHUNKING"))
        driver.receive("250 ok\r\n250 ok\r\n" + (isBinary ? "" : "354 go\r\n"))
        var sent: [UInt8] = driver.takeOutput()
        // More than the limit of waiting output would have ended the connection.
        while driver.closed == nil {
            driver.setWindow(100_000)
            let more: [UInt8] = driver.takeOutput()
            if more.isEmpty { break }
            sent += more
        }
        var expected = Array("EHLO client.test\r\nMAIL FROM:<a@a.test>\(isBinary ? " BODY=BINARYMIME" : "")\r\nRCPT TO:<b@b.test>\r\n".utf8)
        if isBinary {
            expected += Array("BDAT \(content.count) LAST\r\n".utf8) + content
        } else {
            let text = String(decoding: content, as: UTF8.self).replacing("\r\n.", with: "\r\n..")
            expected += Array("DATA\r\n.\(text).\r\n".utf8)
        }
        #expect(sent == expected)
        driver.setWindow(nil)
        driver.receive("250 taken\r\n")
        #expect(source.outcomes == [[.delivered("250 taken")]])
    }

    @Test func aFileThatIsCutIsNotSentShort() throws {
        let directory = try TemporaryDirectory()
        let content = try file(Array(repeating: UInt8(ascii: "x"), count: 2_000_000), in: directory)
        let (dialogue, _) = Dialogue.ready([outgoing(.file(content)), outgoing()])
        _ = dialogue.reply("250 ok\r\n250 ok\r\n")
        #expect(truncate(content.path, 1_000_000) == 0)
        dialogue.driver.setWindow(200_000)
        _ = dialogue.reply("354 go\r\n")
        dialogue.driver.setWindow(nil)
        #expect(dialogue.driver.closed == .aborted && !dialogue.reply("").hasSuffix("\r\n.\r\n"))
        #expect("\(dialogue.source.reports[0][0].status)" == "4.3.0")
        // And one that is short before it is begun.
        let (other, _) = Dialogue.ready([outgoing(.file(content)), outgoing(from: "next@a.test")])
        #expect("\(other.source.reports[0][0].status)" == "4.3.0" && other.source.outcomes.count == 1)
    }
}

/// The facts about a content do not depend on the pieces that it is read in.
@Suite struct ContentFactsTests {
    private static let cases: [(String, bare: Bool, eight: Bool, header: Bool, binary: Bool)] = [
        ("", false, false, false, false), ("\r\n", false, false, false, false), ("a: b\r\n\r\nx\r\n", false, false, false, false),
        ("\n", true, false, false, true), ("\r", true, false, false, true), ("a\r", true, false, false, true), ("\r\r\n", true, false, false, true),
        ("a\r\n\nb", true, false, false, true), ("a\rb\r\n", true, false, false, true), ("a\r\n\r", true, false, false, true),
        ("\r\n\r\n\u{E9}", false, true, false, false), ("a: \u{E9}\r\n\r\n", false, true, true, false), ("a: b\r\n\r\n\u{E9}\r\n", false, true, false, false),
        ("a: b\r\n\u{E9}", false, true, true, false), ("\r\n\u{E9}", false, true, false, false), ("a\u{0}", false, false, false, true),
        (String(repeating: "x", count: 998) + "\r\n", false, false, false, false), (String(repeating: "x", count: 998), false, false, false, false),
        (String(repeating: "x", count: 999), false, false, false, true), (String(repeating: "x", count: 999) + "\r\n", false, false, false, true),
        ("a\r\n" + String(repeating: "x", count: 998) + "\r\nb", false, false, false, false),
    ]

    @Test(arguments: cases.indices, Feeding.all) func facts(_ index: Int, _ feeding: Feeding) {
        let (text, bare, eight, header, binary) = Self.cases[index]
        var facts = ContentFacts()
        for piece in feeding.pieces(of: Array(text.utf8)) { facts.add(Array(piece).span.bytes) }
        facts.end()
        #expect(facts.hasBareLineBreak == bare && facts.has8Bit == eight && facts.has8BitHeader == header && facts.isBinary == binary, "\(text.debugDescription)")
    }

    @Test("pieces at random", arguments: UInt64(1)...200) func random(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet: [[UInt8]] = [[13, 10], [13, 10], [13, 10], [13], [10], [97], [98, 99], [0], [0xE9]]
        let weight = Int.random(in: 3...9, using: &random)
        let content = (0..<40).flatMap { _ in alphabet[Int.random(in: 0..<10, using: &random) < 9 ? Int.random(in: 0..<weight, using: &random) : 5] }
        var pieces = ContentFacts()
        for piece in Feeding.random(seed: seed).pieces(of: content) { pieces.add(Array(piece).span.bytes) }
        pieces.end()
        // The plain way to say it.
        let text = content.map { Character(UnicodeScalar($0)) }
        var bare = false
        for (index, byte) in content.enumerated() {
            if byte == 13, index + 1 == content.count || content[index + 1] != 10 { bare = true }
            if byte == 10, index == 0 || content[index - 1] != 13 { bare = true }
        }
        #expect(pieces.hasBareLineBreak == bare && pieces.has8Bit == content.contains(0xE9), "seed \(seed): \(text)")
        #expect(pieces == ContentFacts.whole(content), "seed \(seed)")
    }
}

extension ContentFacts {
    fileprivate static func whole(_ content: [UInt8]) -> ContentFacts {
        var facts = ContentFacts()
        facts.add(content.span.bytes)
        facts.end()
        return facts
    }
}
