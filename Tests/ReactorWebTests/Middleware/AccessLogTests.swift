import ConnectionHandling
import Foundation
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Synchronization
import Testing

@testable import ReactorWeb

/// What was written to a log.
private final class Written: Sendable {
    private let batches = Mutex<[String]>([])
    var all: [String] { batches.withLock { $0 } }
    var lines: [String] { all.joined().split(separator: "\n").map(String.init) }
    func append(_ bytes: RawSpan) {
        let text = bytes.text
        batches.withLock { $0.append(text) }
    }
}

@Suite struct AccessLogTests {
    private let written = Written()
    private let sink: LogSink

    init() {
        let written = written
        sink = LogSink { written.append($0) }
    }

    private func lines() -> [String] {
        sink.flush()
        return written.lines
    }

    @Test func common() {
        let basic = BasicAuthentication(realm: "x") { user, _ in user != "" }
        let connection = GuardedConnection([AccessLog(to: sink, format: .common), basic])
        _ = connection.send(["Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], target: "/a?b=c")
        _ = connection.send(method: "POST")
        #expect(
            lines() == [
                "127.0.0.1 - Aladdin [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 13",
                "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"POST / HTTP/1.1\" 401 17",
            ])
    }

    @Test func combined() throws {
        let connection = GuardedConnection([AccessLog(to: sink)], peer: try SocketAddress(parsing: "[2001:db8::1]:80"))
        connection.driver.receive("GET / HTTP/1.0\r\nReferer: http://x/\r\nUser-Agent: curl/8 (a b)\r\n\r\n")
        #expect(lines() == ["2001:db8::1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.0\" 200 12 \"http://x/\" \"curl/8 (a b)\""])
    }

    @Test func json() throws {
        let connection = GuardedConnection([AccessLog(to: sink, format: .json), RequestID(trustingPeer: true)])
        _ = connection.send(["X-Request-Id: r1", "User-Agent: \"\\\tä\u{85}", "Referer: x"], target: "/?q=1")
        let line = try #require(lines().first)
        #expect(
            line == "{\"time\":\"1994-11-06T08:49:37Z\",\"id\":\"r1\",\"peer\":\"127.0.0.1\",\"method\":\"GET\",\"target\":\"/?q=1\","
                + "\"version\":\"1.1\",\"status\":200,\"bytes\":12,\"duration\":0.000000,\"end\":\"answered\",\"referer\":\"x\","
                + "\"agent\":\"\\\"\\\\\\u0009ä\\u0085\"}")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["agent"] as? String == "\"\\\tä\u{85}")
    }

    /// Such as a pager that somebody left open: the server ends all the same.
    @Test func aReaderThatHasStoppedHoldsNobodyForLong() {
        let goesOn = DispatchSemaphore(value: 0)
        let sink = LogSink { [written] lines in
            goesOn.wait()
            written.append(lines)
        }
        sink.line(at: 0) { line, _ in line.append("one") }
        #expect(!sink.flush(within: .milliseconds(20)))
        goesOn.signal()
        #expect(sink.flush(within: .seconds(600)))
        #expect(written.lines == ["one"])
    }

    /// Processes that are forked go on from the same count: what does not repeat must be drawn for each request.
    @Test func idsDoNotComeFromACountAlone() throws {
        let connection = GuardedConnection(RequestID())
        let ids = try (0..<10).map { _ in try #require(connection.send().field("X-Request-Id")) }
        #expect(ids.allSatisfy { $0.utf8.count == 24 })
        #expect(Set(ids.map { $0.prefix(16) }).count == 10)
    }

    /// Whatever a peer sends is one line, and its quotes are the server's.
    @Test(arguments: [AccessLog.Format.combined, .json]) func nothingIsForged(_ format: AccessLog.Format) throws {
        let connection = GuardedConnection([AccessLog(to: sink, format: format)])
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<300 {
            let agent = (0..<20).map { _ -> UInt8 in
                let byte = UInt8.random(in: 0x20...0xFF, using: &generator)
                return byte == 0x7F ? 0x22 : byte
            }
            connection.driver.receive(Array("GET /\" HTTP/1.1\r\nHost: x\r\nUser-Agent: ".utf8) + agent + Array("\r\n\r\n".utf8))
        }
        #expect(connection.driver.closed == nil)
        let lines = lines()
        #expect(lines.count == 300)
        for line in lines {
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 })
            if format == .json {
                #expect(throws: Never.self, "\(line)") { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            } else {
                #expect(line.filter { $0 == "\"" }.count == 6 && line.utf8.allSatisfy { $0 < 0x7F }, "\(line)")
            }
        }
    }

    @Test func anAnswerThatIsCutOffIsLogged() {
        let connection = GuardedConnection([AccessLog(to: sink, format: .json)])
        connection.driver.setWindow(0)
        _ = connection.send()
        connection.driver.reset()
        #expect(lines().count == 1)
    }

    @Test func whatIsRefusedIsLogged() {
        var router = Router()
        router.use(AccessLog(to: sink), RequestID())
        router.get("/") { _, response in response.send(.noContent) }
        let driver = TestDriver(HTTPServerHandler(application: RoutedApplication(router)), peer: .loopback(port: 40_000))
        driver.receive("GET / HTTP/1.1\r\nHost: a\r\nbad field\r\n\r\n")
        let answer: String = driver.takeOutput()
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("\r\nX-Request-Id: "))
        #expect(lines() == ["127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"-\" 400 16 \"-\" \"-\""])
    }

    // MARK: The sink

    @Test func linesComeInBatches() {
        for number in 0..<1_000 { sink.line(at: 0) { line, _ in line.append(decimal: number) } }
        let lines = lines()
        #expect(lines == (0..<1_000).map(String.init))
        // The timer may have cut it in two.
        #expect(written.all.count <= 3)
    }

    @Test func withoutBeingAsked() async throws {
        sink.line(at: 0) { line, _ in line.append("hello") }
        for _ in 0..<500 where written.all.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(written.lines == ["hello"])
    }

    @Test func theMemoryIsBounded() {
        let small = LogSink(capacity: 100) { [written] in written.append($0) }
        for _ in 0..<30 { small.line(at: 0) { line, _ in line.append("123456789") } }
        // Ten lines of ten bytes fill it, and the rest is dropped, unless the timer was faster.
        let dropped = small.dropped
        small.flush()
        #expect(dropped > 0 && written.lines.count == 30 - dropped)
    }

    @Test func toADescriptor() throws {
        let pipe = Pipe()
        let file = LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        file.line(at: 0) { line, _ in line.append("one") }
        file.line(at: 0) { line, _ in line.append("two") }
        file.flush()
        try pipe.fileHandleForWriting.close()
        #expect(try pipe.fileHandleForReading.readToEnd() == Data("one\ntwo\n".utf8))
    }
}
