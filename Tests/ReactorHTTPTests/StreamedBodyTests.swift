import ConnectionHandling
import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

/// What a streaming application has heard.
private final class Log {
    var events: [String] = []
    var summaries: [String] = []
    var largestPiece = 0
}

/// Takes bodies piece by piece, as the path says.
private struct Streaming: HTTPApplication {
    let log: Log
    private var path = ""
    private var text = ""
    private var awaited: Awaited<Int>?

    init(_ log: Log) { self.log = log }

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        log.events.append("delivery \(request.path.text) \(request.body.byteCount)")
        return request.path.equals("/whole") ? .whole(limit: 20) : .streamed(limit: 100)
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        path = request.path.text
        text = request.body.text
        log.events.append("respond \(path) \(text)")
        switch path {
        case "/early": response.sendStatus(.forbidden)
        case "/echo", "/half":
            response.begin(.ok)
            response.startBody(length: nil)
        case "/await": awaited = response.perform { 1 }
        case "/whole", "/none": response.send(.ok, contentType: "text/plain", text.utf8.span.bytes)
        default: break
        }
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        log.largestPiece = max(log.largestPiece, body.byteCount)
        text += body.text
        if path == "/echo" { response.write(body) }
        if path == "/await" {
            #expect(awaited == nil)
            awaited = response.perform { 2 }
        }
        if path == "/middle" { response.sendStatus(.forbidden) }
    }

    mutating func answered(_ response: inout ResponseWriter) { awaited = nil }

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        log.events.append("ended \(text)" + trailers.map { " [\($0.name)=\($0.value)]" }.joined())
        if path == "/echo" { return response.end(trailers: trailers) }
        if path == "/silent" { return }
        response.send(.ok, contentType: "text/plain", text.utf8.span.bytes)
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {
        log.summaries.append("\(summary.end) \(summary.status.map { "\($0.code)" } ?? "-") \(summary.bytesWritten)")
    }
}

@Suite struct StreamedBodyTests {
    private let log = Log()

    private func drive(_ limits: ConnectionLimits = .default) -> TestDriver {
        TestDriver(HTTPServerHandler(application: Streaming(log)), limits: limits)
    }

    private func post(_ path: String, _ body: String, _ fields: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func chunked(_ path: String, _ chunks: String..., trailers: String = "") -> String {
        let coded = chunks.map { String($0.utf8.count, radix: 16) + ";x=y\r\n\($0)\r\n" }.joined()
        return "POST \(path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(coded)0\r\n\(trailers)\r\n"
    }

    private func text(_ body: String) -> String { answer("200 OK", "Content-Type: text/plain", body: body) }

    @Test(arguments: Feeding.allCases)
    func aBodyComesPieceByPiece(_ feeding: Feeding) {
        let driver = drive()
        driver.feed(post("/collect", "0123456789") + chunked("/collect", "abc", "defg", trailers: "X: \t1 \r\nHost: b\r\nY:\r\n"), feeding)
        #expect(driver.takeOutput() == text("0123456789") + text("abcdefg"))
        #expect(log.events == [
            "delivery /collect 0", "respond /collect ", "ended 0123456789",
            "delivery /collect 0", "respond /collect ", "ended abcdefg [X=1] [Y=]",
        ])
        #expect(log.summaries == ["answered 200 10", "answered 200 7"])
        #expect(log.largestPiece == (feeding == .whole ? 10 : feeding == .byteByByte ? 1 : log.largestPiece))
        #expect(driver.wantsInput)
    }

    @Test(arguments: Feeding.allCases)
    func anEmptyChunkedBodyEnds(_ feeding: Feeding) {
        let driver = drive()
        driver.feed(chunked("/collect") + "GET /none HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", feeding)
        #expect(driver.takeOutput() == text("") + text(""))
        #expect(log.events == ["delivery /collect 0", "respond /collect ", "ended ", "respond /none "])
    }

    @Test func anAnswerBesideItsRequest() {
        let driver = drive()
        driver.receive("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
        #expect(driver.takeOutput() == "HTTP/1.1 200 OK\r\n\(date)Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        driver.receive("c\r\n0\r\nSum: 3\r\n\r\n")
        #expect(driver.takeOutput() == "1\r\nc\r\n0\r\nSum: 3\r\n\r\n")
        #expect(log.summaries == ["answered 200 3"])
    }

    @Test(arguments: Feeding.allCases)
    func nothingIsDeliveredWhileTheApplicationWaits(_ feeding: Feeding) {
        let driver = drive()
        driver.feed(chunked("/await", "abc", "def") + post("/await", "0123"), feeding)
        #expect(driver.takeOutput() == text("abcdef") + text("0123"))
    }

    // MARK: Early answers

    @Test(arguments: ["/early", "/middle"], Feeding.allCases)
    func theRestOfABodyIsPassedOver(_ path: String, _ feeding: Feeding) {
        let driver = drive()
        driver.feed(post(path, "GET / HTTP/1.1\r\n\r\n") + chunked(path, "abc", "def") + post("/collect", "x"), feeding)
        #expect(driver.takeOutput() == status("403 Forbidden") + status("403 Forbidden") + text("x"))
        #expect(log.summaries == ["answered 403 14", "answered 403 14", "answered 200 1"])
    }

    @Test(arguments: [(64 * 1024, true), (64 * 1024 + 1, false)])
    func aLongRestIsNot(_ length: Int, _ goesOn: Bool) {
        struct Early: HTTPApplication {
            mutating func delivery(of request: borrowing RequestView) -> BodyDelivery { .streamed() }
            mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
                response.sendStatus(.forbidden)
            }
        }
        for isChunked in [false, true] {
            let driver = TestDriver(HTTPServerHandler(application: Early()))
            let body = String(repeating: "x", count: length)
            driver.feed(isChunked ? chunked("/", body) : post("/", body), .whole)
            #expect((driver.takeOutput() as String).hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
            #expect(driver.closed == (goesOn ? nil : .finished))
        }
    }

    @Test func garbageBehindAnEarlyAnswerIsNotAnswered() {
        let driver = drive()
        driver.receive("POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
        #expect(driver.takeOutput() == status("403 Forbidden"))
        #expect(driver.closed == .finished)
    }

    // MARK: Expectations

    @Test func theWordIsGivenWhenTheApplicationWantsTheBody() {
        let driver = drive()
        let expects = "Expect: 100-continue\r\n"
        for path in ["/collect", "/await", "/whole"] {
            driver.receive(String(post(path, "abc", expects).dropLast(3)))
            #expect(driver.takeOutput() == "HTTP/1.1 100 Continue\r\n\r\n")
            driver.receive("abc")
            #expect(driver.takeOutput() == text("abc"))
            driver.receive(post(path, "abc", expects))
            #expect(driver.takeOutput() == text("abc"))
        }
        driver.receive(String(post("/early", "abc", expects).dropLast(3)))
        #expect(driver.takeOutput() == refusal("403 Forbidden"))
        #expect(driver.closed == .finished)
    }

    // MARK: Refusals

    @Test(arguments: Feeding.allCases)
    func atTheLimitAndOnePast(_ feeding: Feeding) {
        for (path, limit) in [("/collect", 100), ("/whole", 20)] {
            let within = drive()
            let body = String(repeating: "x", count: limit)
            within.feed(post(path, body) + chunked(path, body), feeding)
            #expect(within.takeOutput() == text(body) + text(body))
            let known = drive()
            known.feed(post(path, body + "x"), feeding)
            #expect(known.takeOutput() == refusal("413 Content Too Large"))
            #expect(known.closed == .finished)
            let unknown = drive()
            unknown.feed(chunked(path, body, "x"), feeding)
            #expect(unknown.takeOutput() == refusal("413 Content Too Large"))
            #expect(unknown.closed == .finished)
            #expect(log.summaries.suffix(2).allSatisfy { $0 == "refused 413 22" })
        }
    }

    @Test func aBrokenBodyIsRefusedOrCutsTheAnswerOff() {
        let broken = "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nax"
        let open = drive()
        open.receive("POST /collect " + broken)
        #expect(open.takeOutput() == refusal("400 Bad Request"))
        let begun = drive()
        begun.receive("POST /half " + broken)
        #expect(begun.closed == .aborted)
        #expect(log.summaries == ["refused 400 16", "cutOff 200 0"])
    }

    @Test func slowAndVanishedPeers() {
        var limits = ConnectionLimits()
        limits.minReceiveRate = 0
        let slow = drive(limits)
        slow.receive(String(post("/collect", "abc").dropLast(2)))
        slow.advance(by: .milliseconds(59_999))
        slow.receive("b")
        slow.advance(by: .milliseconds(59_999))
        #expect(slow.takeOutput() == "")
        slow.advance(by: .milliseconds(1))
        #expect((slow.takeOutput() as String).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))

        let gone = drive()
        gone.receive("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab")
        gone.receiveEndOfInput()
        #expect(gone.closed == .aborted)
        #expect(log.summaries == ["refused 408 20", "connectionLost 200 0"])
    }

    @Test func noAnswerIsAnError() {
        let driver = drive()
        driver.receive(post("/silent", "abc"))
        #expect(driver.takeOutput() == refusal("500 Internal Server Error"))
        #expect(log.summaries == ["refused 500 26"])
    }
}
