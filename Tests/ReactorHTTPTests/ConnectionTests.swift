import ConnectionHandling
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

/// How long a connection lasts, and how answers are framed on it.
@Suite struct ConnectionTests {
    private func drive(_ limits: ConnectionLimits = .default) -> TestDriver {
        TestDriver(HTTPServerHandler(application: Probe()), limits: limits)
    }

    private func get(_ path: String, _ version: String = "1.1", _ fields: String = "") -> String {
        "GET \(path) HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n"
    }

    private func text(_ body: String, _ fields: String = "") -> String {
        "HTTP/1.1 200 OK\r\n\(date)Content-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
    }

    /// What thousands of idle connections hold each, beside what their driver does.
    @Test func aConnectionIsSmall() {
        #expect(MemoryLayout<HTTPServerHandler<SampleSite>>.size <= 152)
    }

    // MARK: Keep-alive

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: keep-alive\r\n", true), ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: x, CLOSE\r\n", false), ("1.1", "Connection: x\r\nConnection: ,close\r\n", false),
        ("1.1", "Connection: closed\r\n", true), ("1.1", "Connection: close, keep-alive\r\n", false),
        ("1.0", "", false), ("1.0", "Connection: Keep-Alive\r\n", true), ("1.0", "Connection: keep-alive, close\r\n", false),
    ])
    func keepAlive(_ version: String, _ fields: String, _ goesOn: Bool) {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.receive(get("/plaintext", version, fields) + get("/plaintext"))
        let note = !goesOn ? "Connection: close\r\n" : version == "1.0" ? "Connection: keep-alive\r\n" : ""
        #expect(driver.takeOutput() == text("Hello, World!", note) + (goesOn ? hello : ""))
        #expect(driver.closed == (goesOn ? nil : .finished))
    }

    @Test func theEndOfInputEndsTheConnection() {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.receive(get("/plaintext") + get("/plaintext") + "GET")
        driver.receiveEndOfInput()
        #expect(driver.takeOutput() == hello + hello)
        #expect(driver.closed == .finished)
    }

    @Test func aStoppingServerFinishesWhatHasBegun() {
        let idle = TestDriver(HTTPServerHandler(application: SampleSite()))
        idle.receive(get("/plaintext"))
        idle.stop()
        #expect(idle.closed == .finished)
        #expect(idle.takeOutput() == hello)

        let begun = TestDriver(HTTPServerHandler(application: SampleSite()))
        begun.receive("GET /plaintext HT")
        begun.stop()
        #expect(begun.closed == nil)
        begun.receive("TP/1.1\r\nHost: a\r\n\r\n" + get("/plaintext"))
        #expect(begun.takeOutput() == text("Hello, World!", "Connection: close\r\n"))
        #expect(begun.closed == .finished)
    }

    // MARK: Deadlines

    @Test func silenceBetweenRequests() {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.advance(by: .seconds(74))
        #expect(driver.closed == nil)
        driver.receive(get("/plaintext"))
        driver.advance(by: .milliseconds(74_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .finished)
        let moved = hello.replacing("08:49:37", with: "08:50:51")
        #expect(driver.takeOutput() == moved)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nA: ", 30), ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", 60),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", 60),
    ])
    func aRequestThatTakesTooLong(_ start: String, _ seconds: Int) {
        let driver = drive()
        driver.receive(start)
        // A byte now and then does not move the deadline.
        for _ in 1..<seconds {
            driver.advance(by: .seconds(1))
            driver.receive("x")
        }
        driver.advance(by: .milliseconds(999))
        #expect(driver.takeOutput() == "")
        driver.advance(by: .milliseconds(1))
        #expect((driver.takeOutput() as String).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(driver.closed == .finished)
    }

    @Test func anAnswerThatIsAwaitedTooLong() {
        // Without a driver, so that the work is never done.
        let clock = DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 784_111_777)
        var conversation = Conversation(
            handler: TypedHandlerBox(HTTPServerHandler(application: Probe())), peer: .loopback(port: 1), clock: clock,
            limits: ResolvedLimits(.default), descriptor: -1)
        conversation.start()
        conversation.receive(Array(get("/work").utf8).span.bytes)
        #expect(conversation.deadline == MonotonicTime(nanoseconds: 120_000_000_001))
        clock.now = MonotonicTime(nanoseconds: 120_000_000_000)
        conversation.expire()
        let waiting = conversation.connection.output.count
        #expect(waiting == 0)
        clock.now = MonotonicTime(nanoseconds: 120_000_000_001)
        conversation.expire()
        let output = conversation.connection.output.bytes.text
        let isClosing = conversation.connection.isClosing
        #expect(output == refusal("503 Service Unavailable"))
        #expect(isClosing)
    }

    // MARK: Answers

    @Test(arguments: [("/work", "worked"), ("/async", "waited")])
    func awaitedAnswersKeepTheirPlace(_ path: String, _ body: String) {
        let driver = drive()
        driver.receive(get(path) + get(path) + get("/204"))
        #expect(driver.takeOutput() == text(body) + text(body) + answer("204 No Content"))
        #expect(driver.wantsInput)
    }

    @Test(arguments: ["/nothing", "/fails"])
    func noAnswerIsAnError(_ path: String) {
        let driver = drive()
        driver.receive(get(path) + get("/204"))
        #expect(driver.takeOutput() == refusal("500 Internal Server Error"))
        #expect(driver.closed == .finished)
    }

    @Test func theErrorToHeadHasNoBody() {
        let driver = drive()
        driver.receive("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        let text = "500 Internal Server Error\n"
        #expect(driver.takeOutput() == String(refusal("500 Internal Server Error").dropLast(text.utf8.count)))
    }

    @Test(arguments: ["/begun", "/short"])
    func halfAnAnswerIsCutOff(_ path: String) {
        let driver = drive()
        driver.receive(get(path))
        #expect(driver.closed == .aborted)
    }

    @Test func controlBytesDoNotLeaveTheirField() {
        let driver = drive()
        driver.receive(get("/split"))
        #expect(driver.takeOutput() == answer("200 OK", "X: a  Set-Cookie: b c"))
    }

    @Test func headHasTheFieldsOfGet() {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.receive("HEAD /plaintext HTTP/1.1\r\nHost: a\r\n\r\nHEAD /none HTTP/1.1\r\nHost: a\r\n\r\n")
        let missing = status("404 Not Found").replacing("\r\n404 Not Found\n", with: "\r\n")
        #expect(driver.takeOutput() == hello.replacing("Hello, World!", with: "") + missing)
    }

    @Test(arguments: [true, false])
    func streamedBodies(_ held: Bool) {
        var limits = ConnectionLimits()
        if held { (limits.lowWatermark, limits.highWatermark) = (10, 20) }
        let driver = drive(limits)
        let body = "0123456789"
        driver.receive(get("/known") + get("/unknown") + get("/unknown", "1.0", "Connection: keep-alive\r\n"))
        let start = "HTTP/1.1 200 OK\r\n\(date)"
        let chunk = "a\r\n\(body)\r\n"
        var expected = start + "Content-Length: 40\r\n\r\n" + String(repeating: body, count: 4)
        expected += start + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 4) + "0\r\n\r\n"
        expected += start + "Connection: close\r\n\r\n" + String(repeating: body, count: 4)
        #expect(driver.takeOutput() == expected)
        #expect(driver.closed == .finished)
    }

    @Test func streamedBodiesToHead() {
        let driver = drive()
        for path in ["/known", "/unknown"] { driver.receive("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n") }
        let start = "HTTP/1.1 200 OK\r\n\(date)"
        #expect(
            driver.takeOutput()
                == start + "Content-Length: 40\r\n\r\n" + start + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(driver.wantsInput)
    }

    @Test func pipeliningStopsWhileThePeerDoesNotRead() {
        var limits = ConnectionLimits()
        (limits.lowWatermark, limits.highWatermark) = (100, 300)
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()), limits: limits)
        driver.setWindow(0)
        driver.receive(String(repeating: get("/plaintext"), count: 50))
        #expect(!driver.wantsInput)
        // Nothing is closed for idleness while answers wait to be taken: that is the driver's write limit.
        driver.advance(by: .seconds(100))
        #expect(driver.closed == nil)
        driver.setWindow(nil)
        let output: String = driver.takeOutput()
        #expect(output.ranges(of: "Hello, World!").count == 50)
        #expect(driver.wantsInput)
    }
}
