import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// STARTTLS (RFC 3207), over a layer that is readable.
@Suite struct StartTLSTests {
    private let store = MemoryStore()

    private func drive(offered: Bool = true) -> TestDriver {
        var startTLS: (@Sendable () -> ConnectionLayer)?
        if offered { startTLS = { ToyLayer() } }
        let server = SMTPServer(hostname: "mx.test", store: store, startTLS: startTLS, logger: quietLogger)
        let driver = TestDriver(SMTPServerHandler(server))
        let _: String = driver.takeOutput()
        return driver
    }

    private func reply(_ driver: TestDriver) -> String { driver.takeOutput() }

    /// What came through the layer.
    private func unsealed(_ driver: TestDriver) -> String {
        let output: [UInt8] = driver.takeOutput()
        return String(decoding: stride(from: 1, to: output.count, by: 2).map { output[$0] ^ 0x20 }, as: UTF8.self)
    }

    @Test func itIsOfferedOnceAndOnlyWhereItIsThere() {
        let without = drive(offered: false)
        without.receive("EHLO a.test\r\n")
        #expect(!reply(without).contains("STARTTLS"))
        without.receive("STARTTLS\r\n")
        #expect(reply(without) == "502 5.5.1 command not implemented\r\n")

        let driver = drive()
        driver.receive("EHLO a.test\r\n")
        #expect(reply(driver).contains("\r\n250-STARTTLS\r\n"))
        driver.receive("STARTTLS now\r\n")
        #expect(reply(driver).hasPrefix("501 "))
        driver.receive("STARTTLS\r\n")
        #expect(reply(driver) == "220 2.0.0 start TLS\r\n")
        driver.receive("H")
        #expect(reply(driver) == "h")
        driver.receive(ToyLayer.sealed("EHLO a.test\r\nSTARTTLS\r\n"))
        let answers = unsealed(driver)
        #expect(answers.hasPrefix("250-mx.test\r\n") && !answers.contains("250-STARTTLS"))
        #expect(answers.hasSuffix("503 5.5.1 TLS is there already\r\n"))
    }

    /// CVE-2011-0411: commands in plain behind STARTTLS must not count as sent under it.
    @Test(arguments: Feeding.all) func whatIsInjectedBehindItIsNotExecuted(_ feeding: Feeding) {
        let driver = drive()
        driver.receive("EHLO a.test\r\nMAIL FROM:<x@a.test>\r\n")
        _ = reply(driver)
        // In one piece: what comes in a later one is the peer's handshake, and a bad one.
        driver.receive("STARTTLS\r\nRSET\r\nMAIL FROM:<evil@a.test>\r\nRCPT TO:<y@b.test>\r\nDATA\r\nevil\r\n.\r\n")
        #expect(reply(driver) == "220 2.0.0 start TLS\r\n")
        driver.receive("H")
        _ = reply(driver)
        feeding.feed(ToyLayer.sealed("RCPT TO:<y@b.test>\r\nMAIL FROM:<x@a.test>\r\n"), to: driver)
        let answers = unsealed(driver)
        #expect(answers == "503 5.5.1 MAIL first\r\n503 5.5.1 say HELO or EHLO first\r\n", "what was said before is forgotten")
        #expect(store.messages.isEmpty)
    }

    @Test func theTraceSaysThatItWasUsed() throws {
        let driver = drive()
        driver.receive("STARTTLS\r\n")
        driver.receive("H")
        driver.receive(
            ToyLayer.sealed(
                "EHLO a.test\r\nMAIL FROM:<x@a.test>\r\nRCPT TO:<y@b.test>\r\nDATA\r\n\r\nhello\r\n.\r\nQUIT\r\n"))
        let (_, content) = try #require(store.messages.first)
        #expect(String(decoding: content, as: UTF8.self).contains("\r\n\tby mx.test with ESMTPS id "))
        #expect(driver.closed == .finished)
    }
}
