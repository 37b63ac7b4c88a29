import ConnectionHandling
import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Synchronization
import Testing

private enum Mark: ExchangeContextKey { typealias Value = String }

private final class Tracer: HTTPMiddleware {
    let name: String
    let log = Mutex<[String]>([])

    init(_ name: String) { self.name = name }

    func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        let context = response.context
        context[Mark.self] = (context[Mark.self] ?? "") + name
        if request.path.equals("/stop") { response.sendStatus(.forbidden) }
    }

    func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        let mark = response.context[Mark.self] ?? "none"
        response.field("X-\(name)", mark)
    }

    func ended(_ summary: borrowing ExchangeSummary) {
        let line = "\(summary.end) \(summary.status?.code ?? 0) \(summary.bytesWritten) \(summary.duration ?? .zero)"
        log.withLock { $0.append(line) }
    }
}

extension ResponseWriter {
    fileprivate mutating func field(_ name: String, _ value: String) {
        guard let name = HTTPField.Name(name) else { return }
        field(name, value)
    }
}

/// Every byte doubled, and a mark at the end.
private final class Doubling: ResponseBodyEncoder {
    func coding(for answer: borrowing HeldAnswer) -> StaticString? {
        guard let type = answer.field("content-type"), type.equals("text/plain"), answer.field("x") == nil else { return nil }
        return answer.length == 1 ? nil : "double"
    }
    func encode(_ bytes: RawSpan, into output: inout ByteQueue) {
        for offset in 0..<bytes.byteCount {
            output.append(bytes[offset])
            output.append(bytes[offset])
        }
    }
    func finish(into output: inout ByteQueue) { output.append("!") }
}

/// Works so often.
private final class Failing: ResponseBodyEncoder {
    private var left: Int
    private(set) var hasFailed = false

    init(after calls: Int) { left = calls }

    func coding(for answer: borrowing HeldAnswer) -> StaticString? { "brittle" }
    func encode(_ bytes: RawSpan, into output: inout ByteQueue) { call { output.append(bytes) } }
    func finish(into output: inout ByteQueue) { call { output.append("!") } }

    private func call(_ work: () -> Void) {
        if left == 0 { hasFailed = true } else { work() }
        left -= 1
    }
}

private struct Brittle: HTTPApplication {
    let works: Int
    let ends: Ends

    final class Ends {
        var all: [ExchangeEnd] = []
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        response.encoder = Failing(after: works)
        response.begin(.ok)
        if request.path.equals("/whole") { return response.end("abcd".utf8.span.bytes) }
        response.startBody(length: nil)
        response.write("ab".utf8.span.bytes)
        response.write("cd".utf8.span.bytes)
        response.end()
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { ends.all.append(summary.end) }
}

/// Its answers go through middleware or an encoder, as the path says.
private struct Site: HTTPApplication {
    let chain: MiddlewareChain?

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        if let chain {
            response.chain = chain
            if !chain.received(request, with: &response) { return }
        } else {
            response.encoder = Doubling()
        }
        if request.path.equals("/nothing") { return }
        if request.path.equals("/early") { response.sendInformational(HTTPStatus(103), [.init("Link")!: "</a>", .date: "x"]) }
        var head = HTTPResponse(status: .created, headerFields: [.contentType: "text/plain", .eTag: "\"1\"", .contentLength: "7"])
        if request.path.equals("/x") { head.headerFields[.init("X")!] = "1" }
        response.begin(head)
        if request.path.equals("/pieces") {
            response.startBody(length: 4)
            response.write("ab".utf8.span.bytes)
            response.write("cd".utf8.span.bytes)
            response.end()
        } else {
            response.end((request.path.equals("/one") ? "a" : "abcd").utf8.span.bytes)
        }
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { chain?.ended(summary) }
}

@Suite struct MiddlewareTests {
    private func get(_ path: String, _ method: String = "GET", _ version: String = "1.1") -> String {
        "\(method) \(path) HTTP/\(version)\r\nHost: a\r\n\r\n"
    }

    private func answers(_ chain: MiddlewareChain?, _ requests: String) -> String {
        let driver = TestDriver(HTTPServerHandler(application: Site(chain: chain)))
        driver.receive(requests)
        return driver.takeOutput()
    }

    private let created = "HTTP/1.1 201 Created\r\n\(date)"

    @Test func itSeesRequestsAndAnswersInTurn() {
        let (outer, inner) = (Tracer("Outer"), Tracer("Inner"))
        let output = answers(MiddlewareChain([outer, inner]), get("/a") + get("/stop") + get("/nothing"))
        let fields = { (mark: String) in "X-Inner: \(mark)\r\nX-Outer: \(mark)\r\n" }
        let ordinary = created + fields("OuterInner") + "Content-Type: text/plain\r\nETag: \"1\"\r\nContent-Length: 4\r\n\r\nabcd"
        let stopped = status("403 Forbidden").replacing("Content-Type", with: fields("Outer") + "Content-Type")
        let failed = refusal("500 Internal Server Error").replacing("Content-Type", with: fields("OuterInner") + "Content-Type")
        #expect(output == ordinary + stopped + failed)
        let expected = ["answered 201 4 0.0 seconds", "answered 403 14 0.0 seconds", "refused 500 26 0.0 seconds"]
        #expect(outer.log.withLock { $0 } == expected)
        #expect(inner.log.withLock { $0 } == expected)
    }

    @Test func informationalAnswersAreForThoseWhoKnowThem() {
        let output = answers(MiddlewareChain([]), get("/early") + get("/early", "GET", "1.0"))
        #expect(output.hasPrefix("HTTP/1.1 103 \r\nLink: </a>\r\n\r\n" + created))
        #expect(output.ranges(of: " 103 ").count == 1)
    }

    @Test func anEncoderTakesTheAnswersItWants() {
        let fields = "Content-Type: text/plain\r\nETag: W/\"1\"\r\nContent-Encoding: double\r\nVary: Accept-Encoding\r\n"
        let plain = "Content-Type: text/plain\r\nETag: \"1\"\r\n"
        #expect(answers(nil, get("/whole")) == created + fields + "Content-Length: 9\r\n\r\naabbccdd!")
        #expect(
            answers(nil, get("/pieces")) == created + fields + "Transfer-Encoding: chunked\r\n\r\n4\r\naabb\r\n4\r\nccdd\r\n1\r\n!\r\n0\r\n\r\n")
        #expect(answers(nil, get("/pieces", "HEAD")) == created + fields + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(answers(nil, get("/whole", "HEAD")) == created + fields + "Transfer-Encoding: chunked\r\n\r\n")
        // Cut off, wherever that is: it must not look whole.
        for (path, calls) in [("/whole", 2), ("/pieces", 3)] {
            for works in 0...calls {
                let ends = Brittle.Ends()
                let driver = TestDriver(HTTPServerHandler(application: Brittle(works: works, ends: ends)))
                driver.receive(get(path) + get(path))
                let isWhole = works == calls
                #expect(ends.all == (isWhole ? [.answered, .answered] : [.cutOff]), "\(path) \(works)")
                #expect(driver.closed == (isWhole ? nil : .aborted))
                #expect((driver.takeOutput() as String).contains("!") == isWhole)
            }
        }
        #expect(answers(nil, get("/one")) == created + plain + "Content-Length: 1\r\n\r\na")
        #expect(answers(nil, get("/x")) == created + plain + "X: 1\r\nContent-Length: 4\r\n\r\nabcd")
    }
}

/// Requests in the types of swift-http-types.
@Suite struct ConversionTests {
    private struct Reading: HTTPApplication {
        mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
            let head = request.head
            var text = "\(head.method.rawValue) \(head.scheme ?? "-") \(head.authority ?? "-") \(head.path ?? "-")"
            for field in head.headerFields { text += " [\(field.name.rawName)=\(field.value)]" }
            response.send(.ok, contentType: "text/plain", text.utf8.span.bytes)
        }
    }

    @Test(arguments: [
        ("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: \u{e9}\r\nX-A: 2\r\n\r\n", "GET - x /a?b=c [Host=x] [X-A=\u{e9}] [X-A=2]"),
        ("BREW HTTPS://y:8?q HTTP/1.1\r\nHost: x\r\n\r\n", "BREW https y:8 /?q [Host=x]"),
        ("OPTIONS http://y HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS http y / [Host=x]"), ("GET /? HTTP/1.0\r\n\r\n", "GET - - /?"),
    ])
    func heads(_ request: String, _ expected: String) {
        let driver = TestDriver(HTTPServerHandler(application: Reading()))
        driver.receive(request)
        #expect((driver.takeOutput() as String).hasSuffix("\r\n\r\n" + expected))
    }

    @Test func methodsAndStatuses() {
        for method in (0..<9).compactMap(HTTPMethod.init(rawValue:)) {
            #expect(HTTPRequest.Method(method).map { HTTPMethod($0) } == method)
        }
        #expect(HTTPRequest.Method(HTTPMethod.other) == nil)
        #expect(HTTPResponse.Status(HTTPStatus.notFound) == .notFound)
        #expect(HTTPStatus(HTTPResponse.Status.notFound) == .notFound)
    }
}
