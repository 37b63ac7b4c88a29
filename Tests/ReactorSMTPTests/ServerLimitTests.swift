import ConnectionHandling
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Each limit, at it and one past it.
@Suite struct ServerLimitTests {
    @Test("a command line", arguments: Feeding.all)
    func commandLine(_ feeding: Feeding) {
        func noop(_ length: Int) -> String { "NOOP " + String(repeating: "x", count: length - 7) + "\r\n" }
        let session = Session.greeted()
        #expect(session.codes(noop(2048) + "NOOP\r\n", feeding) == ["250 2.0.0", "250 2.0.0"])
        #expect(session.codes(noop(2049) + "NOOP\r\n", feeding) == ["500 5.5.2", "250 2.0.0"])
        #expect(session.codes(noop(5000) + "NOOP\r\n", feeding) == ["500 5.5.2", "250 2.0.0"])
    }

    @Test("an endless command line", arguments: [Feeding.whole, .random(seed: 1)])
    func endlessLine(_ feeding: Feeding) {
        var limits = SMTPServerLimits()
        limits.discardedLine = 5_000
        let within = Session.greeted(limits: limits)
        #expect(within.codes(String(repeating: "x", count: 4_998) + "\r\n", feeding) == ["500 5.5.2"])
        #expect(within.driver.closed == nil)
        let past = Session.greeted(limits: limits)
        #expect(past.codes(String(repeating: "x", count: 5_001), feeding) == ["500 5.5.2"])
        #expect(past.driver.closed == .finished)
    }

    @Test("a message's size", arguments: Feeding.all)
    func messageSize(_ feeding: Feeding) {
        var limits = SMTPServerLimits()
        limits.messageSize = 1_000
        let text = String(repeating: "0123456\r\n", count: 111)  // 999
        let session = Session.inData(limits: limits)
        // The stuffed dot is not counted.
        #expect(session.codes("..\(text).\r\n", feeding) == ["250 2.0.0"])
        #expect(session.store.bodies == ["." + text])
        session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
        #expect(session.codes("ab\(text).\r\nNOOP\r\n", feeding) == ["552 5.3.4", "250 2.0.0"])
        #expect(session.store.messages.count == 1)
    }

    /// A server with room for so much content, and as many sessions as wanted.
    private static func server(holding limit: Int, _ store: MemoryStore = MemoryStore()) -> SMTPServer<MemoryStore> {
        var limits = SMTPServerLimits()
        limits.heldContent = limit
        limits.messageSize = 10_000
        limits.discardedData = 10_000
        return SMTPServer(hostname: "mx.test", store: store, limits: limits, logger: quietLogger)
    }

    private static let begin = "EHLO client.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"

    private static func sender(to server: SMTPServer<MemoryStore>, _ text: String = "") -> TestDriver {
        let driver = TestDriver(SMTPServerHandler(server), peer: .loopback(port: 40_000))
        driver.receive(begin)
        driver.receive(text)
        _ = driver.takeOutput() as String
        return driver
    }

    @Test("content held by all connections together", arguments: Feeding.all)
    func heldContent(_ feeding: Feeding) throws {
        let text = String(repeating: "0123456\r\n", count: 100)
        let measured = Self.server(holding: .max)
        Self.sender(to: measured).receive("\(text).\r\n")
        // A message with its trace header, and one more of which nothing but that has come.
        let whole = try #require(measured.store.messages.first).content.count
        let limit = whole + whole - text.utf8.count
        for (limit, code) in [(limit, "250 2.0.0"), (limit - 1, "452 4.3.1")] {
            let server = Self.server(holding: limit)
            let other = Self.sender(to: server)
            let driver = Self.sender(to: server)
            feeding.feed(Array("\(text).\r\n".utf8), to: driver)
            let reply: String = driver.takeOutput()
            #expect(reply.hasPrefix(code))
            #expect(server.content.held == whole - text.utf8.count)
            // The refusal is for that message, and for now.
            other.receive(".\r\n")
            #expect((other.takeOutput() as String).hasPrefix("250 2.0.0"))
            driver.receive("\(Self.begin)\(text).\r\n")
            #expect((driver.takeOutput() as String).contains("\r\n250 2.0.0 queued as "))
            #expect(server.content.held == 0)
        }
    }

    @Test("what was held is given back, however the message ends", arguments: [
        "committed", "not stored", "malformed", "too large", "far too large", "too many hops", "end of input", "reset", "timeout",
        "no room",
    ])
    func heldContentIsGivenBack(_ end: String) {
        let server = Self.server(
            holding: end == "no room" ? 500 : 1_000_000, MemoryStore(failing: end == "not stored" ? .failed("broken") : nil))
        let driver = Self.sender(to: server, "Subject: some content\r\n")
        #expect(server.content.held > 0)
        switch end {
        case "committed", "not stored": driver.receive(".\r\n")
        case "malformed": driver.receive("a\nb\r\n.\r\n")
        case "too large": driver.receive(String(repeating: "x", count: 10_000))
        case "far too large": driver.receive(String(repeating: "x", count: 30_000))
        case "too many hops": driver.receive(String(repeating: "Received: x\r\n", count: 101) + ".\r\n")
        case "end of input": driver.receiveEndOfInput()
        case "reset": driver.reset()
        case "timeout": driver.advance(by: .seconds(300))
        default: driver.receive(String(repeating: "x", count: 500))
        }
        #expect(server.content.held == 0)
        #expect(server.store.messages.count == (end == "committed" ? 1 : 0))
    }

    @Test("endless content", arguments: [Feeding.whole, .random(seed: 2)])
    func endlessContent(_ feeding: Feeding) {
        var limits = SMTPServerLimits()
        limits.messageSize = 1_000
        limits.discardedData = 9_000
        let within = Session.inData(limits: limits)
        #expect(within.codes(String(repeating: "x", count: 9_998) + "\r\n.\r\n", feeding) == ["552 5.3.4"])
        #expect(within.driver.closed == nil)
        let past = Session.inData(limits: limits)
        #expect(past.codes(String(repeating: "x", count: 10_001), feeding) == ["552 5.3.4"])
        #expect(past.driver.closed == .finished)
    }

    @Test func recipients() {
        let session = Session.greeted()
        session.exchange("MAIL FROM:<a@a.test>\r\n")
        for number in 0..<1_000 { #expect(session.codes("RCPT TO:<r\(number)@b.test>\r\n") == ["250 2.1.5"]) }
        for _ in 0..<30 { #expect(session.codes("RCPT TO:<one@more.test>\r\n") == ["452 4.5.3"]) }
        #expect(session.codes("DATA\r\nx\r\n.\r\n") == ["354", "250 2.0.0"])
        #expect(session.store.messages.first?.envelope.recipients.count == 1_000)
    }

    @Test("hops", arguments: [(99, "250 2.0.0"), (100, "250 2.0.0"), (101, "554 5.4.6"), (10_000, "554 5.4.6")])
    func hops(_ count: Int, _ code: String) {
        let fields = String(repeating: "received: by x\r\n\tfolded\r\nX-Other: Received: by\r\n", count: count)
        #expect(Session.inData().codes("\(fields)\r\nbody\r\n.\r\n") == [code])
        #expect(Session.inData().codes("Subject: x\r\n\r\n\(fields).\r\n") == ["250 2.0.0"], "the body does not count")
    }

    @Test func errors() {
        let session = Session.greeted()
        for _ in 0..<20 { #expect(session.codes("XYZZY\r\n") == ["500 5.5.1"]) }
        #expect(session.codes("XYZZY\r\nNOOP\r\n") == ["421 4.7.0"])
        #expect(session.driver.closed == .finished)
    }

    @Test func anAcceptedMessageMakesUpForErrors() {
        let session = Session.greeted()
        for _ in 0..<3 {
            for _ in 0..<20 { #expect(session.codes("XYZZY\r\n") == ["500 5.5.1"]) }
            let message = "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\n"
            #expect(session.codes(message).last == "250 2.0.0")
        }
        #expect(session.codes(String(repeating: "XYZZY\r\n", count: 21)).last == "421 4.7.0")
    }

    @Test func commandsWithoutProgress() {
        let session = Session.greeted()  // EHLO is one.
        for _ in 0..<99 { #expect(session.codes("NOOP\r\n") == ["250 2.0.0"]) }
        #expect(session.codes("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\n").last == "250 2.0.0")
        for _ in 0..<100 { #expect(session.codes("RSET\r\n") == ["250 2.0.0"]) }
        #expect(session.codes("NOOP\r\nNOOP\r\n") == ["421 4.7.0"])
        #expect(session.driver.closed == .finished)
    }

    @Test("no command in time, though bytes of it come", arguments: [false, true])
    func commandTimeout(_ trickle: Bool) {
        let session = Session.greeted()
        session.driver.advance(by: .seconds(299))
        if trickle { session.exchange("NOO") }
        #expect(session.driver.closed == nil)
        session.driver.advance(by: .seconds(1))
        #expect(session.output() == "421 4.4.2 no command in time\r\n")
        #expect(session.driver.closed == .finished)
    }

    @Test func theFirstCommandHasItsTimeToo() {
        let session = Session()
        session.exchange("")
        session.driver.advance(by: .seconds(300))
        #expect(session.output() == "421 4.4.2 no command in time\r\n")
    }

    @Test func contentStalls() {
        let session = Session.inData()
        session.driver.advance(by: .seconds(299))
        session.exchange("x\r\n")
        session.driver.advance(by: .seconds(299))
        #expect(session.driver.closed == nil)
        session.driver.advance(by: .seconds(1))
        #expect(session.output() == "421 4.4.2 message not sent in time\r\n")
    }

    @Test func contentTrickles() {
        let session = Session.inData()
        for _ in 0..<35 {
            session.driver.advance(by: .seconds(100))
            session.exchange("x\r\n")
        }
        session.driver.advance(by: .seconds(99))
        #expect(session.driver.closed == nil)
        session.driver.advance(by: .seconds(1))
        #expect(session.output() == "421 4.4.2 message not sent in time\r\n")
        #expect(session.store.messages.isEmpty)
    }

    @Test func garbageIsRefusedAndTheSessionEnds() {
        for seed in UInt64(1)...50 {
            var random = SeededGenerator(seed: seed)
            let session = Session()
            let garbage = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            Feeding.random(seed: seed).feed(garbage, to: session.driver)
            session.driver.receiveEndOfInput()
            #expect(session.driver.closed == .finished, "seed \(seed)")
            #expect(session.store.messages.isEmpty)
        }
    }
}
