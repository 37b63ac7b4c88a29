import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// `reactor serve smtp` with an Exim behind it.
@Suite(.timeLimit(.minutes(40))) struct MailEximTests {
    @Test(.enabled(if: Exim.isHere, "make test unpacks Exim, and root alone may start it"))
    func eximIsNextHop() throws {
        let directory = try TemporaryDirectory()
        let certificates = try Certificates()
        try certificates.makeAuthority()
        try certificates.issue("server", serial: 1_000)
        let exim = try Exim(certificates)
        let server = try startRelay(directory.path + "/spool", to: exim.address, ["--delivery-tls", "required", "--first-retry", "600"])
        for number in 0..<10 {
            #expect(try send(server.addresses[0], subject: "number \(number)", from: "me@here.test", to: "you@exim.test"))
        }
        let sent = try python(
            """
            import smtplib, sys
            with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=30) as client:
                client.ehlo()
                client.sendmail("me@here.test", ["eight@exim.test"], "Subject: eight\\r\\n\\r\\n.\\r\\n..Gr\\u00fc\\u00dfe\\r\\n".encode(),
                    mail_options=["BODY=8BITMIME", "RET=HDRS", "ENVID=an+2Bid"], rcpt_options=["NOTIFY=SUCCESS", "ORCPT=rfc822;other+40exim.test"])
                client.sendmail("j\\u00fcrgen@here.test", ["\\u00fc@exim.test"], "Subject: utf\\r\\n\\r\\nx\\r\\n",
                    mail_options=["SMTPUTF8", "BODY=8BITMIME"])
                client.sendmail("me@here.test", ["large@exim.test"], "Subject: large\\r\\n\\r\\n" + "0123456789abcdef\\r\\n" * 100000)
                client.sendmail("me@here.test", ["unknown@exim.test", "known@exim.test", "later@exim.test"], "Subject: some\\r\\n\\r\\nx\\r\\n")
                client.docmd("MAIL FROM:<me@here.test> BODY=BINARYMIME")
                client.docmd("RCPT TO:<binary@exim.test>")
                content = b"Subject: binary\\r\\n\\r\\na\\nb\\rc"
                client.send(b"BDAT %d LAST\\r\\n" % len(content) + content)
                assert client.getreply()[0] == 250
            """, "\(server.addresses[0].port ?? 0)")
        #expect(sent.status == 0, "\(sent.errors)")
        // Ten, four of their own, two notices of ours and one of Exim's.
        #expect(eventually { exim.messages.count >= 17 }, "\(exim.messages.count) messages: \(exim.log)")
        let messages = exim.messages
        // Exim's own report quotes the header of what it is about, and may come first.
        let reports = messages.filter { $0.contains("\nAction: delivered\n") }
        func message(_ mark: String) -> String { messages.first { $0.contains(mark) && !reports.contains($0) } ?? "" }
        for number in 0..<10 { #expect(messages.count { $0.contains("\nSubject: number \(number)\n\nHello.\n") } == 1) }
        let eight = message("\nSubject: eight\n\n")
        #expect(eight.hasPrefix("Return-path: <me@here.test>\nEnvelope-to: eight@exim.test\n") && eight.hasSuffix("\n\n.\n..Gr\u{FC}\u{DF}e\n"), "\(eight)")
        #expect(eight.contains("by exim.test with esmtps") && eight.contains("\tby relay.test with ESMTP id "))
        #expect(message("\nSubject: utf\n").hasPrefix("Return-path: <j\u{FC}rgen@here.test>\nEnvelope-to: \u{FC}@exim.test\n"))
        #expect(message("\nSubject: large\n").hasSuffix("\n\n" + String(repeating: "0123456789abcdef\n", count: 100_000)))
        #expect(message("Envelope-to: known@exim.test\n").contains("\nSubject: some\n"))
        // Exim offers DSN, and so tells of the delivery itself: as we passed it on.
        let delivered = reports.first ?? ""
        #expect(delivered.contains("Original-Envelope-ID: an+2Bid\n") && delivered.contains("rfc822;other+40exim.test\n"), "\(delivered)")
        let unknown = message("\nFinal-Recipient: rfc822; unknown@exim.test\n")
        #expect(unknown.hasPrefix("Return-path: <>\n") && unknown.contains("\nDiagnostic-Code: smtp; 550 no such user\n"), "\(unknown)")
        let binary = message("\nFinal-Recipient: rfc822; binary@exim.test\n")
        #expect(binary.hasPrefix("Return-path: <>\n") && binary.contains("\nStatus: 5.6.3\n"), "it offers no BINARYMIME: \(binary)")
        // The one that is deferred waits, alone.
        let waiting = try queued(directory.path + "/spool")
        #expect(waiting.count == 1 && "\(waiting)".contains("451 come back"), "\(waiting)")
        try exim.open()
        #expect(try reactor("queue", "retry", "--spool", directory.path + "/spool", "--recipient", "later@exim.test").status == 0)
        #expect(try waitUntilEmpty(directory.path + "/spool"))
        #expect(eventually { exim.messages.contains { $0.contains("Envelope-to: later@exim.test\n") } })
        #expect(exim.messages.count == 18, "none came twice")
        #expect(server.stop() == 0)
    }
}
