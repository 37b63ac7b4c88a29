import ConnectionHandling
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// Who may send, to whom, how much and how fast.
@Suite struct ServicePolicyTests {
    static let stranger = SocketAddress.ipv4(0xC000_0201, port: 9)

    @Test("listed domains", arguments: [
        ("b@ours.test", "250 2.1.5"), ("b@OURS.Test", "250 2.1.5"), ("@x.test:b@ours.test", "250 2.1.5"), ("b@sub.below.test", "250 2.1.5"),
        ("b@a.sub.below.test", "250 2.1.5"), ("b@[192.0.2.9]", "250 2.1.5"), ("\"x@y\"@ours.test", "554 5.7.1"), ("\"x y\"@ours.test", "250 2.1.5"), ("postmaster", "250 2.1.5"),
        ("b@below.test", "554 5.7.1"), ("b@sub.ours.test", "554 5.7.1"), ("b@other.test", "554 5.7.1"), ("b@xours.test", "554 5.7.1"),
        ("\"b@ours.test\"@other.test", "554 5.7.1"), ("b@[192.0.2.8]", "554 5.7.1"), ("b@[tag:x.below.test]", "554 5.7.1"),
        ("@ours.test:b@other.test", "554 5.7.1"), ("b@test", "554 5.7.1"), ("b@ours.test.evil.test", "554 5.7.1"),
        ("postmaster@other.test", "554 5.7.1"),
    ])
    func domains(_ address: String, _ code: String) {
        let relay = RelayPolicy(allowed: CIDR.loopback, domains: ["Ours.TEST", ".below.test", "[192.0.2.9]"])
        let session = Session.greeted(peer: Self.stranger, relay: relay)
        session.exchange("MAIL FROM:<b@ours.test>\r\n")
        #expect(session.codes("RCPT TO:<\(address)>\r\n") == [code])
    }

    // MARK: Submission

    private var submission: SMTPServerOptions {
        var options = SMTPServerOptions()
        options.service = .submission
        return options
    }

    @Test func submissionIsForThoseWhoMayRelay() {
        let relay = RelayPolicy(allowed: CIDR.loopback, domains: ["ours.test"])
        let session = Session.greeted(peer: Self.stranger, relay: relay, options: submission)
        #expect(session.codes("MAIL FROM:<a@ours.test>\r\n") == ["530 5.7.0"])
        #expect(Session.greeted(relay: relay, options: submission).codes("MAIL FROM:<a@ours.test>\r\n") == ["250 2.1.0"])
    }

    private static let date = "Date: Sun, 06 Nov 1994 08:49:37 +0000\r\n"
    private static let id = "Message-ID: <784111777.ID@mx.test>\r\n"

    @Test("fields that are missing", arguments: [
        ("Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\(date)\(id)\r\nbody\r\n"), ("", date + id), ("\r\n", "\(date)\(id)\r\n"),
        ("body\r\n", "\(date)\(id)\r\nbody\r\n"), ("Subject: x\r\n", "Subject: x\r\n\(date)\(id)"),
        ("DATE: x\r\n\r\nbody\r\n", "DATE: x\r\n\(id)\r\nbody\r\n"), ("message-id : <x>\r\n\r\n", "message-id : <x>\r\n\(date)\r\n"),
        ("Date: x\r\nMessage-Id: y\r\n\r\n", "Date: x\r\nMessage-Id: y\r\n\r\n"),
        ("X: y\r\n\tDate: x\r\n\r\nMessage-ID: z\r\n", "X: y\r\n\tDate: x\r\n\(date)\(id)\r\nMessage-ID: z\r\n"),
        ("X: y\r\nno field\r\nDate: z\r\n", "X: y\r\n\(date)\(id)\r\nno field\r\nDate: z\r\n"),
    ], Feeding.all)
    func missing(_ given: (sent: String, stored: String), _ feeding: Feeding) throws {
        for chunked in [false, true] {
            let session = Session.greeted(options: submission)
            session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n")
            session.exchange(chunked ? "BDAT \(given.sent.utf8.count) LAST\r\n\(given.sent)" : "DATA\r\n\(given.sent).\r\n", feeding)
            let (envelope, _) = try #require(session.store.messages.first)
            #expect(session.store.bodies.first?.replacing(envelope.id.text, with: "ID") == given.stored)
        }
    }

    /// Only what comes in chunks may end in the middle of a line.
    @Test("a header without its last line's end", arguments: Feeding.all)
    func unendedHeader(_ feeding: Feeding) throws {
        let session = Session.greeted(options: submission)
        session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n")
        session.exchange("BDAT 10 LAST\r\nSubject: x", feeding)
        let (envelope, _) = try #require(session.store.messages.first)
        #expect(session.store.bodies.first?.replacing(envelope.id.text, with: "ID") == "Subject: x\r\n\(Self.date)\(Self.id)")
    }

    /// It would be part of what we say about where the message comes from.
    @Test("a first line that continues none", arguments: [" (from elsewhere)\r\nA: b\r\n", "\tx\r\n", " \r\n\r\n"], Feeding.all)
    func continuedTrace(_ text: String, _ feeding: Feeding) {
        for chunked in [false, true] {
            let session = Session.greeted()
            session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n")
            session.exchange(chunked ? "BDAT \(text.utf8.count) LAST\r\n\(text)" : "DATA\r\n\(text).\r\n", feeding)
            #expect(session.store.bodies == ["\r\n" + text])
        }
    }

    @Test func aRelayAddsNothing() {
        let session = Session.inData()
        session.exchange("Subject: x\r\n\r\nbody\r\n.\r\n")
        #expect(session.store.bodies == ["Subject: x\r\n\r\nbody\r\n"])
    }

    // MARK: The greeting

    private func waiting(_ peer: SocketAddress = stranger) -> Session {
        var limits = SMTPServerLimits()
        limits.greetDelay = .seconds(2)
        return Session(peer: peer, limits: limits)
    }

    @Test func theGreetingIsWaitedFor() {
        let patient = waiting()
        patient.driver.advance(by: .milliseconds(1_999))
        #expect(patient.output() == "")
        patient.driver.advance(by: .milliseconds(1))
        #expect(patient.output() == "220 mx.test ESMTP ready\r\n")
        #expect(patient.codes("EHLO a.test\r\n") == ["250"])
        patient.driver.advance(by: .seconds(300))
        #expect(patient.output() == "421 4.4.2 no command in time\r\n")
        #expect(waiting(.loopback(port: 9)).output() == "220 mx.test ESMTP ready\r\n", "who may relay does not wait")
    }

    @Test("talking before it", arguments: ["E", "EHLO a.test\r\n", "\r\n", "EHLO a.test\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\nx\r\n.\r\n"])
    func early(_ text: String) {
        let session = waiting()
        session.driver.advance(by: .seconds(1))
        #expect(session.exchange(text) == "554 5.5.1 wait for the greeting\r\n")
        #expect(session.driver.closed == .finished)
        #expect(session.store.messages.isEmpty)
    }

    @Test func aServiceThatStopsGreetsNobody() {
        let session = waiting()
        session.driver.stop()
        #expect(session.output() == "421 4.3.2 service stopping\r\n")
    }

    // MARK: Rates

    private func server(_ limits: SMTPServerLimits) -> SMTPServer<MemoryStore> {
        SMTPServer(
            hostname: "mx.test", store: MemoryStore(), relay: RelayPolicy(allowed: CIDR.loopback, domains: ["b.test"]), limits: limits, logger: quietLogger)
    }

    @Test func messagesOfOneAddress() {
        var limits = SMTPServerLimits()
        limits.messagesPerMinute = 3
        let server = server(limits)
        func attempt(_ peer: SocketAddress) -> String? {
            let session = Session(server, peer: peer)
            return session.codes("EHLO a.test\r\nMAIL FROM:<>\r\n").last
        }
        for port in UInt16(1)...3 { #expect(attempt(.ipv4(0xC000_0201, port: port)) == "250 2.1.0") }
        #expect(attempt(.ipv4(0xC000_0201, port: 4)) == "450 4.7.1")
        #expect(attempt(.ipv6(high: 0, low: 0xFFFF_C000_0201, port: 5)) == "450 4.7.1", "the same address, mapped")
        #expect(attempt(.ipv4(0xC000_0202, port: 4)) == "250 2.1.0")
        for port in UInt16(1)...9 { #expect(attempt(.loopback(port: port)) == "250 2.1.0") }
        // A network of 64 bits is one.
        for low in UInt64(1)...3 { #expect(attempt(.ipv6(high: 1, low: low, port: 1)) == "250 2.1.0") }
        #expect(attempt(.ipv6(high: 1, low: 9, port: 1)) == "450 4.7.1")
    }

    @Test func theyComeBack() {
        var limits = SMTPServerLimits()
        limits.messagesPerMinute = 3
        let session = Session(server(limits), peer: Self.stranger)
        session.exchange("EHLO a.test\r\n")
        for _ in 0..<3 { #expect(session.codes("MAIL FROM:<>\r\nRSET\r\n").first == "250 2.1.0") }
        #expect(session.codes("MAIL FROM:<>\r\n") == ["450 4.7.1"])
        session.driver.advance(by: .milliseconds(19_999))
        #expect(session.codes("MAIL FROM:<>\r\n") == ["450 4.7.1"])
        session.driver.advance(by: .milliseconds(1))
        #expect(session.codes("MAIL FROM:<>\r\n") == ["250 2.1.0"])
    }

    @Test func recipientsOfOneAddress() {
        var limits = SMTPServerLimits()
        limits.recipientsPerMinute = 5
        let server = server(limits)
        let first = Session(server, peer: Self.stranger)
        first.exchange("EHLO a.test\r\nMAIL FROM:<>\r\n")
        for _ in 0..<4 { #expect(first.codes("RCPT TO:<b@b.test>\r\n") == ["250 2.1.5"]) }
        #expect(first.codes("RCPT TO:<c@other.test>\r\n") == ["554 5.7.1"], "who is refused does not count")
        let second = Session(server, peer: Self.stranger)
        second.exchange("EHLO a.test\r\nMAIL FROM:<>\r\n")
        #expect(second.codes("RCPT TO:<b@b.test>\r\nRCPT TO:<b@b.test>\r\n") == ["250 2.1.5", "450 4.7.1"])
    }

    @Test func messagesOfOneSession() {
        var limits = SMTPServerLimits()
        limits.messages = 3
        let session = Session.greeted(limits: limits)
        for _ in 0..<3 { #expect(session.codes("MAIL FROM:<>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n.\r\n").last == "250 2.0.0") }
        #expect(session.codes("MAIL FROM:<>\r\nNOOP\r\n") == ["421 4.7.0"])
        #expect(session.driver.closed == .finished)
    }

    // MARK: Lines and header

    @Test("a content's lines", arguments: Feeding.all)
    func contentLine(_ feeding: Feeding) {
        var limits = SMTPServerLimits()
        limits.contentLine = 100
        func text(_ count: Int) -> String { "Subject: x\r\n\r\nshort\r\n\(String(repeating: "x", count: count))\r\nshort\r\n" }
        for (count, code) in [(100, "250 2.0.0"), (101, "550 5.6.0")] {
            #expect(Session.inData(limits: limits).codes("\(text(count)).\r\n", feeding) == [code])
            let session = Session.greeted(limits: limits)
            session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n")
            #expect(session.codes("BDAT \(text(count).utf8.count) LAST\r\n\(text(count))", feeding) == [code])
        }
        // A removed dot is no part of a line.
        #expect(Session.inData(limits: limits).codes("Subject: x\r\n\r\n.\(String(repeating: ".", count: 100))\r\n.\r\n", feeding) == ["250 2.0.0"])
    }

    @Test("the header's size", arguments: Feeding.all)
    func headerSize(_ feeding: Feeding) {
        var limits = SMTPServerLimits()
        limits.headerSize = 1_000
        func text(_ size: Int) -> String {
            String(repeating: "X: 67\r\n", count: 100) + "Y: " + String(repeating: "y", count: size - 705) + "\r\n\r\n" + String(repeating: "body\r\n", count: 500)
        }
        for (size, code) in [(1_000, "250 2.0.0"), (1_001, "552 5.3.4")] {
            #expect(Session.inData(limits: limits).codes("\(text(size)).\r\nNOOP\r\n", feeding) == [code, "250 2.0.0"])
            let session = Session.greeted(limits: limits)
            session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n")
            #expect(session.codes("BDAT \(text(size).utf8.count) LAST\r\n\(text(size))", feeding) == [code])
        }
    }
}
