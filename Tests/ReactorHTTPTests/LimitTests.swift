import ConnectionHandling
import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

private let get = "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"
private let last = hello.replacing("\r\n\r\nHello", with: "\r\nConnection: close\r\n\r\nHello")

/// Limits beside those of a head and a body, which are in `ViolationTests`.
@Suite struct LimitTests {
    private func drive(_ change: (inout HTTPLimits) -> Void) -> TestDriver {
        var limits = HTTPLimits()
        change(&limits)
        return TestDriver(HTTPServerHandler(application: Plain(), limits: limits))
    }

    // MARK: Pipelining

    /// Answers as many as there may be in a turn, and those behind them in later turns: in their order, and all of them.
    @Test func moreRequestsThanATurnHas() {
        let driver = drive { $0.requestsPerTurn = 3 }
        driver.receive(String(repeating: get, count: 3))
        #expect(driver.takeOutput() == String(repeating: hello, count: 3))
        #expect(driver.wantsInput)
        driver.receive(String(repeating: get, count: 7) + "GET")
        #expect(driver.takeOutput() == String(repeating: hello, count: 3))
        #expect(!driver.wantsInput)
        // The driver's time does not move, so that the turns follow each other.
        driver.advance(by: .zero)
        #expect(driver.takeOutput() == String(repeating: hello, count: 4))
        #expect(driver.wantsInput)
        driver.receive(" /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(driver.takeOutput() == hello)
        driver.advance(by: .seconds(75))
        #expect(driver.closed == .finished)
    }

    @Test func whatWaitsForItsTurnIsAnsweredByAStoppingServerAndBeforeTheEnd() {
        let stopping = drive { $0.requestsPerTurn = 2 }
        stopping.receive(String(repeating: get, count: 4))
        stopping.stop()
        stopping.advance(by: .zero)
        #expect(stopping.takeOutput() == hello + hello + last)
        #expect(stopping.closed == .finished)

        let ending = drive { $0.requestsPerTurn = 2 }
        ending.receive(String(repeating: get, count: 4))
        ending.receiveEndOfInput()
        ending.advance(by: .zero)
        #expect(ending.takeOutput() == hello + hello + hello + hello)
        #expect(ending.closed == .finished)
    }

    // MARK: Requests on a connection

    @Test(arguments: Feeding.allCases)
    func theLastRequestOfAConnection(_ feeding: Feeding) {
        let driver = drive { $0.requests = 3 }
        driver.feed(get + get, feeding)
        #expect(driver.takeOutput() == hello + hello)
        #expect(driver.wantsInput)
        driver.feed(get + get, feeding)
        #expect(driver.takeOutput() == last)
        #expect(driver.closed == .finished)
    }

    // MARK: Defaults

    private static let line = 8 * 1024 - "GET / HTTP/1.1".utf8.count
    private static let rest = 16 * 1024 - "GET / HTTP/1.1\r\nHost: a\r\nA: \r\n\r\n".utf8.count
    /// The lengths of target and field, and the answer.
    static let lengths: [(Int, Int, String)] = [
        (line, 0, "200 OK"), (line + 1, 0, "414 URI Too Long"), (8_192, 0, "414 URI Too Long"), (1 << 20, 0, "414 URI Too Long"),
        (0, rest, "200 OK"), (0, rest + 1, "431 Request Header Fields Too Large"), (0, 16_384, "431 Request Header Fields Too Large"),
        (0, 1 << 20, "431 Request Header Fields Too Large"),
    ]

    @Test(arguments: lengths)
    func targetsAndHeads(_ target: Int, _ field: Int, _ status: String) {
        let driver = TestDriver(HTTPServerHandler(application: Plain()))
        let (path, value) = (String(repeating: "a", count: target), String(repeating: "b", count: field))
        driver.receive("GET /\(path) HTTP/1.1\r\nHost: a\r\nA: \(value)\r\n\r\n")
        #expect((driver.takeOutput() as String).hasPrefix("HTTP/1.1 \(status)\r\n"))
        #expect(driver.closed == (status == "200 OK" ? nil : .finished))
    }

    /// 413 where the length tells, before any of it is read; and of one that does not, no more than the limit is kept.
    @Test func bodiesOfOneMebibyte() {
        for (length, isRefused) in [(1 << 20, false), ((1 << 20) + 1, true)] {
            let driver = TestDriver(HTTPServerHandler(application: Plain()))
            driver.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n")
            #expect(driver.takeOutput() == (isRefused ? refusal("413 Content Too Large") : ""))
            #expect(driver.closed == (isRefused ? .finished : nil))
        }
    }

    // MARK: The chunked coding

    /// A size with extensions, and a trailer; with their CRLF.
    @Test(arguments: [(4_096, true), (4_097, false), (100_000, false)])
    func linesOf4KiB(_ length: Int, _ isWithin: Bool) {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let fill = String(repeating: "x", count: length - 4)
        for body in ["1;\(fill)\r\na\r\n0\r\n\r\n", "1\r\na\r\n0\r\nA:\(fill)\r\n\r\n"] {
            let driver = TestDriver(HTTPServerHandler(application: Plain()))
            driver.receive(head + body)
            #expect(driver.takeOutput() == (isWithin ? hello : refusal("400 Bad Request")))
            #expect(driver.closed == (isWithin ? nil : .finished))
        }
    }

    /// Many small chunks are a body like any other; framing without a body is not.
    @Test func overheadIsMeasuredAgainstData() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let small = TestDriver(HTTPServerHandler(application: Plain()))
        small.receive(head + String(repeating: "1\r\na\r\n", count: 50_000) + "0\r\n\r\n")
        #expect(small.takeOutput() == hello)

        let padded = TestDriver(HTTPServerHandler(application: Plain()))
        padded.receive(head + String(repeating: "1;" + String(repeating: "x", count: 100) + "\r\na\r\n", count: 1_000))
        #expect(padded.takeOutput() == refusal("400 Bad Request"))
        #expect(padded.closed == .finished)
    }

    /// A long body pays for the framing of many chunks. What is kept of its trailers is bounded as a head is.
    @Test(arguments: [true, false])
    func trailersBehindALongBody(_ isWithin: Bool) {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let body = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n0\r\n"
        let line = "A:" + String(repeating: "b", count: 252) + "\r\n"
        let driver = TestDriver(HTTPServerHandler(application: Plain()))
        driver.receive(head + body + String(repeating: line, count: 64) + (isWithin ? "" : "A:\r\n") + "\r\n")
        #expect(driver.takeOutput() == (isWithin ? hello : refusal("431 Request Header Fields Too Large")))

        let many = TestDriver(HTTPServerHandler(application: Plain()))
        many.receive(head + body + String(repeating: "A:\r\n", count: 70_000) + "\r\n")
        #expect(many.takeOutput() == refusal("431 Request Header Fields Too Large"))
    }

    @Test func limitsAsHighAsNumbersGo() {
        let driver = drive {
            $0.chunkOverhead = .max
            $0.chunkLine = .max
            $0.body = .max
        }
        driver.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
        #expect(driver.takeOutput() == hello)
    }

    @Test(arguments: Feeding.allCases)
    func trailersOfAWholeBody(_ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: Plain()))
        let head = "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        driver.feed(head + "1\r\na\r\n0\r\nSum:\t5 \r\nHost: evil\r\nX:\r\n\r\n" + head + "0\r\n\r\n", feeding)
        let expected = ["[Sum=5][X=]", ""].map { answer("200 OK", "Content-Type: text/plain", body: $0) }
        #expect(driver.takeOutput() == expected.joined())
    }
}

private struct Plain: HTTPApplication {
    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        if request.path.equals("/trailers") {
            let text = response.requestTrailers.map { "[\($0.name.rawName)=\($0.value)]" }.joined()
            return response.send(.ok, contentType: "text/plain", text.utf8.span.bytes)
        }
        response.send(.ok, contentType: "text/plain", "Hello, World!")
    }
}
