import ConnectionHandling
import Foundation
import Glibc
import ReactorSMTP
import TestSupport
import Testing

/// `reactor serve smtp` between mail programs that others wrote.
@Suite(.timeLimit(.minutes(40))) struct MailPeerTests {
    private let directory: TemporaryDirectory
    private let certificates: Certificates
    private var spool: String { directory.path + "/spool" }

    init() throws {
        directory = try TemporaryDirectory()
        certificates = try Certificates()
        try certificates.makeAuthority()
        try certificates.issue("server", serial: 1_000)
    }

    private var tls: [String] { ["--tls-cert", certificates.path("server.pem"), "--tls-key", certificates.path("server.key")] }

    private static func isInstalled(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    // MARK: Clients

    private func users() throws -> [String] {
        let user = try run(ServerProcess.executable("reactor").path, ["mail", "user", "alice"], input: "open sesame\n")
        #expect(user.status == 0 && user.output.hasPrefix("alice:"), "\(user)")
        try directory.write(user.output, to: "users")
        return ["--users", directory.path + "/users"]
    }

    private func swaks(_ server: ServerProcess, _ more: [String]) throws -> CommandResult {
        try run(
            "swaks", ["--server", server.addresses[0].description, "--from", "a@a.test", "--to", "b@b.test", "--header", "Subject: swaks"] + more)
    }

    @Test("swaks, by each mechanism", arguments: ["PLAIN", "LOGIN"]) func swaksAuthenticates(_ mechanism: String) throws {
        let sink = try MailSink()
        // Nobody may relay but users, and those only over TLS.
        let server = try startRelay(spool, to: sink.address, ["--allow", "192.0.2.0/24", "--submission"] + users() + tls)
        let login = ["--auth", mechanism, "--auth-user", "alice", "--auth-password"]
        #expect(try swaks(server, []).status != 0)
        #expect(try swaks(server, login + ["open sesame"]).status != 0, "not without TLS")
        #expect(try swaks(server, ["--tls"] + login + ["wrong"]).output.contains("535 "))
        let sent = try swaks(server, ["--tls"] + login + ["open sesame"])
        #expect(sent.status == 0 && sent.output.contains("235 "), "\(sent.output)")
        #expect(sink.wait(for: 1) == ["swaks"])
        #expect(sink.contents.first?.contains(" with ESMTPSA ") == true, "\(sink.contents)")
        #expect(server.stop() == 0)
    }

    @Test func swaksAuthenticatesInPlainWhereItMay() throws {
        let sink = try MailSink()
        let server = try startRelay(spool, to: sink.address, ["--allow", "192.0.2.0/24", "--auth-without-tls"] + users())
        let sent = try swaks(server, ["--auth", "PLAIN", "--auth-user", "alice", "--auth-password", "open sesame"])
        #expect(sent.status == 0, "\(sent.output)")
        #expect(sink.wait(for: 1) == ["swaks"])
        #expect(server.stop() == 0)
    }

    @Test("openssl s_client", arguments: ["starttls", "implicit"]) func sClient(_ how: String) throws {
        let sink = try MailSink()
        let server = try startRelay(spool, to: sink.address, (how == "implicit" ? ["--implicit-tls"] : []) + tls)
        if how == "implicit" { #expect(server.output.contains("listening on smtps://")) }
        let dialogue =
            "EHLO client.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n" + "Subject: \(how)\r\n\r\nRead\r\n.\r\nQUIT\r\n"
        let result = try run(
            "openssl",
            ["s_client", "-connect", server.addresses[0].description, "-CAfile", certificates.authority, "-verify_return_error"]
                + ["-servername", "localhost", "-quiet"] + (how == "implicit" ? [] : ["-starttls", "smtp"]),
            input: dialogue, seconds: 20)
        #expect(result.output.contains("354 ") && result.output.hasSuffix("221 2.0.0 bye\r\n"), "\(result.output) \(result.errors)")
        #expect(sink.wait(for: 1) == [how])
        #expect(sink.contents.first?.contains(" with ESMTPS ") == true)
        #expect(server.stop() == 0)
    }

    @Test func smtplibOverImplicitTLS() throws {
        let sink = try MailSink()
        let server = try startRelay(spool, to: sink.address, ["--implicit-tls"] + users() + tls)
        let result = try python(
            """
            import smtplib, ssl, sys
            context = ssl.create_default_context(cafile=sys.argv[2])
            with smtplib.SMTP_SSL("localhost", int(sys.argv[1]), timeout=10, context=context) as client:
                client.login("alice", "open sesame")
                refused = client.sendmail("a@a.test", ["b@b.test", "c@c.test"], "Subject: smtplib\\r\\n\\r\\n.dots\\r\\n..\\r\\n")
                print(refused)
            """, "\(server.addresses[0].port ?? 0)", certificates.authority)
        #expect(result.output == "{}\n", "\(result.errors)")
        #expect(sink.wait(for: 1) == ["smtplib"] && sink.contents.first?.hasSuffix("\r\n\r\n.dots\r\n..\r\n") == true)
        #expect(server.stop() == 0)
    }

    // MARK: From a source to a sink

    /// Postfix's own load generator and sink, with every architecture between them.
    @Test(.enabled(if: isInstalled("/usr/sbin/smtp-source"), "smtp-source is not installed"), arguments: architectures)
    func smtpSourceToSmtpSink(_ architecture: String) throws {
        let next = try freeAddress()
        let dumps = directory.path + "/dumps"
        try FileManager.default.createDirectory(atPath: dumps, withIntermediateDirectories: false)
        #expect(chmod(dumps, 0o777) == 0)
        let sink = Process()
        sink.executableURL = URL(filePath: "/usr/sbin/smtp-sink")
        // As root it wants to be somebody else.
        sink.arguments = (getuid() == 0 ? ["-u", "nobody"] : []) + ["-d", dumps + "/%s.", next.description, "100"]
        sink.standardError = FileHandle.nullDevice
        try sink.run()
        defer { kill(sink.processIdentifier, SIGKILL) }
        let server = try startRelay(spool, to: next, ["--architecture", architecture])
        // A server that has one session at a time keeps others waiting.
        let sessions = architecture == "iterative" ? "1" : "10"
        let source = try run(
            "/usr/sbin/smtp-source",
            ["-s", sessions, "-m", "200", "-l", "4096", "-f", "a@a.test", "-t", "b@b.test", server.addresses[0].description], seconds: 60)
        #expect(source.status == 0, "\(source.errors)")
        #expect(try waitUntilEmpty(spool))
        let files = try FileManager.default.contentsOfDirectory(atPath: dumps)
        let contents = try files.map { try String(contentsOfFile: dumps + "/" + $0, encoding: .utf8) }
        #expect(contents.count == 200 && contents.allSatisfy { $0.contains("by relay.test") && $0.utf8.count > 4_096 })
        #expect(server.stop() == 0)
    }

    // MARK: Postfix

    @Test(.enabled(if: Postfix.isHere, "Postfix is not installed, or this user may not start it"))
    func postfixIsClientAndNextHop() throws {
        let sink = try MailSink()
        // Postfix's certificate is for localhost and 127.0.0.1, of our authority: for us any will do, as the next hop is
        // not to be verified; and Postfix takes ours, which nobody vouches for.
        let first = try startRelay(spool, to: sink.address, ["--tls-self-signed"])
        let postfix = try Postfix(relay: first.addresses[0], certificates: certificates)
        for number in 0..<10 {
            let given = try postfix.send(from: "me@here.test", to: "you@far.test", "Subject: \(number)\n\n.\n..dots\n\u{FC}\n")
            #expect(given.status == 0, "\(given.errors)")
        }
        #expect(sink.wait(for: 10).count == 10, "\(postfix.log)")
        for delivery in sink.deliveries {
            #expect(delivery.envelope.sender == "me@here.test" && delivery.envelope.recipients.map(\.address) == ["you@far.test"])
            #expect(delivery.content.hasSuffix("\r\n\r\n.\r\n..dots\r\n\u{FC}\r\n"))
            #expect(delivery.content.contains("from mail.postfix.test (") && delivery.content.contains(" with ESMTPS "), "\(delivery.content)")
        }
        #expect(postfix.log.components(separatedBy: "status=sent (250 2.").count == 11, "\(postfix.log)")
        #expect(first.stop() == 0)

        let second = try startRelay(spool + "2", to: postfix.address)
        for number in 0..<10 {
            #expect(try send(second.addresses[0], subject: "\(number)", from: "me@here.test", to: "you@postfix.test"))
        }
        #expect(try waitUntilEmpty(spool + "2"))
        for _ in 0..<500 where postfix.messages.count < 10 { usleep(20_000) }
        let messages = postfix.messages
        #expect(messages.count == 10, "\(postfix.log)")
        #expect(messages.allSatisfy { $0.contains("from relay.test (") && $0.contains("(using TLSv1.3 ") && $0.contains("\n\nHello.\n") }, "\(messages)")
        // What Postfix refuses comes back, from nobody, to whom we are a client.
        let refused = try send(second.addresses[0], subject: "refused", from: "you@postfix.test", to: "bad@no domain.test")
        #expect(!refused, "and what we refuse stays with the client")
        #expect(second.stop() == 0)
    }

    // MARK: Next hops, and local delivery

    @Test("aiosmtpd as next hop", arguments: ["plain", "starttls", "lmtp"]) func aiosmtpd(_ kind: String) throws {
        let next = try MailSendTests.Sink(kind, certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
        let address = (kind == "lmtp" ? "lmtp:" : "") + "127.0.0.1:\(next.port)"
        // Verified for the name that is configured, and so only where there is TLS.
        let server = try startRelay(spool, to: nil, ["--next-hop", address] + (kind == "starttls" ? ["--delivery-tls", "required"] : []))
        for number in 0..<5 { #expect(try send(server.addresses[0], subject: "\(number)", from: "a@a.test", to: "b@b.test")) }
        #expect(try waitUntilEmpty(spool))
        #expect(server.stop() == 0)
        let messages = try next.messages()
        #expect(messages.count == 5 && messages.allSatisfy { $0.from == "a@a.test" && $0.to == ["b@b.test"] && $0.tls == (kind == "starttls") })
        #expect(Set(messages.compactMap { $0.content.components(separatedBy: "Subject: ").last?.first }) == Set("01234"))
    }

    /// Each domain its own way, in one message.
    @Test func routes() throws {
        let sink = try MailSink()
        let lists = try MailSendTests.Sink("lmtp")
        let mail = directory.path + "/mail"
        try FileManager.default.createDirectory(atPath: mail + "/ann", withIntermediateDirectories: true)
        let server = try startRelay(
            spool, to: sink.address,
            ["--route", "home.test=maildir:\(mail)/%u", "--route", "lists.test=lmtp:127.0.0.1:\(lists.port)"]
                + ["--route", "nowhere.test=discard", "--route", "closed.test=error:5.7.1 closed for good"])
        let sent = try run(
            "swaks",
            ["--server", server.addresses[0].description, "--from", "me@far.test", "--header", "Subject: each", "--body", "Hello."]
                + ["--to", "Ann@home.test,nobody@home.test,all@lists.test,x@nowhere.test,y@closed.test,z@other.test"])
        #expect(sent.status == 0, "\(sent.output)")
        #expect(try waitUntilEmpty(spool))
        let files = try FileManager.default.contentsOfDirectory(atPath: mail + "/ann/new")
        #expect(files.count == 1)
        let local = try String(contentsOfFile: mail + "/ann/new/" + (files.first ?? ""), encoding: .utf8)
        #expect(local.hasPrefix("Return-Path: <me@far.test>\n") && local.contains("Subject: each\n") && !local.contains("\r"), "\(local)")
        #expect(local.contains("Delivered-To: Ann@home.test\n"))
        #expect(!FileManager.default.fileExists(atPath: mail + "/nobody"))
        #expect(try lists.messages().map(\.to) == [["all@lists.test"]])
        // z's own, and the bounces for the two that are refused, in one message or two.
        let others = sink.deliveries
        #expect(others.first { $0.envelope.sender == "me@far.test" }?.envelope.recipients.map(\.address) == ["z@other.test"])
        let bounces = others.filter { $0.envelope.sender == "" }.map(\.content).joined()
        #expect(bounces.contains("nobody@home.test") && bounces.contains("Status: 5.1.1\r\n"), "\(bounces)")
        #expect(bounces.contains("y@closed.test") && bounces.contains("Status: 5.7.1\r\n") && bounces.contains("closed for good"))
        #expect(!bounces.contains("Final-Recipient: rfc822; x@") && !bounces.contains("Final-Recipient: rfc822; z@"))
        #expect(server.stop() == 0)
    }

    // MARK: Large messages

    /// What a relay needs of memory does not depend on what passes through it.
    @Test func largeMessagesTakeNoMemory() throws {
        let sink = try MailSink()
        let size = 20 << 20
        let server = try startRelay(spool, to: sink.address, ["--max-size", String(size + 1_000_000)])
        func peak() throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(server.process.processIdentifier)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
            return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1])) * 1024
        }
        #expect(try send(server.addresses[0], subject: "small", from: "a@a.test", to: "b@b.test"))
        _ = sink.wait(for: 1)
        let before = try peak()
        let line = String(repeating: "0123456789abcde", count: 5)
        let body = String(repeating: line + "\r\n", count: size / 77)
        for (number, how) in ["DATA\r\n", "BDAT \(body.utf8.count + "Subject: large1\r\n\r\n".utf8.count) LAST\r\n"].enumerated() {
            let client = try TestClient(server.addresses[0])
            client.send("EHLO a\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n" + how)
            client.send("Subject: large\(number)\r\n\r\n" + body + (number == 0 ? ".\r\n" : "") + "QUIT\r\n")
            #expect(client.receiveToEnd().text.contains("\r\n250 2.0.0 "))
        }
        #expect(Set(sink.wait(for: 3, seconds: 120)) == ["small", "large0", "large1"])
        #expect(sink.contents.dropFirst().allSatisfy { $0.hasSuffix("\r\n\r\n" + body) })
        #expect(try waitUntilEmpty(spool))
        let growth = try peak() - before
        #expect(growth < 6 << 20, "\(growth / 1024) KiB more than before")
        print("two messages of 20 MiB, one by one: \(growth / 1024) KiB more than for a small one")
        let tooLarge = try TestClient(server.addresses[0])
        tooLarge.send("EHLO a\r\nMAIL FROM:<a@a.test> SIZE=\(size + 1_000_001)\r\nQUIT\r\n")
        #expect(tooLarge.receiveToEnd().text.contains("\r\n552 "))
        #expect(server.stop() == 0)
    }
}
