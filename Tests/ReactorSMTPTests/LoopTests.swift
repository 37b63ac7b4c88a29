import ConnectionHandling
import MailTestSupport
import Reactor
@testable import ReactorSMTP
import TestSupport
import Testing

/// What is awaited, on a loop: other threads answer, and nothing is read meanwhile.
@Suite(.timeLimit(.minutes(40))) struct LoopTests {
    private func serve<Store: MessageStore>(_ server: SMTPServer<Store>) throws -> LoopThread<SocketAddress> {
        try LoopThread { loop in
            try loop.listen(on: .loopback(port: 0), limits: .smtpServer) { SMTPServerHandler(server) }.address
        }
    }

    private struct Undecided: SMTPServerPolicy {
        func sender(of envelope: Envelope, in session: SMTPSession) -> SMTPDecision {
            .pending {
                try await Task.sleep(for: .seconds(600))
                return .accept
            }
        }
    }

    @Test func aDecisionHasADeadline() throws {
        var limits = SMTPServerLimits()
        limits.decision = .milliseconds(50)
        var options = SMTPServerOptions()
        options.policy = Undecided()
        let thread = try serve(SMTPServer(hostname: "mx.test", store: MemoryStore(), limits: limits, options: options, logger: quietLogger))
        let client = try TestClient(thread.made)
        client.send("HELO a.test\r\nMAIL FROM:<>\r\nNOOP\r\n")
        client.endOutput()
        #expect(client.receiveToEnd().text == "220 mx.test ESMTP ready\r\n250 mx.test\r\n421 4.3.0 no decision in time\r\n")
    }

    private struct Slow: SMTPServerPolicy {
        func connected(_ session: SMTPSession) -> SMTPDecision {
            .pending {
                try await Task.sleep(for: .milliseconds(50))
                return .accept
            }
        }
    }

    /// Who waits for a greeting that takes a while is greeted.
    @Test func aConnectionThatIsDecidedOn() throws {
        var options = SMTPServerOptions()
        options.policy = Slow()
        let thread = try serve(SMTPServer(hostname: "mx.test", store: MemoryStore(), options: options, logger: quietLogger))
        let patient = try TestClient(thread.made)
        #expect(patient.receiveLine() == "220 mx.test ESMTP ready\r\n")
        patient.send("QUIT\r\n")
        #expect(patient.receiveLine() == "221 2.0.0 bye\r\n")
    }

    @Test func largeContentsAndPasswordsGoByOtherThreads() throws {
        let store = try StreamingTests.FileStore()
        var limits = SMTPServerLimits()
        limits.contentInMemory = 10_000
        var options = SMTPServerOptions()
        options.authenticator = SMTPUsers(["user": SCRAMKeys(password: "pencil")])
        options.authenticatesInPlain = true
        let thread = try serve(SMTPServer(hostname: "mx.test", store: store, limits: limits, options: options, logger: quietLogger))
        let client = try TestClient(thread.made)
        let body = String(repeating: "0123456789\r\n", count: 100_000)
        client.send("HELO a.test\r\nEHLO a.test\r\nAUTH PLAIN AHVzZXIAcGVuY2ls\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
        client.send("Subject: x\r\n\r\n\(body).\r\nQUIT\r\n")
        let replies = client.receiveToEnd().text.split(separator: "\r\n").map { $0.prefix(9) }
        #expect(replies.suffix(6) == ["235 2.7.0", "250 2.1.0", "250 2.1.5", "354 send ", "250 2.0.0", "221 2.0.0"])
        let content = try #require(store.contents.first)
        var bytes: [UInt8] = []
        try content.read(from: 0, upTo: content.size, into: &bytes)
        #expect(withoutTrace(bytes) == "Subject: x\r\n\r\n" + body)
    }
}
