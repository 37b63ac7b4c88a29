import HTTPTestSupport
import HTTPTypes
import ReactorContentCodings
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import Testing

private final class Heard {
    var bodies: [String] = []
    var largest = 0
    var pieces = 0
    var ends = 0
}

/// Answers with the length of the body that it got; streamed if the path says so.
private struct Counting: HTTPApplication {
    let heard: Heard
    private var count = 0
    private var waits = false
    private var text = ""

    init(_ heard: Heard) { self.heard = heard }

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        if request.path.equals("/limited") { return .whole(limit: 3000) }
        return request.path.equals("/whole") ? .whole() : .streamed(limit: 4_000_000)
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        waits = request.path.equals("/waiting")
        count = 0
        text = ""
        if request.path.equals("/early") { return response.sendStatus(.forbidden) }
        if request.path.equals("/begun") {
            response.begin(.ok)
            response.startBody(length: nil)
        }
        if request.path.equals("/whole") || request.path.equals("/limited") || request.method == .get {
            heard.bodies.append(request.body.text)
            #expect(request.field("x")?.text == "y")
            response.send(.ok, contentType: "text/plain", Array("\(request.body.byteCount)".utf8).span.bytes)
        }
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        let isAwaiting = response.isAwaiting
        #expect(!isAwaiting)
        heard.largest = max(heard.largest, body.byteCount)
        heard.pieces += 1
        text += body.text
        if waits { _ = response.perform { 1 } }
    }

    mutating func answered(_ response: inout ResponseWriter) {}

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        heard.bodies.append(text)
        if response.hasBegun { return response.end() }
        response.send(.ok, contentType: "text/plain", Array("\(text.utf8.count)".utf8).span.bytes)
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { heard.ends += 1 }
}

@Suite struct CompressionRequestTests {
    private func encode(_ coding: ContentCoding, _ text: String) throws -> [UInt8] {
        var encoder = try ContentEncoder(coding)
        var output = ByteQueue()
        try encoder.encode(Array(text.utf8).span.bytes, into: &output)
        try encoder.finish(into: &output)
        return output.bytes.array
    }

    private func post(
        _ path: String, _ coding: String, _ body: [UInt8], _ feeding: Feeding = .whole, to heard: Heard = Heard(),
        limits: ContentDecodingLimits? = nil, more: String = ""
    ) -> (status: String, output: String, closed: Bool) {
        let application = RequestDecompression(Counting(heard), limits: limits ?? RequestDecompression<Counting>.defaultLimits)
        let driver = TestDriver(HTTPServerHandler(application: application))
        let head = "POST \(path) HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n\r\n"
        driver.feed(Array(head.utf8) + body + Array(more.utf8), feeding)
        let output: String = driver.takeOutput()
        return (String(output.dropFirst(9).prefix(3)), output, driver.closed != nil)
    }

    @Test(arguments: ContentCoding.allCases, Feeding.allCases)
    func bodiesAreDecoded(_ coding: ContentCoding, _ feeding: Feeding) throws {
        let body = try encode(coding, page(30_000))
        for path in ["/whole", "/streamed", "/waiting"] {
            let heard = Heard()
            let next = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
            let (status, output, _) = post(path, "\(coding.name)", body, feeding, to: heard, more: next)
            #expect(status == "200" && heard.bodies.first == page(30_000), "\(path)")
            // The request behind it has none, and is not decoded.
            #expect(heard.bodies.count == 2 && heard.bodies.last == "" && heard.ends == 2)
            #expect(output.contains("\r\n\r\n30000HTTP/1.1 200 OK"))
        }
    }

    @Test func bodiesWithoutACoding() {
        for coding in ["identity", "", "identity, identity"] {
            for path in ["/whole", "/streamed"] {
                let heard = Heard()
                #expect(post(path, coding, Array("plain".utf8), to: heard).status == "200" && heard.bodies == ["plain"])
            }
        }
    }

    @Test(arguments: ["compress", "gzip, gzip", "gzip, br", "x", "gzip;q=1", "identity, x"], ["/whole", "/streamed"])
    func codingsThatAreNotKnown(_ coding: String, _ path: String) {
        let heard = Heard()
        let (status, output, _) = post(path, coding, Array("what it is".utf8), to: heard)
        #expect(status == "415" && output.contains("Accept-Encoding: gzip, deflate, br, zstd\r\n"))
        #expect(heard.bodies.isEmpty && heard.ends == 1)
    }

    @Test(arguments: ContentCoding.allCases, ["/whole", "/streamed", "/waiting"])
    func bodiesThatAreBroken(_ coding: ContentCoding, _ path: String) throws {
        let body = try encode(coding, page(30_000))
        for (broken, what) in [(Array(body.dropLast()), "truncated"), (body + [0], "trailing"), (Array("garbage, garbage".utf8), "garbage")] {
            for feeding in Feeding.allCases {
                let heard = Heard()
                #expect(post(path, "\(coding.name)", broken, feeding, to: heard).status == "400", "\(what)")
                #expect(heard.bodies.isEmpty && heard.ends == 1)
            }
        }
    }

    /// 3 MiB of zeros are a few KiB.
    @Test(arguments: ContentCoding.allCases, ["/whole", "/streamed", "/waiting"])
    func bombs(_ coding: ContentCoding, _ path: String) throws {
        let bomb = try encode(coding, String(repeating: "\0", count: 3 << 20))
        let heard = Heard()
        #expect(post(path, "\(coding.name)", bomb, to: heard).status == "413")
        #expect(heard.bodies.isEmpty && heard.largest <= 64 * 1024)
    }

    @Test func theLimitsAtTheirValueAndOnePast() throws {
        var limits = ContentDecodingLimits()
        limits.output = 2000
        for (length, status) in [(2000, "200"), (2001, "413")] {
            #expect(post("/whole", "gzip", try encode(.gzip, page(length)), limits: limits).status == status)
        }
        // The delivery's own limit takes the place of it.
        for (length, status) in [(3000, "200"), (3001, "413")] {
            #expect(post("/limited", "gzip", try encode(.gzip, page(length)), limits: limits).status == status)
        }
    }

    @Test func anAnswerThatHasBegunIsCutOff() throws {
        let (_, output, closed) = post("/begun", "gzip", Array("garbage".utf8))
        #expect(closed && !output.hasSuffix("0\r\n\r\n"))
        #expect(post("/begun", "gzip", try encode(.gzip, "x")).output.hasSuffix("0\r\n\r\n"))
    }

    @Test func anAnswerBeforeTheBody() throws {
        let heard = Heard()
        #expect(post("/early", "gzip", try encode(.gzip, page(30_000)), .byteByByte, to: heard).status == "403")
        #expect(heard.pieces == 0 && heard.ends == 1)
    }

    @Test func anEmptyBodyIsEmpty() {
        // Without bytes there is no body to be delivered.
        #expect(post("/whole", "gzip", []).output.hasSuffix("\r\n\r\n0"))
    }

    /// A few bytes that become many come in pieces, and only as the application takes them.
    @Test func piecesWaitForTheApplication() throws {
        let heard = Heard()
        let text = page(1_000_000)
        #expect(post("/waiting", "zstd", try encode(.zstd, text), to: heard).status == "200")
        #expect(heard.bodies == [text] && heard.largest == 64 * 1024 && heard.pieces >= 16)
    }
}
