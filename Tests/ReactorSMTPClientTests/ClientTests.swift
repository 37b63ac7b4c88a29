import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

@Suite struct ClientTests {
    @Test("a transaction, one command at a time", arguments: Feeding.all)
    func plain(_ feeding: Feeding) {
        let dialogue = Dialogue([outgoing(".dot\r\n..two\r\nx\r\n", to: ["b@b.test", "c@c.test"])])
        #expect(dialogue.reply("220-hello\r\n220 there\r\n", feeding) == "EHLO client.test\r\n")
        #expect(dialogue.reply("250 next.test\r\n", feeding) == "MAIL FROM:<a@a.test>\r\n")
        #expect(dialogue.reply("250 ok\r\n", feeding) == "RCPT TO:<b@b.test>\r\n")
        #expect(dialogue.reply("250 ok\r\n", feeding) == "RCPT TO:<c@c.test>\r\n")
        #expect(dialogue.reply("251-will\r\n251 forward\r\n", feeding) == "DATA\r\n")
        #expect(dialogue.reply("354 go\r\n", feeding) == "..dot\r\n...two\r\nx\r\n.\r\n")
        #expect(dialogue.source.outcomes.isEmpty, "not before the reply")
        #expect(dialogue.reply("250 2.0.0 taken\r\n", feeding) == "QUIT\r\n")
        #expect(dialogue.source.outcomes == [[.delivered("250 2.0.0 taken"), .delivered("250 2.0.0 taken")]])
        #expect(dialogue.reply("221 bye\r\n", feeding) == "")
        #expect(dialogue.driver.closed == .finished)
        #expect(dialogue.source.end == .finished)
    }

    @Test("extensions", arguments: [
        ("", "MAIL FROM:<a@a.test>\r\n"), ("SIZE", "MAIL FROM:<a@a.test> SIZE=3\r\n"),
        ("size 0,8bitmime", "MAIL FROM:<a@a.test> SIZE=3 BODY=8BITMIME\r\n"),
        ("PIPELINING", "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<c@c.test>\r\nDATA\r\n"),
        ("XUNKNOWN a b,SIZE 3", "MAIL FROM:<a@a.test> SIZE=3\r\n"),
    ])
    func extensions(_ offered: String, _ expected: String) {
        let message = outgoing("x\r\n", to: ["b@b.test", "c@c.test"], body: .eightBitMIME)
        #expect(Dialogue.ready([message], offered).1 == expected)
    }

    @Test func fallsBackToHELO() {
        let dialogue = Dialogue()
        _ = dialogue.reply("220 hi\r\n")
        #expect(dialogue.reply("502 what\r\n") == "HELO client.test\r\n")
        #expect(dialogue.reply("250-SIZE\r\n250 PIPELINING\r\n") == "MAIL FROM:<a@a.test>\r\n")
    }

    @Test("messages that are not sent", arguments: [
        (outgoing("\u{E9}\r\n", body: .eightBitMIME), "", "5.6.3"), (outgoing("xx\r\n"), "SIZE 3", "5.3.4"),
        (outgoing("a\nb\r\n"), "", "5.6.0"), (outgoing("a\rb\r\n"), "", "5.6.0"), (outgoing("a\r\n\r"), "", "5.6.0"),
        (outgoing("a\r\r\n"), "", "5.6.0"), (outgoing(from: "a@a.test>\r\nDATA\r\n"), "", "5.1.7"),
        (outgoing(to: ["b@b.test> X=Y"]), "", "5.1.3"), (outgoing(to: [""]), "", "5.1.3"),
    ])
    func notSent(_ message: OutgoingMessage, _ offered: String, _ code: String) throws {
        let (dialogue, next) = Dialogue.ready([message, outgoing(from: "next@a.test")], offered)
        #expect(next.hasPrefix("MAIL FROM:<next@a.test>"))
        guard case .failed = try #require(dialogue.source.outcomes.first?.first) else {
            Issue.record("not failed: \(dialogue.source.outcomes)")
            return
        }
        #expect("\(dialogue.source.reports[0][0].status)" == code)
    }

    @Test func undeclared8BitContentIsSentAsItCame() {
        let (dialogue, mail) = Dialogue.ready([outgoing("\u{E9}")], "8BITMIME")
        #expect(mail == "MAIL FROM:<a@a.test>\r\n")
        _ = dialogue.reply("250 ok\r\n250 ok\r\n")
        #expect(dialogue.reply("354 go\r\n") == "\u{E9}\r\n.\r\n", "and a last line without its end gets one")
    }

    @Test("an empty message")
    func empty() {
        let (dialogue, _) = Dialogue.ready([outgoing("")])
        #expect(dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n").hasSuffix("DATA\r\n.\r\n"))
    }

    @Test("outcomes by recipient", arguments: ["", "PIPELINING"])
    func byRecipient(_ offered: String) {
        let (dialogue, mail) = Dialogue.ready([outgoing(to: ["a@x", "b@x", "c@x", "d@x", "bad"])], offered)
        let next = dialogue.reply("250 ok\r\n250 ok\r\n450 later\r\n550 never\r\n552 many\r\n")
        #expect((mail + next).hasSuffix("DATA\r\n"))
        _ = dialogue.reply("354 go\r\n")
        #expect(dialogue.reply("250 taken\r\n").hasSuffix("QUIT\r\n"))
        #expect(
            dialogue.source.outcomes == [[
                .delivered("250 taken"), .deferred("450 later"), .failed("550 never"), .leftOver("552 many"),
                .failed("not an address"),
            ]])
    }

    @Test("refused transactions end with RSET, and the next message goes on", arguments: [
        ("550 no\r\n503 x\r\n503 y\r\n", "PIPELINING", Seen.failed("550 no")),
        ("450 no\r\n503 x\r\n503 y\r\n", "PIPELINING", .deferred("450 no")), ("550 no\r\n", "", .failed("550 no")),
        ("250 ok\r\n451 no\r\n", "", .deferred("451 no")), ("250 ok\r\n550-no\r\n550 never\r\n", "", .failed("550 no never")),
        ("250 ok\r\n250 ok\r\n554 no\r\n", "", .failed("554 no")),
        ("250 ok\r\n250 ok\r\n451 no\r\n", "PIPELINING", .deferred("451 no")),
    ])
    func refused(_ replies: String, _ offered: String, _ outcome: Seen) {
        let (dialogue, _) = Dialogue.ready([outgoing(), outgoing(from: "next@a.test")], offered)
        #expect(dialogue.reply(replies).hasSuffix("RSET\r\n"))
        #expect(dialogue.source.outcomes == [[outcome]])
        #expect(dialogue.reply("250 ok\r\n").hasPrefix("MAIL FROM:<next@a.test>\r\n"))
    }

    @Test("the verdict", arguments: [("451 no", Seen.deferred("451 no")), ("554 no", .failed("554 no"))])
    func verdict(_ reply: String, _ outcome: Seen) {
        let (dialogue, _) = Dialogue.ready([outgoing(), outgoing(from: "next@a.test")])
        _ = dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n")
        #expect(dialogue.reply("\(reply)\r\n") == "MAIL FROM:<next@a.test>\r\n")
        #expect(dialogue.source.outcomes == [[outcome]])
    }

    @Test("a service that is refused", arguments: ["554 no\r\n", "421 busy\r\n", "250 what\r\n", "220 hi\r\n421 no\r\n", "220 hi\r\n450 no\r\n", "220 hi\r\n500 no\r\n500 no\r\n"])
    func noService(_ replies: String) {
        let dialogue = Dialogue()
        _ = dialogue.reply(replies)
        #expect(dialogue.driver.closed == .finished)
        #expect(dialogue.source.messages.count == 1, "no message was touched")
        guard case .unusable = dialogue.source.end else {
            Issue.record("\(String(describing: dialogue.source.end))")
            return
        }
    }

    @Test("replies that are none", arguments: [
        "hello\r\n", "22\r\n", "2200 x\r\n", "220\tx\r\n", "220 a\n", "220 a\rb\r\n", "120 x\r\n", "620 x\r\n", "290 x\r\n",
        "220-a\r\n221 b\r\n", "\r\n", "220-a\r\nx\r\n", String(repeating: "2", count: 2_048), "220 " + String(repeating: "x", count: 2_048) + "\r\n",
        String(repeating: "220-x\r\n", count: 129), "\u{0}\u{0}\u{0}\r\n",
    ], Feeding.all)
    func badReplies(_ reply: String, _ feeding: Feeding) {
        let dialogue = Dialogue()
        #expect(dialogue.reply(reply, feeding) == "")
        #expect(dialogue.driver.closed == .finished)
        guard case .unusable = dialogue.source.end else {
            Issue.record("\(String(describing: dialogue.source.end))")
            return
        }
    }

    @Test("what a next hop says is made fit for a log", arguments: [
        ("220 hi\r\n250 next\r\n550 \u{1B}[2J\u{E9}\r\n", "550 ?[2J??"), ("220 hi\r\n250 next\r\n550-a\r\n550 b\r\n", "550 a b"),
    ])
    func printableReplies(_ replies: String, _ shown: String) {
        let dialogue = Dialogue()
        _ = dialogue.reply(replies)
        #expect(dialogue.source.outcomes == [[.failed(shown)]])
        let garbage = Dialogue()
        _ = garbage.reply("\u{1B}[2J\u{0}\r\n")
        #expect(garbage.source.end == .unusable(DeliveryReport(status: EnhancedStatusCode(4, 5, 0), text: "not a reply: ?[2J?")))
    }

    @Test("replies at their limits", arguments: [
        "220\r\n", "220 \r\n", "220-\r\n220\r\n", "220 " + String(repeating: "x", count: 2_042) + "\r\n",
        String(repeating: "220-x\r\n", count: 127) + "220 x\r\n",
    ], Feeding.all)
    func goodReplies(_ reply: String, _ feeding: Feeding) {
        #expect(Dialogue().reply(reply, feeding) == "EHLO client.test\r\n")
    }

    @Test("the connection is lost, at every step", arguments: 0...7)
    func lost(_ step: Int) {
        let replies = ["220 hi\r\n", "250 next\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n", "221 bye\r\n"]
        let dialogue = Dialogue()
        for reply in replies.prefix(step) { _ = dialogue.reply(reply) }
        dialogue.driver.reset()
        switch step {
        case 0, 1: #expect(dialogue.source.messages.count == 1 && dialogue.source.outcomes.isEmpty)
        case 2...5:
            // After the final dot and before its reply too: at least once.
            guard case .deferred = dialogue.source.outcomes.first?.first else { Issue.record("step \(step)"); return }
        default: #expect(dialogue.source.outcomes == [[.delivered("250 taken")]])
        }
        #expect(dialogue.source.outcomes.count <= 1)
        #expect((dialogue.source.end == .finished) == (step >= 6))
        #expect(dialogue.source.end != nil)
    }

    @Test("time runs out, at every step", arguments: [(0, 300), (1, 300), (2, 300), (3, 300), (4, 120), (5, 600), (6, 5)])
    func timeouts(_ step: Int, _ seconds: Int) {
        let replies = ["220 hi\r\n", "250 next\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n"]
        let dialogue = Dialogue()
        for reply in replies.prefix(step) {
            dialogue.driver.advance(by: .seconds(1))
            _ = dialogue.reply(reply)
        }
        dialogue.driver.advance(by: .milliseconds(seconds * 1_000 - 1))
        #expect(dialogue.driver.closed == nil)
        dialogue.driver.advance(by: .milliseconds(1))
        #expect(dialogue.driver.closed != nil)
        if (2...5).contains(step) {
            guard case .deferred(let why) = dialogue.source.outcomes.first?.first else { Issue.record(); return }
            #expect(why.hasPrefix("timed out"))
        }
    }

    @Test("content waits for room, and gives up on a peer that takes none")
    func backPressure() {
        var limits = ConnectionLimits()
        limits.lowWatermark = 10_000
        limits.highWatermark = 100_000
        limits.maxQueuedOutput = 200_000
        let content = String(repeating: ".0123456789012345678901234567890123456789\r\n", count: 50_000)
        for stalls in [false, true] {
            let dialogue = Dialogue([outgoing(content)], limits: limits)
            _ = dialogue.reply("220 hi\r\n250 next\r\n250 ok\r\n250 ok\r\n")
            dialogue.driver.setWindow(0)
            #expect(dialogue.reply("354 go\r\n") == "")
            #expect(dialogue.driver.closed == nil, "never more than the limit is queued")
            if stalls {
                dialogue.driver.advance(by: .seconds(180))
                #expect(dialogue.driver.closed == .aborted)
                continue
            }
            dialogue.driver.advance(by: .seconds(179))
            var sent = ""
            while dialogue.driver.closed == nil, !sent.hasSuffix("\r\n.\r\n") {
                dialogue.driver.setWindow(50_000)
                sent += dialogue.driver.takeOutput()
            }
            #expect(sent == content.replacing("\r\n.", with: "\r\n..").replacing(#/^\./#, with: "..") + ".\r\n")
        }
    }

    @Test("an answer before the content's end is no verdict", arguments: [
        "250 taken already", "552 enough", "451 no", "354 go",
    ], [2, 100_000])
    func tooEarly(_ reply: String, _ lines: Int) {
        var limits = ConnectionLimits()
        limits.lowWatermark = 10_000
        limits.highWatermark = 100_000
        let dialogue = Dialogue([outgoing(String(repeating: "0123456\r\n", count: lines)), outgoing()], limits: limits)
        _ = dialogue.reply("220 hi\r\n250 next\r\n250 ok\r\n250 ok\r\n")
        _ = dialogue.reply("354 go\r\n\(reply)\r\n250 ignored\r\n")
        dialogue.driver.setWindow(nil)
        guard case .deferred(let why) = dialogue.source.outcomes.first?.first else {
            Issue.record("\(dialogue.source.outcomes)")
            return
        }
        #expect(why == "answered before the end of the content: \(reply)")
        #expect(dialogue.source.outcomes.count == 1 && dialogue.source.messages.count == 1)
        #expect(dialogue.driver.closed == .aborted)
        #expect(dialogue.source.end == .unusable(dialogue.source.reports[0][0]))
    }

    @Test func anAnswerWhileSomeOfTheContentIsUnsentIsNoVerdict() {
        let dialogue = Dialogue([outgoing(String(repeating: "0123456\r\n", count: 100))])
        _ = dialogue.reply("220 hi\r\n250 next\r\n250 ok\r\n250 ok\r\n")
        dialogue.driver.setWindow(902)  // All but the last byte of the end mark.
        _ = dialogue.reply("354 go\r\n")
        _ = dialogue.reply("250 taken already\r\n")
        #expect(dialogue.source.outcomes == [[.deferred("answered before the end of the content: 250 taken already")]])
    }

    @Test("the next hop hangs up, at every step", arguments: 0...7)
    func hangsUp(_ step: Int) {
        let replies = ["220 hi\r\n", "250 next\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n", "221 bye\r\n"]
        let dialogue = Dialogue()
        for reply in replies.prefix(step) { _ = dialogue.reply(reply) }
        dialogue.driver.receiveEndOfInput()
        #expect(dialogue.driver.closed == .finished)
        if step >= 6 { return #expect(dialogue.source.end == .finished) }
        guard case .unusable(let why) = dialogue.source.end else {
            Issue.record("\(String(describing: dialogue.source.end))")
            return
        }
        #expect(why.text.hasPrefix("the next hop hung up"))
        #expect(dialogue.source.outcomes == (step < 2 ? [] : [[.deferred(why.text)]]))
    }

    @Test("the next hop works once it has answered MAIL", arguments: [
        ("", 0), ("421 busy\r\n", 0), ("354 what\r\n", 0), ("250 ok\r\n", 1), ("250 ok\r\n421 bye\r\n", 1), ("451 no\r\n", 1),
        ("550 no\r\n", 1),
    ])
    func works(_ reply: String, _ times: Int) {
        let (dialogue, _) = Dialogue.ready()
        _ = dialogue.reply(reply)
        dialogue.driver.receiveEndOfInput()
        #expect(dialogue.source.works == times)
    }

    @Test("recipients past the next hop's limit are left over if others were accepted", arguments: [
        ("250 ok\r\n452 many\r\n", Seen.leftOver("452 many")), ("250 ok\r\n552 many\r\n", .leftOver("552 many")),
        ("451 no\r\n452 many\r\n", .deferred("452 many")), ("550 no\r\n552 many\r\n", .deferred("552 many")),
        ("250 ok\r\n451 no\r\n", .deferred("451 no")),
    ])
    func leftOver(_ replies: String, _ outcome: Seen) {
        let (dialogue, _) = Dialogue.ready([outgoing(to: ["b@b.test", "c@c.test"])], "PIPELINING")
        _ = dialogue.reply("250 ok\r\n\(replies)")
        _ = dialogue.reply("354 go\r\n")
        _ = dialogue.reply("250 taken\r\n")
        #expect(dialogue.source.outcomes.first?.last == outcome)
    }

    @Test("stopping: what is under way is finished, nothing else begun")
    func stopping() {
        let (dialogue, _) = Dialogue.ready([outgoing(), outgoing()])
        dialogue.driver.stop()
        #expect(dialogue.reply("250 ok\r\n250 ok\r\n354 go\r\n").hasSuffix(".\r\n"))
        #expect(dialogue.reply("250 taken\r\n") == "QUIT\r\n")
        #expect(dialogue.source.outcomes.count == 1)
        #expect(dialogue.source.messages.count == 1)
        let early = Dialogue()
        early.driver.stop()
        #expect(early.reply("") == "QUIT\r\n")
        #expect(early.source.messages.count == 1)
    }
}
