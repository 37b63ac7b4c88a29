import ConnectionHandling
import Reactor
import ReactorMailClient
import ReactorNames
import ReactorSMTP
import ReactorTLS
import TestSupport
import Testing

/// The library as people use it, over sockets: on a loop, `async`, and on a thread.
@Suite(.timeLimit(.minutes(40))) struct SMTPClientTests {
    enum Form: CaseIterable { case callback, suspending, blocking }
    typealias Script = ScriptedServer.Script

    private let identity: TLSIdentity
    private let context: TLSServerContext

    init() throws {
        identity = try TLSIdentity.selfSigned(hosts: ["localhost", "127.0.0.1"])
        context = try TLSServerContext(TLSServerConfiguration(identities: [identity]))
    }

    private func mail(_ recipients: String...) -> OutgoingMail {
        OutgoingMail(from: "a@a.test", to: recipients, content: Array("Subject: x\r\n\r\n.hello\r\n".utf8))
    }

    private func place(_ listening: LoopThread<SocketAddress>, _ security: MailServer.Security) -> MailServer {
        var server = MailServer(host: "127.0.0.1", port: ServicePort(listening.made.port ?? 0))
        server.security = security
        return server
    }

    private func send(_ mail: OutgoingMail, to server: MailServer, _ form: Form) async throws -> MailReceipt {
        let client = try SMTPClient(server)
        switch form {
        case .blocking: return try client.sendBlocking(mail, resolver: try BlockingResolver())
        case .callback: return try Self.onALoop(mail, client)
        case .suspending:
            let thread = try LoopThread { $0.handle }
            return try await client.send(mail, on: thread.made)
        }
    }

    private static func onALoop(_ mail: OutgoingMail, _ client: SMTPClient) throws -> MailReceipt {
        let loop = try EventLoop()
        defer { loop.close() }
        let resolver = try Resolver(loop: loop)
        var result: Result<MailReceipt, SendMailError>?
        client.send(mail, on: loop, resolver: resolver) { result = $0 }
        loop.run { result != nil }
        return try #require(result).get()
    }

    @Test(arguments: Form.allCases) func inPlain(_ form: Form) async throws {
        let script = Script()
        let listening = try ScriptedServer.listening(script)
        let receipt = try await send(mail("b@b.test", "no@b.test"), to: place(listening, .opportunistic), form)
        #expect(receipt.recipients.map(\.address) == ["b@b.test", "no@b.test"])
        #expect(receipt.recipients.map(\.outcome.isDelivered) == [true, false] && !receipt.isDelivered)
        #expect(receipt.recipients[1].outcome.report.remote == "127.0.0.1")
        #expect(script.contents == ["Subject: x\n\n..hello\n"])
        #expect(script.commands.last == "QUIT" && !script.commands.contains("STARTTLS"))
    }

    @Test(arguments: Form.allCases) func underTLSWithCredentials(_ form: Form) async throws {
        let script = Script(.offered, context: context)
        let listening = try ScriptedServer.listening(script)
        var server = place(listening, .opportunistic)
        server.credentials = SMTPCredentials(user: "user", password: "secret")
        // Anybody in between has a certificate that nobody trusts: the password is not for them, not even without TLS.
        await #expect { try await send(mail("b@b.test"), to: server, form) } throws: { error in
            guard case .noService(let report)? = error as? SendMailError else { return false }
            return "\(report.status)" == "4.7.5"
        }
        #expect(!script.commands.contains { $0.hasPrefix("AUTH") } && script.connections == 1)
        var configuration = TLSClientConfiguration()
        configuration.trust = .authorities(identity.certificates)
        server.tls = try TLSClientContext(configuration)
        #expect(try await send(mail("b@b.test"), to: server, form).isDelivered)
        #expect(script.commands.contains("AUTH PLAIN AHVzZXIAc2VjcmV0") && script.connections == 2)
        server.credentials?.password = "wrong"
        await #expect { try await send(mail("b@b.test"), to: server, form) } throws: { error in
            guard case .noService(let report)? = error as? SendMailError else { return false }
            return "\(report.status)" == "5.7.8"
        }
        #expect(script.contents.count == 1)
    }

    @Test(arguments: Form.allCases) func opportunisticTLSThatFailsIsDoneWithout(_ form: Form) async throws {
        let script = Script(.broken)
        let listening = try ScriptedServer.listening(script)
        #expect(try await send(mail("b@b.test"), to: place(listening, .opportunistic), form).isDelivered)
        #expect(script.connections == 2 && script.commands.count { $0 == "STARTTLS" } == 1)
    }

    @Test(arguments: Form.allCases) func requiredTLSIsRequired(_ form: Form) async throws {
        // Not offered; failing; and with a certificate that is not trusted.
        for script in [Script(), Script(.broken), Script(.offered, context: context)] {
            let listening = try ScriptedServer.listening(script)
            await #expect { try await send(mail("b@b.test"), to: place(listening, .required), form) } throws: { error in
                guard case .noService(let report)? = error as? SendMailError else { return false }
                return ["4.7.4", "4.7.5"].contains("\(report.status)")
            }
            #expect(script.contents.isEmpty && script.connections == 1)
        }
        var configuration = TLSClientConfiguration()
        configuration.trust = .authorities(identity.certificates)
        let script = Script(.offered, context: context)
        let listening = try ScriptedServer.listening(script)
        var server = place(listening, .required)
        server.tls = try TLSClientContext(configuration)
        #expect(try await send(mail("b@b.test"), to: server, form).isDelivered)
    }

    @Test(arguments: Form.allCases) func implicitTLS(_ form: Form) async throws {
        let script = Script()
        let listening = try LoopThread { [context] loop in
            try loop.listen(on: .loopback(port: 0)) { TLSHandler(context) { _ in ScriptedServer(script) } }.address
        }
        var configuration = TLSClientConfiguration()
        configuration.trust = .authorities(identity.certificates)
        var server = place(listening, .implicit)
        server.tls = try TLSClientContext(configuration)
        #expect(try await send(mail("b@b.test"), to: server, form).isDelivered)
    }

    @Test(arguments: Form.allCases) func recipientsWhoAreTooManyHaveAnotherTransaction(_ form: Form) async throws {
        let script = Script(recipientsTaken: 2)
        let listening = try ScriptedServer.listening(script)
        let receipt = try await send(mail("a@b.test", "no@b.test", "c@b.test", "d@b.test", "e@b.test", "f@b.test"), to: place(listening, .none), form)
        #expect(receipt.recipients.map(\.outcome.isDelivered) == [true, false, true, true, true, true])
        #expect(script.contents.count == 3 && script.connections == 1)
    }

    @Test(arguments: Form.allCases) func noServiceAndNoServer(_ form: Form) async throws {
        let script = Script(greeting: "554 5.7.1 go away\r\n")
        let listening = try ScriptedServer.listening(script)
        await #expect { try await send(mail("b@b.test"), to: place(listening, .none), form) } throws: { error in
            guard case .noService(let report)? = error as? SendMailError else { return false }
            return report.text == "554 5.7.1 go away" && report.remote == "127.0.0.1" && report.status.kind == 5
        }
        let port = listening.made.port ?? 0
        listening.stop()
        var nobody = MailServer(host: "127.0.0.1", port: ServicePort(port))
        nobody.security = .none
        var isThere = true
        for _ in 0..<200 where isThere {
            do { _ = try await send(mail("b@b.test"), to: nobody, form) } catch SendMailError.unreachable { isThere = false } catch {}
        }
        #expect(!isThere)
        nobody.place = .address(.unix(path: "/nonexistent/lmtp"))
        await #expect { try await send(mail("b@b.test"), to: nobody, form) } throws: { error in
            if case .notConnected? = error as? SendMailError { true } else { false }
        }
    }

    @Test func lmtpOverAUnixSocket() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lmtp"
        let script = Script()
        let listening = try LoopThread { loop in try loop.listen(on: .unix(path: path)) { ScriptedServer(script) }.address }
        var server = MailServer(address: .unix(path: path))
        server.isLMTP = true
        #expect(try await send(mail("b@b.test"), to: server, .blocking).isDelivered)
        #expect(script.commands.first?.hasPrefix("LHLO ") == true)
        _ = listening
    }

    @Test func aLoopThatStopsSaysSo() async throws {
        // Accepts, and says nothing.
        let silent = try ScriptedServer.listening(Script(greeting: ""))
        let client = try SMTPClient(place(silent, .none))
        let thread = try LoopThread { loop in
            _ = loop.after(.milliseconds(300)) { loop.stop() }
            return loop.handle
        }
        await #expect(throws: SendMailError.self) { try await client.send(mail("b@b.test"), on: thread.made) }
        await #expect(throws: SendMailError.self) { try await client.send(mail("b@b.test"), on: thread.made) }
    }

    @Test func namesThatNoCertificateIsForAreRefusedAtOnce() {
        #expect(throws: TLSConfigurationError.self) { try SMTPClient(MailServer(host: "not a name")) }
    }

    @Test func contentsAreDeclaredAsWhatTheyAre() async throws {
        let script = Script()
        let listening = try ScriptedServer.listening(script)
        for (content, status) in [("A: b\r\n\r\n\u{E9}\r\n", "5.6.3"), ("A: \u{E9}\r\n\r\n", "5.6.9"), ("a\rb", "5.6.0")] {
            let mail = OutgoingMail(from: "", to: ["b@b.test"], content: Array(content.utf8))
            let receipt = try await send(mail, to: place(listening, .none), .blocking)
            #expect("\(receipt.recipients[0].outcome.report.status)" == status)
        }
    }
}
