import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// RFC 5321 appendix D, and the order of replies. Each scenario is fed in every way, all lines at once: PIPELINING is
/// offered, so what a client sends early must be answered as if it had waited.
@Suite struct ServerScenarioTests {
    static let ehlo = """
        220 mx.test ESMTP ready\r
        250-mx.test\r
        250-PIPELINING\r
        250-SIZE 26214400\r
        250-8BITMIME\r
        250-BINARYMIME\r
        250-CHUNKING\r
        250-DSN\r
        250-SMTPUTF8\r
        250-ENHANCEDSTATUSCODES\r
        250 HELP\r\n
        """

    @Test("D.1 a typical transaction", arguments: Feeding.all)
    func typical(_ feeding: Feeding) {
        let session = Session()
        let output = session.exchange(
            "EHLO bar.test\r\nMAIL FROM:<Smith@bar.test>\r\nRCPT TO:<Jones@foo.test>\r\n"
                + "RCPT TO:<Green@foo.test>\r\nRCPT TO:<Brown@foo.test>\r\nDATA\r\n"
                + "Blah blah blah...\r\n...etc. etc. etc.\r\n.\r\nQUIT\r\n", feeding)
        #expect(
            output == Self.ehlo + """
                250 2.1.0 sender OK\r
                250 2.1.5 recipient OK\r
                250 2.1.5 recipient OK\r
                250 2.1.5 recipient OK\r
                354 send the message, end with CRLF.CRLF\r
                250 2.0.0 queued as ID\r
                221 2.0.0 bye\r\n
                """)
        let message = session.store.messages.first
        #expect(session.store.messages.count == 1)
        #expect(message?.envelope.sender == "Smith@bar.test")
        #expect(message?.envelope.recipients.map(\.address) == ["Jones@foo.test", "Green@foo.test", "Brown@foo.test"])
        #expect(session.store.bodies == ["Blah blah blah...\r\n..etc. etc. etc.\r\n"])
        #expect(session.driver.closed == .finished)
    }

    @Test("D.2 an aborted transaction", arguments: Feeding.all)
    func aborted(_ feeding: Feeding) {
        let session = Session()
        let output = session.exchange(
            "EHLO bar.test\r\nMAIL FROM:<Smith@bar.test>\r\nRCPT TO:<Jones@foo.test>\r\n"
                + "RCPT TO:<Green@foo..test>\r\nRSET\r\nQUIT\r\n", feeding)
        #expect(
            output == Self.ehlo + """
                250 2.1.0 sender OK\r
                250 2.1.5 recipient OK\r
                501 5.1.3 bad recipient address\r
                250 2.0.0 reset\r
                221 2.0.0 bye\r\n
                """)
        #expect(session.store.messages.isEmpty)
    }

    @Test("D.3 a relayed message, by a source route", arguments: Feeding.all)
    func relayed(_ feeding: Feeding) {
        let session = Session()
        let output = session.exchange(
            "EHLO bar.test\r\nMAIL FROM:<JQP@bar.test>\r\nRCPT TO:<@foo.test,@relay.test:Jones@XYZ.COM>\r\nDATA\r\n"
                + "Date: Thu, 21 May 1998 05:33:29 -0700\r\nFrom: John Q. Public <JQP@bar.test>\r\n"
                + "Subject: The Next Meeting of the Board\r\nTo: Jones@xyz.com\r\n\r\nBill:\r\n.\r\nQUIT\r\n", feeding)
        #expect(output.hasSuffix("354 send the message, end with CRLF.CRLF\r\n250 2.0.0 queued as ID\r\n221 2.0.0 bye\r\n"))
        #expect(session.store.messages.first?.envelope.recipients.map(\.address) == ["Jones@XYZ.COM"])
    }

    @Test("D.4 verifying and sending", arguments: Feeding.all)
    func verifying(_ feeding: Feeding) {
        let session = Session()
        let codes = session.codes(
            "EHLO bar.test\r\nVRFY Crispin\r\nMAIL FROM:<EAK@bar.test>\r\nRCPT TO:<Admin.MRC@foo.test>\r\n"
                + "DATA\r\nBlah\r\n.\r\nQUIT\r\n", feeding)
        #expect(codes == ["220", "250", "252 2.1.5", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221 2.0.0"])
    }

    @Test("several messages in one session", arguments: Feeding.all)
    func several(_ feeding: Feeding) {
        let session = Session.greeted()
        var input = ""
        for number in 0..<5 {
            input += "MAIL FROM:<>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n\(number)\r\n.\r\n"
        }
        let codes = session.codes("\(input)QUIT\r\n", feeding)
        #expect(codes == Array(repeating: ["250 2.1.0", "250 2.1.5", "354", "250 2.0.0"], count: 5).flatMap { $0 } + ["221 2.0.0"])
        #expect(session.store.bodies == (0..<5).map { "\($0)\r\n" })
        #expect(Set(session.store.messages.map(\.envelope.id)).count == 5)
    }

    @Test("HELO offers no extensions")
    func helo() {
        let session = Session()
        #expect(session.exchange("HELO bar.test\r\n") == "220 mx.test ESMTP ready\r\n250 mx.test\r\n")
    }

    @Test("every command out of place", arguments: [
        ("MAIL FROM:<a@a.test>", "503 5.5.1"), ("RCPT TO:<a@a.test>", "503 5.5.1"), ("DATA", "503 5.5.1"),
        ("NOOP", "250 2.0.0"), ("NOOP ignored text", "250 2.0.0"), ("RSET", "250 2.0.0"), ("RSET x", "501 5.5.4"),
        ("VRFY someone", "252 2.1.5"), ("VRFY", "501 5.5.4"), ("HELP", "214 2.0.0"), ("HELP MAIL", "214 2.0.0"),
        ("EXPN list", "502 5.5.1"), ("STARTTLS", "502 5.5.1"), ("AUTH PLAIN", "502 5.5.1"),         ("XYZZY", "500 5.5.1"), ("", "500 5.5.1"), (" NOOP", "500 5.5.1"), ("NOOP\u{0}", "500 5.5.1"),
        ("\u{FF}\u{FE}", "500 5.5.1"), ("GET / HTTP/1.1", "500 5.5.1"), ("HELO", "501 5.5.4"), ("EHLO", "501 5.5.4"),
        ("EHLO two words", "501 5.5.4"), ("HELO <x>", "501 5.5.4"), ("EHLO (x)", "501 5.5.4"), ("ehlo a_b", "250"),
        ("EHLO [127.0.0.1]", "250"), ("EHLO [IPv6:::1]", "250"), ("noop  \t ", "250 2.0.0"), ("QUIT now", "501 5.5.4"),
    ])
    func outOfPlace(_ command: String, _ code: String) {
        for feeding in [Feeding.whole, .byteByByte] {
            let session = Session()
            session.exchange("")
            #expect(session.codes("\(command)\r\nNOOP\r\n", feeding) == [code, "250 2.0.0"])
        }
    }

    @Test func orderWithinATransaction() {
        let session = Session.greeted()
        #expect(session.codes("MAIL FROM:<a@a.test>\r\nMAIL FROM:<a@a.test>\r\n") == ["250 2.1.0", "503 5.5.1"])
        #expect(session.codes("DATA\r\n") == ["554 5.5.1"])
        #expect(session.codes("RCPT TO:<b@b.test>\r\nDATA now\r\n") == ["250 2.1.5", "501 5.5.4"])
        #expect(session.codes("EHLO again.test\r\nDATA\r\n") == ["250", "503 5.5.1"], "EHLO ends the transaction")
    }

    @Test("MAIL's and RCPT's arguments", arguments: [
        ("MAIL FROM:<a@a.test> SIZE=1000", "250 2.1.0"), ("MAIL FROM:<a@a.test> BODY=8BITMIME", "250 2.1.0"),
        ("mail from:<a@a.test> body=7bit size=0", "250 2.1.0"), ("MAIL FROM: <a@a.test>", "250 2.1.0"),
        ("MAIL FROM:<a@a.test>  ", "250 2.1.0"), ("MAIL FROM:<>", "250 2.1.0"), ("MAIL FROM:<> SIZE=5", "250 2.1.0"),
        ("MAIL FROM:<a@a.test> SIZE=26214400", "250 2.1.0"), ("MAIL FROM:<a@a.test> SIZE=26214401", "552 5.3.4"),
        ("MAIL FROM:<a@a.test> SIZE=99999999999999999999", "552 5.3.4"),
        ("MAIL FROM:<a@a.test> SIZE=999999999999999999999", "501 5.5.4"),
        ("MAIL FROM:<a@a.test> SIZE=-1", "501 5.5.4"), ("MAIL FROM:<a@a.test> SIZE=", "501 5.5.4"),
        ("MAIL FROM:<a@a.test> SIZE", "501 5.5.4"), ("MAIL FROM:<a@a.test> SIZE=1 SIZE=1", "501 5.5.4"),
        ("MAIL FROM:<a@a.test> BODY=BINARYMIME", "250 2.1.0"), ("MAIL FROM:<a@a.test> BODY=", "501 5.5.4"), ("MAIL FROM:<a@a.test> BODY=7BIT BODY=7BIT", "501 5.5.4"),
        ("MAIL FROM:<a@a.test> NOTIFY=NEVER", "555 5.5.4"),
        ("MAIL FROM:<a@a.test>SIZE=1", "501 5.5.4"), ("MAIL FROM:a@a.test", "501 5.1.7"), ("MAIL", "501 5.5.4"),
        ("MAIL a@a.test", "501 5.5.4"), ("MAIL FROM:", "501 5.5.4"), ("MAIL FROM:<postmaster>", "501 5.1.7"),
        ("MAIL FROM:<a@a.test", "501 5.1.7"), ("MAIL TO:<a@a.test>", "501 5.5.4"), ("MAIL FROM:<a>", "501 5.1.7"),
        ("MAIL FROM:<\u{E9}@a.test>", "553 5.6.7"),
    ])
    func mailArguments(_ command: String, _ code: String) {
        #expect(Session.greeted().codes("\(command)\r\n") == [code])
    }

    @Test("RCPT's arguments", arguments: [
        ("RCPT TO:<b@b.test>", "250 2.1.5"), ("rcpt to:<b@b.test>", "250 2.1.5"), ("RCPT TO:<Postmaster>", "250 2.1.5"),
        ("RCPT TO:<POSTMASTER@b.test>", "250 2.1.5"), ("RCPT TO:<>", "501 5.1.3"), ("RCPT TO:<b>", "501 5.1.3"),
        ("RCPT TO:<b@b.test> RET=FULL", "555 5.5.4"), ("RCPT TO:<b@b.test> SIZE=1", "555 5.5.4"),
        ("RCPT FROM:<b@b.test>", "501 5.5.4"), ("RCPT TO:<\"a b\"@b.test>", "250 2.1.5"), ("RCPT", "501 5.5.4"),
        ("RCPT TO:<b@b.test> x", "555 5.5.4"), ("RCPT TO:<b@[127.0.0.1]>", "250 2.1.5"),
    ])
    func rcptArguments(_ command: String, _ code: String) {
        let session = Session.greeted()
        session.exchange("MAIL FROM:<a@a.test>\r\n")
        #expect(session.codes("\(command)\r\n") == [code])
    }

    @Test("the trace header", arguments: [(String, SocketAddress, String?, String)]([
        ("EHLO client.test", SocketAddress.ipv4(0x7F00_0001, port: 9), "b@b.test",
            "from client.test ([127.0.0.1])\r\n\tby mx.test with ESMTP id ID\r\n\tfor <b@b.test>"),
        ("HELO client.test", .ipv6(high: 0, low: 1, port: 9), "b@b.test",
            "from client.test ([IPv6:::1])\r\n\tby mx.test with SMTP id ID\r\n\tfor <b@b.test>"),
        ("EHLO client.test", .unix(path: ""), nil, "from client.test\r\n\tby mx.test with ESMTP id ID"),
    ]))
    func traceHeader(_ hello: String, _ peer: SocketAddress, _ only: String?, _ expected: String) throws {
        let session = Session(peer: peer)
        let second = only == nil ? "RCPT TO:<c@c.test>\r\n" : ""
        session.exchange("\(hello)\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n\(second)DATA\r\nx\r\n.\r\n")
        let (envelope, content) = try #require(session.store.messages.first)
        let text = String(decoding: content, as: UTF8.self).replacing(envelope.id.text, with: "ID")
        #expect(text == "Received: \(expected);\r\n\tSun, 06 Nov 1994 08:49:37 +0000\r\nx\r\n")
        #expect(envelope.received == 784_111_777)
    }

    @Test("a store that fails", arguments: [
        (MessageStoreError.failed("broken"), "451 4.3.0"), (.full("no room"), "452 4.3.1"),
    ])
    func storeFails(_ error: MessageStoreError, _ code: String) {
        let session = Session.inData(store: MemoryStore(failing: error))
        #expect(session.codes("x\r\n.\r\nMAIL FROM:<a@a.test>\r\n") == [code, "250 2.1.0"])
    }

    @Test("a service that stops")
    func stopping() {
        let between = Session.greeted()
        between.driver.stop()
        #expect(between.output() == "421 4.3.2 service stopping\r\n")
        #expect(between.driver.closed == .finished)

        for (step, rest) in [("MAIL FROM:<a@a.test>\r\n", "RCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\n"),
            ("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx", "\r\n.\r\n")]
        {
            let within = Session.greeted()
            within.exchange(step)
            within.driver.stop()
            #expect(within.driver.closed == nil)
            #expect(within.exchange(rest).hasSuffix("250 2.0.0 queued as ID\r\n421 4.3.2 service stopping\r\n"))
            #expect(within.driver.closed == .finished)
            #expect(within.store.messages.count == 1)
        }

        let reset = Session.greeted()
        reset.exchange("MAIL FROM:<a@a.test>\r\n")
        reset.driver.stop()
        #expect(reset.codes("RSET\r\n") == ["250 2.0.0", "421 4.3.2"])
    }

    @Test("the peer goes away")
    func truncated() {
        let session = Session.inData()
        session.exchange("half a message\r\n")
        session.driver.receiveEndOfInput()
        #expect(session.driver.closed == .finished)
        #expect(session.store.messages.isEmpty)

        let half = Session.greeted()
        half.exchange("MAIL FR")
        half.driver.receiveEndOfInput()
        #expect(half.output() == "")
        #expect(half.driver.closed == .finished)
    }
}
