@testable import ReactorMailRelay
import ReactorSMTP
import Testing

@Suite struct NoticeTests {
    private func notice(
        _ kind: Notice.Kind = .failed, about message: OutgoingMessage = message(), original: String? = nil,
        report: DeliveryReport = report(5, 1, 1, "550 5.1.1 no such user"), limit: Int = 50_000
    ) -> (envelope: Envelope, text: String) {
        let recipients = message.recipients.map {
            Notice.Recipient(Envelope.Recipient($0.address, originalRecipient: original), report)
        }
        let notice = Notice(kind: kind, about: message, recipients: recipients, hostname: "relay.test", now: 1_700_000_100)
        let made = notice.made(returning: limit)
        return (made.envelope, made.content.text)
    }

    @Test func whole() throws {
        let made = notice(about: message { $0.envelopeID = "QQ+2B1" }, original: "rfc822;Bob+40b.test")
        #expect(made.envelope.sender == "" && made.envelope.recipients.map(\.address) == ["a@a.test"])
        #expect(made.envelope.body == .sevenBit && !made.envelope.isInternationalized && made.envelope.received == 1_700_000_100)
        let id = made.envelope.id
        #expect(
            made.text == """
                From: Mail Delivery System <MAILER-DAEMON@relay.test>
                To: <a@a.test>
                Subject: Undelivered mail returned to sender
                Date: Tue, 14 Nov 2023 22:15:00 +0000
                Message-ID: <\(id)@relay.test>
                Auto-Submitted: auto-replied
                MIME-Version: 1.0
                Content-Type: multipart/report; report-type=delivery-status;
                \tboundary="=_ID_\(id)"

                --=_ID_\(id)
                Content-Type: text/plain; charset=us-ascii

                This is the mail system at relay.test.

                Your message could not be delivered to:

                  <b@b.test>
                    mx.test said: 550 5.1.1 no such user

                --=_ID_\(id)
                Content-Type: message/delivery-status

                Reporting-MTA: dns; relay.test
                Original-Envelope-Id: QQ+1
                Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000

                Original-Recipient: rfc822; Bob@b.test
                Final-Recipient: rfc822; b@b.test
                Action: failed
                Status: 5.1.1
                Remote-MTA: dns; mx.test
                Diagnostic-Code: smtp; 550 5.1.1 no such user
                Last-Attempt-Date: Tue, 14 Nov 2023 22:15:00 +0000

                --=_ID_\(id)
                Content-Type: message/rfc822

                Subject: x

                body

                --=_ID_\(id)--

                """.replacingLineFeeds)
    }

    @Test("what is returned", arguments: [
        (Notice.Kind.failed, nil, 50_000, "message/rfc822"), (.failed, .full, 50_000, "message/rfc822"),
        (.failed, .headers, 50_000, "text/rfc822-headers"), (.failed, .full, 17, "text/rfc822-headers"), (.failed, .full, 20, "message/rfc822"),
        (.relayed, .full, 50_000, "text/rfc822-headers"), (.delayed(until: 1), .full, 50_000, "text/rfc822-headers"),
    ] as [(Notice.Kind, Envelope.ReturnContent?, Int, String)])
    func returned(_ kind: Notice.Kind, _ asked: Envelope.ReturnContent?, _ limit: Int, _ type: String) {
        let text = notice(kind, about: message { $0.returnContent = asked }, limit: limit).text
        #expect(text.contains("Content-Type: \(type)\r\n\r\nSubject: x\r\n"))
        #expect(text.contains("\r\nbody\r\n") == (type == "message/rfc822"))
    }

    @Test func binaryAndEightBit() {
        let eight = message(content: "Subject: x\r\n\r\nñ\r\n") { $0.body = .eightBitMIME }
        let made = notice(about: eight)
        #expect(made.envelope.body == .eightBitMIME && made.text.contains("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"))
        let binary = notice(about: message(content: "Subject: x\r\n\r\n\u{0}\n\n") { $0.body = .binaryMIME })
        #expect(binary.text.contains("text/rfc822-headers") && !binary.text.contains("\u{0}"))
        #expect(binary.envelope.body == .sevenBit)
    }

    /// What holds a bare line end is refused wherever it is sent, and a notice that is refused is never heard of.
    @Test("headers of contents with other line ends", arguments: ["Subject: x\nTo: y\r\nA: \r\n\r\nbody", "Subject: x\r\nTo: \ry\r\nA: \0\r\n\r\nbody", "Subject: x\n\nbody"])
    func lineEnds(_ content: String) {
        let text = notice(about: message(content: content) { $0.body = .binaryMIME }).text
        #expect(text.contains("Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n") && !text.contains("\0"))
        #expect(!text.replacing("\r\n", with: "").utf8.contains { $0 == 10 || $0 == 13 })
    }

    @Test func internationalized() {
        let about = message([Envelope.Recipient("ñ@b.test")], sender: "ü@a.test", content: "Subject: ñ\r\n\r\nbody\r\n") {
            $0.isInternationalized = true
            $0.body = .eightBitMIME
        }
        let made = notice(about: about)
        #expect(made.envelope.isInternationalized && made.envelope.recipients[0].address == "ü@a.test")
        for part in [
            "report-type=global-delivery-status", "message/global-delivery-status", "Final-Recipient: utf-8; ñ@b.test",
            "Content-Type: message/global\r\n", "To: <ü@a.test>",
        ] { #expect(made.text.contains(part), "\(part)") }
    }

    @Test func nothingThatCameFromElsewhereBeginsALine() {
        let about = message([Envelope.Recipient("b@b.test")]) { $0.envelopeID = "x+0D+0AX-Evil:+20yes" }
        let evil = DeliveryReport(status: EnhancedStatusCode(5, 0, 0), text: "no\r\nX-Evil: yes", remote: "mx\nX-Evil: yes")
        let text = notice(about: about, original: "rfc822;a+0D+0AX-Evil:+20yes", report: evil).text
        #expect(!text.contains("\nX-Evil"))
        #expect(text.contains("Original-Envelope-Id: x??X-Evil: yes") && text.contains("Original-Recipient: rfc822; a??X-Evil: yes"))
        #expect(!notice(original: "no type").text.contains("Original-Recipient"))
        #expect(!notice(original: ";x").text.contains("Original-Recipient"))
    }

    @Test func hugeHeadersAreCutAtALine() {
        let lines = (0..<2000).map { "X-\($0): \(String(repeating: "y", count: 50))\r\n" }.joined()
        let text = notice(about: message(content: lines + "\r\nbody\r\n"), limit: 100).text
        #expect(text.utf8.count < 20_000 && text.contains("y\r\n\r\n--=_ID_"))
    }

    @Test("xtext", arguments: [("a+2Bb", "a+b"), ("a+", "a+"), ("+4", "+4"), ("+zz", "+zz"), ("+2b", "+2b"), ("", ""), ("+FF", "\u{FFFD}")])
    func xtext(_ text: String, _ expected: String) { #expect(Xtext.decoded(text) == expected) }
}

extension String {
    fileprivate var replacingLineFeeds: String { split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") }
}
