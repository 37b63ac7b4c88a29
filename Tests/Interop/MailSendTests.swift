import Foundation
import Glibc
import TestSupport
import Testing

/// `reactor mail send` against Python's aiosmtpd.
@Suite(.timeLimit(.minutes(40))) struct MailSendTests {
    /// Runs until its standard input ends. Prints its port, and writes a line of JSON for each message to a file.
    private static let sink = """
        import asyncio, json, ssl, sys
        from aiosmtpd.lmtp import LMTP
        from aiosmtpd.smtp import SMTP, AuthResult
        kind, certificate, key = sys.argv[1:4]
        log = open(sys.argv[4], "w")
        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                if address.startswith("no"): return "550 5.1.1 no such user"
                if address.startswith("later"): return "450 4.2.0 later"
                envelope.rcpt_tos.append(address)
                return "250 ok"
            async def handle_DATA(self, server, session, envelope):
                print(json.dumps({"from": envelope.mail_from, "options": envelope.mail_options, "to": envelope.rcpt_tos,
                    "content": envelope.content.decode("utf-8"), "tls": session.ssl is not None or kind == "implicit",
                    "user": bool(session.authenticated)}), file=log, flush=True)
                if kind == "lmtp": return "\\r\\n".join(["250 taken"] * len(envelope.rcpt_tos))
                return "554 5.6.0 dislike" if b"dislike" in envelope.content else "250 2.0.0 taken"
        def authenticate(server, session, envelope, mechanism, data):
            isRight = (data.login, data.password) == (b"user", b"secret word")
            return AuthResult(success=isRight, handled=isRight)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate: context.load_cert_chain(certificate, key)
        def session():
            more = dict(tls_context=context) if kind == "starttls" else {}
            made = (LMTP if kind == "lmtp" else SMTP)
            return made(Handler(), hostname="sink.test", enable_SMTPUTF8=kind != "plain", authenticator=authenticate,
                auth_require_tls=kind == "starttls", **more)
        async def main():
            server = await asyncio.get_running_loop().create_server(
                session, "127.0.0.1", 0, ssl=context if kind == "implicit" else None)
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        asyncio.run(main())
        """

    struct Message: Decodable {
        let from: String
        let options: [String]
        let to: [String]
        let content: String
        let tls: Bool
        let user: Bool
    }

    /// A sink for as long as this lives.
    final class Sink {
        let port: Int
        private let process = Process()
        private let input = Pipe()
        private let files: TemporaryDirectory

        init(_ kind: String = "plain", certificate: String = "", key: String = "") throws {
            // Debian's own: aiosmtpd is one of its packages.
            process.executableURL = URL(filePath: "/usr/bin/python3")
            files = try TemporaryDirectory()
            let output = Pipe()
            process.arguments = ["-c", MailSendTests.sink, kind, certificate, key, files.path + "/log"]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            var line: [UInt8] = []
            while line.last != 10, let byte = try output.fileHandleForReading.read(upToCount: 1)?.first { line.append(byte) }
            port = try #require(Int(String(decoding: line.dropLast(), as: UTF8.self)), "the sink did not start")
        }

        /// Ends it, and says what it has taken.
        func messages() throws -> [Message] {
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            return try Data(contentsOf: URL(filePath: files.path + "/log")).split(separator: 10).map { try JSONDecoder().decode(Message.self, from: $0) }
        }

        deinit { if process.isRunning { process.terminate() } }
    }

    private let files: TemporaryDirectory

    init() throws { files = try TemporaryDirectory() }

    private func send(
        _ port: Int, _ more: [String], host: String = "127.0.0.1", message: String = "Subject: hi\n\nhello\n.\n"
    ) throws -> CommandResult {
        let program = ServerProcess.executable("reactor").path
        return try run(program, ["mail", "send", "--from", "a@a.test", "--server", "\(host):\(port)"] + more, input: message)
    }

    @Test func aMessageArrives() throws {
        let sink = try Sink()
        let result = try send(sink.port, ["--to", "b@b.test", "--to", "c@c.test"])
        #expect(result.status == 0 && result.errors == "" && result.output == "", "\(result)")
        let message = try #require(try sink.messages().first)
        #expect(message.from == "a@a.test" && message.to == ["b@b.test", "c@c.test"] && !message.tls)
        #expect(message.content.hasPrefix("Subject: hi\r\nDate: ") && message.content.hasSuffix("\r\n\r\nhello\r\n.\r\n"))
        #expect(message.content.contains("\r\nMessage-ID: <"))
    }

    @Test func recipientsAreReadFromAFile() throws {
        let sink = try Sink()
        try files.write("To: B <b@b.test>,\n c@c.test\nBcc: d@d.test\nDate: x\nMessage-ID: y\n\nhello\n", to: "message")
        let result = try send(sink.port, ["--read-recipients", "--to", "e@e.test", files.path + "/message"])
        #expect(result.status == 0, "\(result)")
        let message = try #require(try sink.messages().first)
        #expect(message.to == ["e@e.test", "b@b.test", "c@c.test", "d@d.test"])
        #expect(message.content == "To: B <b@b.test>,\r\n c@c.test\r\nDate: x\r\nMessage-ID: y\r\n\r\nhello\r\n")
    }

    @Test("exit statuses", arguments: [
        (["no@b.test", "b@b.test"], "x\n", 67, ["no@b.test: refused (5.1.1): 127.0.0.1 said: 550 5.1.1 no such user"]),
        (["later@b.test", "b@b.test"], "x\n", 75, ["later@b.test: not now (4.2.0): 127.0.0.1 said: 450 4.2.0 later"]),
        (["later@b.test", "no@b.test"], "x\n", 67, ["later@b.test: not now", "no@b.test: refused"]),
        (["b@b.test"], "dislike\n", 65, ["b@b.test: refused (5.6.0)"]), (["b@b.test"], "a\rb\n", 65, ["b@b.test: refused (5.6.0): the message holds a CR"]),
        (["b@b.test> X"], "x\n", 67, ["refused (5.1.3): not an address"]), (["\u{E9}@b.test"], "x\n", 65, ["(5.6.7)"]),
    ])
    func statuses(_ recipients: [String], _ message: String, _ status: Int32, _ lines: [String]) throws {
        let sink = try Sink()
        let result = try send(sink.port, recipients.flatMap { ["--to", $0] }, message: message)
        let shown = result.errors.split(separator: "\n")
        #expect(result.status == status, "\(result)")
        #expect(shown.count == lines.count && zip(shown, lines).allSatisfy { $0.contains($1) }, "\(result.errors)")
        _ = try sink.messages()
    }

    @Test func whatIsWrongBeforeAnythingIsSent() throws {
        #expect(try send(1, ["--to", "b@b.test", files.path + "/none"]).status == 66)
        #expect(try send(1, ["--to", "b@b.test", "--user", "u", "--password-file", files.path + "/none"]).status == 66)
        #expect(try send(1, ["--read-recipients"], message: "To: who knows\n\n").status == 65)
        #expect(try send(1, ["--read-recipients"], message: "A: b\n\n").status == 65)
        #expect(try send(1, []).status == 64)
        #expect(try send(1, ["--to", "b@b.test", "--user", "u"]).status == 64)
        #expect(try send(1, ["--to", "b@b.test", "--tls", "maybe"]).status == 64)
        #expect(try send(1, ["--to", "b@b.test", "--dsn-notify", "never,success"]).status == 64)
        let refused = try send(1, ["--to", "b@b.test"])
        #expect(refused.status == 75 && refused.errors.split(separator: "\n").count == 1)
        #expect(try send(25, ["--to", "b@b.test"], host: "no-such-host.invalid").status == 68)
    }

    private func certificates() throws -> Certificates {
        let certificates = try Certificates()
        try certificates.makeAuthority()
        try certificates.issue("server", serial: 1_000)
        return certificates
    }

    @Test("TLS, trusted and not", arguments: ["starttls", "implicit"]) func tls(_ kind: String) throws {
        let certificates = try certificates()
        let sink = try Sink(kind, certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
        let how = kind == "starttls" ? "required" : "implicit"
        try files.write("secret word\n", to: "password")
        let login = ["--user", "user", "--password-file", files.path + "/password"]
        let trusting = ["--to", "b@b.test", "--tls", how, "--tls-ca", certificates.authority]
        #expect(try send(sink.port, trusting, host: "localhost").status == 0)
        let untrusted = try send(sink.port, ["--to", "b@b.test", "--tls", how], host: "localhost")
        #expect(untrusted.status == 75 && untrusted.errors.contains("certificate"), "\(untrusted.errors)")
        if kind == "starttls" {
            let verbose = try send(sink.port, trusting + login + ["--verbose"], host: "localhost")
            #expect(verbose.status == 0 && verbose.errors.contains("* TLS has begun") && verbose.errors.contains("(masked)"))
            #expect(!verbose.errors.contains("c2VjcmV0") && !verbose.errors.contains("secret"), "\(verbose.errors)")
            try files.write("wrong\n", to: "password")
            let refused = try send(sink.port, trusting + login, host: "localhost")
            #expect(refused.status == 77 && refused.errors.contains("535"), "\(refused)")
            #expect(try send(sink.port, ["--to", "b@b.test"], host: "localhost").status == 0, "any certificate, if TLS is not required")
        }
        let messages = try sink.messages()
        #expect(messages.allSatisfy(\.tls) && messages.map(\.user) == (kind == "starttls" ? [false, true, false] : [false]))
    }

    @Test func credentialsStayHereWithoutTLS() throws {
        let sink = try Sink()
        try files.write("secret word\n", to: "password")
        let login = ["--to", "b@b.test", "--user", "user", "--password-file", files.path + "/password"]
        #expect(try send(sink.port, login).status == 75)
        #expect(try send(sink.port, login + ["--auth-in-plain"]).status == 0)
        #expect(try sink.messages().map(\.user) == [true])
    }

    @Test func lmtpAndUTF8() throws {
        let sink = try Sink("lmtp")
        let result = try send(sink.port, ["--lmtp", "--to", "\u{FC}@b.test", "--to", "b@b.test", "--verbose"], message: "Subject: \u{E9}\n\n\u{E9}\n")
        #expect(result.status == 0 && result.errors.contains("> LHLO "), "\(result.errors)")
        let message = try #require(try sink.messages().first)
        #expect(message.to == ["\u{FC}@b.test", "b@b.test"] && message.options.contains("SMTPUTF8") && message.content.contains("Subject: \u{E9}"))
    }

    /// A content that is larger than any buffer on the way.
    @Test func largeMessages() throws {
        let sink = try Sink()
        let line = String(repeating: "0123456789", count: 7) + "\n"
        let message = "Date: x\nMessage-ID: y\n\n" + String(repeating: "." + line, count: 100_000)
        let result = try send(sink.port, ["--to", "b@b.test"], message: message)
        #expect(result.status == 0, "\(result.errors)")
        let content = try #require(try sink.messages().first).content
        #expect(content == "Date: x\r\nMessage-ID: y\r\n\r\n" + String(repeating: "." + line.dropLast() + "\r\n", count: 100_000))
    }
}
