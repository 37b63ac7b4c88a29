import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// `reactor serve smtp` between real clients and a next hop.
@Suite(.timeLimit(.minutes(40))) struct SMTPTests {
    /// One that no recipient can have would be taken in silence, and its mail refused.
    @Test func relayDomainsAreChecked() throws {
        func check(_ domain: String) throws -> (status: Int32, text: String) {
            let result = try reactor(
                "serve", "smtp", "--listen", "127.0.0.1:0", "--check", "--spool", "/tmp/unused", "--hostname", "relay.test",
                "--relay-domain", domain)
            return (result.status, result.output + result.errors)
        }
        for (domain, shown) in [
            ("b\u{FC}cher.example.", "takes for    b\u{FC}cher.example, xn--bcher-kva.example, from anybody"),
            (".Example.org", "takes for    .example.org, from anybody"), ("[IPv6:::1]", "takes for    [ipv6:::1], from anybody"),
        ] {
            let good = try check(domain)
            #expect(good.status == 0 && good.text.contains(shown), "\(good.text)")
        }
        for domain in ["*.example.org", "a@example.org", "..example.org", ".[192.0.2.1]", "example..org", "."] {
            let bad = try check(domain)
            #expect(bad.status == 78 && bad.text.contains("'\(domain)' will not do for --relay-domain"), "\(bad.text)")
        }
    }

    @Test(arguments: architectures)
    func swaksAndPythonHaveTheirMailDelivered(_ architecture: String) throws {
        let spool = try TemporaryDirectory()
        let sink = try MailSink()
        let server = try startRelay(spool.path, to: sink.address, ["--architecture", architecture])
        #expect(try queued(spool.path).isEmpty)
        let port = try #require(server.addresses[0].port)
        let swaks = try run(
            "swaks",
            [
                "--server", "127.0.0.1", "--port", String(port), "--from", "a@example.org", "--to", "b@example.org,c@example.org",
                "--helo", "client.test", "--pipeline", "--header", "Subject: from swaks", "--body", ".\n..dots\nend",
            ])
        #expect(swaks.status == 0, "\(swaks.output)")
        let python = try TestSupport.python(
            """
            import smtplib, sys
            with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=10) as client:
                client.ehlo()
                assert client.has_extn("pipelining") and client.has_extn("8bitmime") and client.has_extn("size")
                for index in range(5):
                    client.sendmail("a@example.org", ["b@example.org"],
                        "Subject: python %d\\r\\n\\r\\nGr\\u00fc\\u00dfe\\r\\n".encode() % index, mail_options=["BODY=8BITMIME"])
                try:
                    client.sendmail("bad address@", ["b@example.org"], b"x")
                    assert False
                except smtplib.SMTPSenderRefused as error:
                    assert 500 <= error.smtp_code < 600, error
                assert client.noop()[0] == 250
            print("done")
            """, String(port))
        #expect(python.output == "done\n", "\(python.errors)")
        let delivered = sink.wait(for: 6)
        #expect(Set(delivered) == Set(["from swaks"] + (0..<5).map { "python \($0)" }))
        #expect(try waitUntilEmpty(spool.path))
        #expect(server.stop() == 0)
    }

    @Test func mailWaitsForANextHopThatIsDown() throws {
        let spool = try TemporaryDirectory()
        let held = try MailSink()
        // A port that refuses connections: bound, then closed.
        let down = try ServerProcess("reactor", ["serve", "echo", "--listen", "127.0.0.1:0"])
        let address = down.addresses[0]
        #expect(down.stop() == 0)
        let server = try startRelay(spool.path, to: address)
        #expect(try send(server.addresses[0], subject: "waiting", from: "a@example.org", to: "b@example.org"))
        let listed = try queued(spool.path)
        #expect(listed.count == 1)
        #expect(listed.first?["sender"] as? String == "a@example.org")
        #expect(server.stop() == 0)
        #expect(try queued(spool.path).count == 1, "it is still there when the relay has stopped")
        let again = try startRelay(spool.path, to: held.address)
        #expect(held.wait(for: 1) == ["waiting"])
        #expect(again.stop() == 0)
        #expect(try queued(spool.path).isEmpty)
    }

    @Test func onlyAllowedNetworksRelay() throws {
        let spool = try TemporaryDirectory()
        let sink = try MailSink()
        let server = try startRelay(spool.path, to: sink.address, ["--allow", "192.0.2.0/24"])
        let client = try TestClient(server.addresses[0])
        client.send("EHLO a\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nQUIT\r\n")
        let text = client.receiveToEnd().text
        #expect(text.contains("\r\n554 5.7.1 "), "\(text)")
        #expect(server.stop() == 0)
    }

    @Test func twoRelaysOnOneSpoolAreRefused() throws {
        let spool = try TemporaryDirectory()
        let sink = try MailSink()
        let server = try startRelay(spool.path, to: sink.address)
        let second = try reactor(
            "serve", "smtp", "--listen", "127.0.0.1:0", "--spool", spool.path, "--next-hop", sink.address.description)
        #expect(second.status == 1)
        #expect(second.errors == "reactor: another process delivers from the spool in '\(spool.path)': stop it first, or give another directory\n")
        #expect(server.stop() == 0)
    }

    @Test(arguments: architectures)
    func badInputIsRefusedAndHarmsNobodyElse(_ architecture: String) throws {
        let spool = try TemporaryDirectory()
        let sink = try MailSink()
        let server = try startRelay(spool.path, to: sink.address, ["--architecture", architecture])
        func converse(_ input: String) throws -> String {
            let client = try TestClient(server.addresses[0])
            client.send(input)
            client.endOutput()
            return client.receiveToEnd().text
        }
        #expect(try converse("\u{1}\u{2}garbage\r\nQUIT\r\n").contains("\r\n500 "))
        #expect(try converse("EHLO a\nMAIL FROM:<a@b>\r\nQUIT\r\n").hasSuffix("\r\n550 5.6.0 lines must end in CRLF, and hold no other CR or LF\r\n"), "a bare LF ends the session")
        #expect(try converse("DATA\r\nQUIT\r\n").contains("\r\n503 "))
        #expect(try converse("EHLO a\r\nMAIL FROM:<a@b.c> SIZE=999999999999\r\nQUIT\r\n").contains("\r\n552 "))
        let smuggled = try converse(
            "EHLO a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\n"
                + "Subject: smuggled\r\n\r\nx\n.\nMAIL FROM:<evil@b.c>\r\n.\r\nQUIT\r\n")
        #expect(smuggled.contains("\r\n550 5.6.0 ") || smuggled.contains("\r\n554 5.6.0 "), "\(smuggled)")
        let truncated = try converse("EHLO a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\nSubject: truncated\r\n\r\nx")
        #expect(!truncated.contains("queued"))
        let endless = try TestClient(server.addresses[0])
        let block = [UInt8](repeating: 0x41, count: 65_536)
        for _ in 0..<200 where !endless.send(block) { break }
        #expect(endless.receiveToEnd().text.contains("500 "))
        #expect(try send(server.addresses[0], subject: "still here", from: "a@example.org", to: "b@example.org"))
        #expect(sink.wait(for: 1) == ["still here"])
        #expect(server.stop() == 0)
    }
}

/// Sends one message, one command at a time; true once it got its 250.
func send(_ address: SocketAddress, subject: String, from: String, to: String) throws -> Bool {
    let client = try TestClient(address)
    func reply() -> String {
        while true {
            let line = client.receiveLine()
            if line.count < 4 || Array(line.utf8)[3] != 0x2D { return line }
        }
    }
    guard reply().hasPrefix("220") else { return false }
    for (command, code) in [
        ("EHLO client.test", "250"), ("MAIL FROM:<\(from)>", "250"), ("RCPT TO:<\(to)>", "250"), ("DATA", "354"),
        ("Subject: \(subject)\r\n\r\nHello.\r\n.", "250"),
    ] {
        guard client.send(command + "\r\n"), reply().hasPrefix(code) else { return false }
    }
    client.send("QUIT\r\n")
    return true
}
