import ConnectionHandling
import Foundation
@testable import ReactorLoad
import ReactorTesting
import ReactorWire
import TestSupport
import Testing

/// The clients' state machines, without a socket.
@Suite struct DialogueTests {
    /// Asks one request, and the next when it has been answered, and keeps what the dialogue says.
    private final class Log {
        var steps: [Dialogue.Step] = []
    }

    private struct Asking: ConnectionHandler {
        let dialogue: Dialogue
        let log: Log

        mutating func connected(on connection: inout Connection) {
            dialogue.begin(on: &connection)
            if dialogue.isReady { dialogue.write(on: &connection) }
        }

        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            var offset = 0
            while offset < bytes.byteCount {
                let step = dialogue.read(bytes, from: &offset, on: &connection)
                if step == .incomplete { break }
                log.steps.append(step)
                if step == .broken || step == .unserved || !dialogue.mayContinue {
                    connection.close()
                    return bytes.byteCount
                }
                dialogue.write(on: &connection)
            }
            return offset
        }
    }

    private func plan(_ url: String, _ change: (inout LoadPlan) -> Void = { _ in }) throws -> LoadPlan {
        var plan = LoadPlan(try LoadTarget(parsing: url))
        change(&plan)
        try plan.validate()
        return plan
    }

    private func ask(_ plan: LoadPlan) -> (driver: TestDriver, log: Log) {
        let log = Log()
        return (TestDriver(Asking(dialogue: Dialogue.maker(for: plan)(), log: log)), log)
    }

    // MARK: HTTP

    @Test func requestsSayWhatWasAskedFor() throws {
        func text(_ plan: LoadPlan) -> String { ask(plan).driver.takeOutput() }
        #expect(try text(plan("http://127.0.0.1:8080")) == "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n")
        #expect(try text(plan("https://example.com/a?b=c")) == "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n")
        #expect(try text(plan("http://unix:/tmp/x")) == "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let post = try plan("http://[::1]:80/") {
            $0.method = "POST"
            $0.headers = [("X", "y"), ("Host", "other")]
            $0.body = Array("body".utf8)
            $0.reconnects = true
        }
        #expect(text(post) == "POST / HTTP/1.1\r\nConnection: close\r\nX: y\r\nHost: other\r\nContent-Length: 4\r\n\r\nbody")
    }

    @Test(arguments: Feeding.all) func answersAndRefusalsAreToldApart(_ feeding: Feeding) throws {
        let (driver, log) = ask(try plan("http://127.0.0.1/"))
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno",
            "HTTP/1.1 299 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ]
        feeding.feed(Array(answers.joined().utf8), to: driver)
        #expect(log.steps == [.answered, .refused, .answered])
        #expect(driver.closed == .finished)
    }

    @Test func anRPCAnswerIsLookedInto() throws {
        func answer(_ body: String) throws -> Dialogue.Step? {
            let (driver, log) = ask(try plan("rpc+http://127.0.0.1:81/"))
            let request: String = driver.takeOutput()
            #expect(request.hasPrefix("POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:81\r\nContent-Type: application/json\r\n"))
            #expect(request.hasSuffix(#"{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}"#))
            driver.receive("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return log.steps.first
        }
        #expect(try answer(#"{"jsonrpc":"2.0","result":19,"id":1}"#) == .answered)
        #expect(try answer(#"{ "id": 1, "jsonrpc": "2.0", "result": null }"#) == .answered)
        #expect(try answer(#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"no"},"id":1}"#) == .refused)
        for body in [
            #"{"jsonrpc":"2.0","result":19,"id":2}"#, #"{"jsonrpc":"2.0","id":1}"#, #"{"result":19,"id":1}"#, "[]", "hello", "",
            #"{"jsonrpc":"2.0","result":19,"id":"1"}"#,
        ] { #expect(try answer(body) == .broken, "\(body)") }
    }

    // MARK: Echo

    @Test(arguments: Feeding.all, [1, 64, 5_000]) func everyByteIsCompared(_ feeding: Feeding, _ size: Int) throws {
        let (driver, log) = ask(try plan("echo://127.0.0.1:7") { $0.size = size })
        var messages: [[UInt8]] = []
        for _ in 0..<5 {
            let message: [UInt8] = driver.takeOutput()
            #expect(message.count == size)
            messages.append(message)
            feeding.feed(message, to: driver)
        }
        #expect(log.steps == Array(repeating: .answered, count: 5))
        if size > 1 { #expect(Set(messages).count == 5) }
        var wrong: [UInt8] = driver.takeOutput()
        wrong[size - 1] ^= 1
        feeding.feed(wrong, to: driver)
        #expect(log.steps.last == .broken)
    }

    // MARK: SMTP

    @Test(arguments: Feeding.all, [true, false]) func transactionsFollowOneAnother(_ feeding: Feeding, _ pipelines: Bool) throws {
        let (driver, log) = ask(try plan("smtp://127.0.0.1:25") { ($0.mailFrom, $0.mailTo) = ("a@a.test", "b@b.test") })
        func expect(_ text: String, _ line: Int = #line) { #expect(driver.takeOutput() == text, "line \(line)") }
        func say(_ text: String) { feeding.feed(Array(text.utf8), to: driver) }
        expect("")
        say("220-mx.test\r\n220 ready\r\n")
        expect("EHLO localhost\r\n")
        say("250-mx.test\r\n\(pipelines ? "250-PIPELINING\r\n" : "")250 8BITMIME\r\n")
        for round in 0..<3 {
            if pipelines {
                expect("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
                say("250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n")
            } else {
                expect("MAIL FROM:<a@a.test>\r\n")
                say("250 ok\r\n")
                expect("RCPT TO:<b@b.test>\r\n")
                say("250 ok\r\n")
                expect("DATA\r\n")
                say("354 go on\r\n")
            }
            let content: String = driver.takeOutput()
            #expect(content.utf8.count == 4_096 + 3)
            #expect(content.hasSuffix("\r\n.\r\n"))
            #expect(content.components(separatedBy: "\r\n").dropLast(2).allSatisfy { $0.utf8.count <= 998 && !$0.hasPrefix(".") })
            say(round == 1 ? "452 full\r\n" : "250 2.0.0 queued\r\n")
        }
        #expect(log.steps == [.ready, .answered, .refused, .answered])
    }

    static let refusals = [
        ("554 no\r\n", Dialogue.Step.unserved), ("hello\r\n", .broken), ("220 ok\r\n500 what\r\n", .unserved), ("220\n", .broken),
        (String(repeating: "x", count: 5_000), .broken), ("999 x\r\n", .broken),
    ]

    @Test(arguments: refusals.indices) func sessionsThatDoNotBegin(_ place: Int) throws {
        let (text, step) = Self.refusals[place]
        let (driver, log) = ask(try plan("smtp://127.0.0.1:25"))
        driver.receive(text)
        #expect(log.steps == [step])
    }

    @Test func aRefusedEnvelopeEndsTheSession() throws {
        let (driver, log) = ask(try plan("smtp://127.0.0.1:25"))
        driver.receive("220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n550 no such user\r\n")
        #expect(log.steps == [.ready, .refused])
        #expect(driver.closed == .finished)
    }

    @Test(arguments: [100, 118, 200, 237, 238, 239, 1_000, 65_536]) func aMessageHasItsSize(_ size: Int) throws {
        let mail = SMTPMail(try plan("smtp://127.0.0.1:25") { $0.size = size })
        #expect((size...size + 1).contains(mail.content.count - 3))
    }
}
