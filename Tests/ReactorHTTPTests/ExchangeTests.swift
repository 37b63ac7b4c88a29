import ConnectionHandling
import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Synchronization
import Testing

/// What was told of exchanges, and what of them is still held.
private final class Ledger: Sendable {
    let ends = Mutex<[String]>([])
    let held = Mutex(0)
}

/// Kept by an exchange, by its context and its middleware.
private final class Canary: HTTPMiddleware {
    let ledger: Ledger

    init(_ ledger: Ledger) {
        self.ledger = ledger
        ledger.held.withLock { $0 += 1 }
    }

    deinit { ledger.held.withLock { $0 -= 1 } }
}

private enum CanaryKey: ExchangeContextKey { typealias Value = Canary }

private struct Deaf: ConnectionHandler {
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
}

/// Ends its exchanges in every way that there is, as the path says.
private struct Endings: HTTPApplication {
    let ledger: Ledger
    private var path = ""
    private var awaited: Awaited<Int>?
    private var left = 0

    init(_ ledger: Ledger) { self.ledger = ledger }

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        request.path.equals("/whole") ? .whole(limit: 100) : .streamed(limit: 100)
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        hold(&response)
        path = request.path.text
        switch path {
        case "/work": awaited = response.perform { 1 }
        case "/half", "/both":
            response.begin(.ok)
            response.startBody(length: nil)
        case "/abort":
            response.begin(.ok)
            response.startBody(length: 10)
            response.abort()
        case "/long":
            left = 100
            response.begin(.ok)
            response.startBody(length: left * 10_000)
            drained(&response)
        case "/upgrade": if !response.upgrade(to: "deaf", handler: Deaf()) { response.send(.ok) }
        case "/none", "/collect", "/piece", "/silent", "/pause": break
        default: response.send(.ok)
        }
    }

    private func hold(_ response: inout ResponseWriter) {
        response.context[CanaryKey.self] = Canary(ledger)
        response.chain = MiddlewareChain([Canary(ledger)])
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        if path == "/piece" { response.send(.ok) }
        if path == "/both" { response.write(body) }
        if path == "/pause" {
            response.pausesBody = true
            awaited = response.perform { 2 }
        }
    }

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        switch path {
        case "/both": response.end()
        case "/collect", "/pause": response.send(.ok)
        default: break
        }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        response.pausesBody = false
        if path == "/work" { response.send(.ok) }
    }

    mutating func drained(_ response: inout ResponseWriter) {
        let piece = [UInt8](repeating: 120, count: 10_000)
        while left > 0 && !response.isBackedUp {
            response.write(piece.span.bytes)
            left -= 1
        }
        if path == "/long" && left == 0 { response.end() }
    }

    mutating func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        hold(&response)
        response.sendStatus(status)
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {
        let line = "\(summary.end) \(summary.status.map { "\($0.code)" } ?? "-")"
        ledger.ends.withLock { $0.append(line) }
    }
}

/// Every exchange that has begun is told to have ended, once, and nothing of it is held then.
@Suite struct ExchangeTests {
    enum Step {
        case feed(String), window(Int?), wait(Int)
        case end, reset, stop
    }

    struct Script: CustomTestStringConvertible {
        let testDescription: String
        let steps: [Step]
        let ends: [String]

        init(_ name: String, _ steps: Step..., ends: String...) {
            testDescription = name
            self.steps = steps
            self.ends = ends
        }
    }

    private static func get(_ path: String, _ fields: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }
    private static func post(_ path: String, _ length: Int, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n\(body)"
    }
    private static func chunks(_ path: String, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }
    private static let now = get("/now")
    private static let inChunks = "3\r\nabc\r\n0\r\n\r\n"

    static let scripts = [
        Script("at once", .feed(now + now), ends: "answered 200", "answered 200"),
        Script("awaited", .feed(get("/work") + now + get("/work") + now),
            ends: "answered 200", "answered 200", "answered 200", "answered 200"),
        Script("collected", .feed(post("/whole", 3, "abc") + now), ends: "answered 200", "answered 200"),
        Script("streamed", .feed(post("/collect", 3, "abc") + now), ends: "answered 200", "answered 200"),
        Script("streamed in chunks", .feed(chunks("/collect", inChunks) + now), ends: "answered 200", "answered 200"),
        Script("both ways", .feed(chunks("/both", inChunks) + now), ends: "answered 200", "answered 200"),
        Script("pausing", .feed(post("/pause", 6, "abcdef") + chunks("/pause", inChunks) + now),
            ends: "answered 200", "answered 200", "answered 200"),
        Script("early", .feed(post("/now", 3, "abc") + chunks("/now", "0\r\n\r\n") + now),
            ends: "answered 200", "answered 200", "answered 200"),
        Script("at a piece", .feed(post("/piece", 3, "abc") + chunks("/piece", inChunks) + now),
            ends: "answered 200", "answered 200", "answered 200"),
        Script("garbage behind an early answer", .feed(chunks("/now", "x\r\n")), ends: "answered 200"),
        Script("upgrade", .feed(get("/upgrade", "Connection: upgrade\r\nUpgrade: deaf\r\n") + now), ends: "answered 101"),
        Script("no answer", .feed(now + get("/none") + now), ends: "answered 200", "refused 500"),
        Script("no answer to a body", .feed(post("/silent", 3, "abc") + now), ends: "refused 500"),
        Script("half an answer", .feed(get("/half") + now), ends: "cutOff 200"),
        Script("given up", .feed(get("/abort") + now), ends: "cutOff 200"),
        Script("refused", .feed(now + "GET\r\n" + now), ends: "answered 200", "refused 400"),
        Script("too large", .feed(post("/collect", 101, "abc")), ends: "refused 413"),
        Script("too large at last", .feed(chunks("/whole", "65\r\n")), ends: "refused 413"),
        Script("a broken body", .feed(chunks("/collect", "1\r\nax")), ends: "refused 400"),
        Script("a broken body under an answer", .feed(chunks("/both", "1\r\nax")), ends: "cutOff 200"),
        Script("a slow head", .feed("GET / HT"), .wait(30), ends: "refused 408"),
        Script("a slow body", .feed(post("/collect", 3, "ab")), .wait(60), .feed("c"), ends: "refused 408"),
        Script("a slow body under an answer", .feed(post("/both", 3, "ab")), .wait(60), ends: "cutOff 200"),
        Script("a slow rest", .feed(post("/now", 3, "ab")), .wait(60), ends: "answered 200"),
        Script("gone in a body", .feed(post("/collect", 3, "ab")), .reset, ends: "connectionLost -"),
        Script("gone in a whole body", .feed(post("/whole", 3, "ab")), .reset),
        Script("ended in a body", .feed(post("/collect", 3, "ab")), .end, ends: "connectionLost -"),
        Script("ended under an answer", .feed(post("/both", 3, "ab")), .end, ends: "connectionLost 200"),
        Script("gone in an answer", .window(0), .feed(get("/long") + now), .reset, ends: "connectionLost 200"),
        Script("a slow reader", .window(0), .feed(get("/long") + now), .wait(100), .window(nil),
            ends: "answered 200", "answered 200"),
        Script("stopped in a body", .feed(post("/collect", 3, "ab")), .stop, .feed("c" + now), ends: "answered 200"),
        Script("stopped in an answer", .window(0), .feed(get("/long") + now), .stop, .window(nil), ends: "answered 200"),
    ]

    @Test(arguments: scripts, Feeding.allCases)
    func isToldOnceAndLeavesNothing(_ script: Script, _ feeding: Feeding) {
        let ledger = Ledger()
        do {
            let driver = TestDriver(HTTPServerHandler(application: Endings(ledger)))
            for step in script.steps {
                switch step {
                case .feed(let text): driver.feed(text, feeding)
                case .window(let size): driver.setWindow(size)
                case .wait(let seconds): driver.advance(by: .seconds(seconds))
                case .end: driver.receiveEndOfInput()
                case .reset: driver.reset()
                case .stop: driver.stop()
                }
            }
            driver.reset()
        }
        #expect(ledger.ends.withLock { $0 } == script.ends)
        #expect(ledger.held.withLock { $0 } == 0)
    }

    /// Before the answer is there, by the one and by the other, and never both.
    @Test(arguments: [true, false])
    func whileSomethingIsAwaited(_ isLost: Bool) {
        let ledger = Ledger()
        do {
            let clock = DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 784_111_777)
            var conversation = Conversation(
                handler: TypedHandlerBox(HTTPServerHandler(application: Endings(ledger))), peer: .loopback(port: 1), clock: clock,
                limits: ResolvedLimits(.default), descriptor: -1)
            conversation.start()
            conversation.receive(Array(Self.get("/work").utf8).span.bytes)
            #expect(ledger.ends.withLock { $0.isEmpty } && ledger.held.withLock { $0 } == 2)
            if !isLost {
                clock.now = MonotonicTime(nanoseconds: 120_000_000_001)
                conversation.expire()
                conversation.answer()
            }
            conversation.close(.failed(errno: 104))
        }
        #expect(ledger.ends.withLock { $0 } == [isLost ? "connectionLost -" : "refused 503"])
        #expect(ledger.held.withLock { $0 } == 0)
    }

    /// As when a driver goes with its process.
    @Test func aHandlerThatIsDroppedHoldsNothing() {
        let ledger = Ledger()
        do { TestDriver(HTTPServerHandler(application: Endings(ledger))).receive(Self.post("/collect", 3, "ab")) }
        #expect(ledger.held.withLock { $0 } == 0)
    }

    // MARK: What comes behind

    /// However the end of a body has come, the next request has its whole time.
    @Test(arguments: ["/collect", "/now"], [true, false])
    func theTimeForTheNextRequest(_ path: String, _ isApart: Bool) {
        let driver = TestDriver(HTTPServerHandler(application: Endings(Ledger())))
        driver.receive(Self.chunks(path, "3\r\nabc\r\n"))
        driver.advance(by: .seconds(50))
        driver.receive("0\r\n\r\n" + (isApart ? "" : Self.now))
        driver.advance(by: .milliseconds(74_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .finished)
    }

    /// The answer is out, and nothing more is asked of the client.
    @Test func aServerThatStopsWaitsForNoRest() {
        let driver = TestDriver(HTTPServerHandler(application: Endings(Ledger())))
        driver.receive(Self.post("/now", 10, "abc"))
        #expect(driver.takeOutput() == answer("200 OK"))
        driver.stop()
        driver.receive("defghij")
        #expect(driver.closed == .finished)
    }

    /// A client that was told to go on and had nothing to send can go on.
    @Test func anExpectedBodyThatIsEmpty() {
        let driver = TestDriver(HTTPServerHandler(application: Endings(Ledger())))
        driver.receive("POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        #expect(driver.takeOutput() == "HTTP/1.1 100 Continue\r\n\r\n")
        driver.receive("0\r\n\r\n" + Self.now)
        #expect(driver.takeOutput() == answer("200 OK") + answer("200 OK"))
        #expect(driver.closed == nil)
    }
}
