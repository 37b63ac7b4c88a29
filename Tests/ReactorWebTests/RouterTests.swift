import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import Synchronization
import Testing

/// Leaves its name on every answer, and notes how exchanges ended.
private final class Mark: HTTPMiddleware {
    let name: String
    let log: Mutex<[String]> = Mutex([])
    init(_ name: String) { self.name = name }
    func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        if request.query?.equals("stop") == true { response.sendStatus(.forbidden) }
    }
    func sending(_ status: HTTPStatus, with response: inout ResponseWriter) { response.field("X-Mark", name) }
    func ended(_ summary: borrowing ExchangeSummary) {
        let line = "\(summary.status?.code ?? 0) \(summary.end)"
        log.withLock { $0.append(line) }
    }
}

func driver(_ router: Router, errors: ErrorHandler? = nil, window: Int? = nil) -> TestDriver {
    TestDriver(HTTPServerHandler(application: RoutedApplication(router, errors: errors)), window: window)
}

func request(_ line: String, host: String = "h", fields: String = "") -> String { "\(line) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n" }

@Suite struct RouterTests {
    private func text(_ router: Router, _ line: String, host: String = "h") -> String {
        let driver = driver(router)
        driver.receive(request(line, host: host))
        return driver.takeOutput()
    }

    private var site: Router {
        var router = Router()
        router.get("/hello") { _, response in response.send(.ok, contentType: "text/plain", "Hello, World!") }
        router.get("/users/{id}") { request, response in
            response.send(.ok, contentType: "text/plain", Array((request.parameter("id") ?? "none").utf8).span.bytes)
        }
        router.post("/users/{id}") { request, response in response.send(.ok, contentType: "text/plain", request.body) }
        router.get("/teapot") { _, _ in throw HTTPError(HTTPStatus(418), "secret", fields: [.retryAfter: "3"]) }
        router.get("/broken") { _, _ in throw CocoaLike() }
        return router
    }

    private struct CocoaLike: Error { let secret = "secret" }

    @Test func answersByRoute() {
        #expect(text(site, "GET /hello") == hello)
        #expect(text(site, "HEAD /hello") == String(hello.dropLast(13)))
        #expect(text(site, "GET /users/a%20b") == answer("200 OK", "Content-Type: text/plain", body: "a b"))
        #expect(text(site, "OPTIONS /users/1") == answer("204 No Content", "Allow: GET, HEAD, POST, OPTIONS"))
        #expect(text(site, "OPTIONS *") == answer("204 No Content", "Allow: GET, HEAD, POST, OPTIONS"))
        #expect(text(site, "GET /nothing").hasPrefix("HTTP/1.1 404 "))
        #expect(text(site, "GET /users/%ff").hasPrefix("HTTP/1.1 400 "))
        let refused = text(site, "DELETE /users/1")
        #expect(refused.hasPrefix("HTTP/1.1 405 ") && refused.contains("Allow: GET, HEAD, POST, OPTIONS\r\n"))
        #expect(text(site, "BREW /users/1").hasPrefix("HTTP/1.1 501 "))
    }

    @Test func thrownErrors() {
        let teapot = text(site, "GET /teapot")
        #expect(teapot.hasPrefix("HTTP/1.1 418 ") && teapot.contains("Retry-After: 3\r\n") && !teapot.contains("secret"))
        let heard = Mutex<[String]>([])
        let driver = TestDriver(
            HTTPServerHandler(application: RoutedApplication(site, errors: { error, path in heard.withLock { $0.append("\(path): \(error)") } })))
        driver.receive(request("GET /broken"))
        let broken: String = driver.takeOutput()
        #expect(broken.hasPrefix("HTTP/1.1 500 ") && !broken.contains("secret"))
        #expect(heard.withLock { $0 }.count == 1 && heard.withLock { $0[0].hasPrefix("/broken: CocoaLike") })
    }

    @Test(arguments: Feeding.allCases)
    func pipelinedRequestsAreAnsweredInOrder(_ feeding: Feeding) {
        let driver = driver(site)
        driver.feed(
            request("GET /hello") + "POST /users/7 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345"
                + "POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345" + request("GET /users/8"), feeding)
        let output: String = driver.takeOutput()
        #expect(output.hasPrefix(hello + answer("200 OK", "Content-Type: text/plain", body: "12345")))
        #expect(output.contains("HTTP/1.1 404 "))
        #expect(output.hasSuffix(answer("200 OK", "Content-Type: text/plain", body: "8")))
    }

    /// Middleware of the router, then of the groups, inward; the answer passes them on its way out. Those of a router see its
    /// 404; 405 passes those of the path's other methods.
    @Test func groupsAndMiddleware() {
        let (outer, inner, deepest) = (Mark("outer"), Mark("inner"), Mark("deepest"))
        var router = Router()
        router.group("/api", inner) { api in
            api.get("/a") { _, response in response.send(.noContent) }
            api.group("/v1/{tenant}", deepest) { v1 in
                v1.get("/b/{id}") { request, response in
                    response.send(.ok, contentType: "text/plain", Array("\(request.parameter("tenant") ?? "") \(request.parameter("id") ?? "")".utf8).span.bytes)
                }
            }
        }
        router.get("/plain") { _, response in response.send(.noContent) }
        router.use(outer)
        func marks(_ line: String) -> String {
            text(router, line).split(separator: "\r\n").filter { $0.hasPrefix("X-Mark") }.map { $0.dropFirst(8) }.joined(separator: " ")
        }
        #expect(marks("GET /plain") == "outer")
        #expect(marks("GET /api/a") == "inner outer")
        #expect(marks("GET /api/v1/x/b/1") == "deepest inner outer")
        #expect(text(router, "GET /api/v1/x/b/1").hasSuffix("\r\n\r\nx 1"))
        #expect(marks("GET /api/none") == "outer")
        #expect(marks("PUT /api/a") == "inner outer")
        #expect(text(router, "GET /api/a?stop").hasPrefix("HTTP/1.1 403 "))
        #expect(inner.log.withLock { $0 } == ["204 answered", "200 answered", "200 answered", "405 answered", "403 answered"])
        #expect(outer.log.withLock { $0 } == [
            "204 answered", "204 answered", "200 answered", "200 answered", "404 answered", "405 answered", "403 answered",
        ])
    }

    @Test(arguments: [
        ("api.example.com", "api"), ("API.Example.COM", "api"), ("api.example.com:8080", "api"), ("www.example.com", "any"),
        ("a.b.example.com", "any"), ("example.com", "root"), ("xexample.com", "root"), ("[::1]:80", "root"), (".example.com", "root"),
        ("x.deep.example.com", "deep"), ("api.example.com.", "api"), ("api.example.com.:80", "api"), ("www.example.com.", "any"), (".", "root"),
    ])
    func virtualHosts(_ host: String, _ expected: String) {
        var router = Router()
        router.get("/") { _, response in response.send(.ok, contentType: "text/plain", "root") }
        router.host("*.example.com") { $0.get("/") { _, response in response.send(.ok, contentType: "text/plain", "any") } }
        router.host("*.deep.example.com") { $0.get("/") { _, response in response.send(.ok, contentType: "text/plain", "deep") } }
        router.host("Api.example.com", Mark("host")) { $0.get("/") { _, response in response.send(.ok, contentType: "text/plain", "api") } }
        #expect(text(router, "GET /", host: host).hasSuffix("\r\n\r\n" + expected))
        #expect(text(router, "GET /else", host: host).contains("X-Mark: host") == (expected == "api"))
    }

    /// What middleware finds out reaches handlers of every kind.
    @Test func theContextReachesHandlers() {
        enum Who: ExchangeContextKey { typealias Value = String }
        struct Finder: HTTPMiddleware {
            func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
                if let who = request.field("x-who") { response.context[Who.self] = who.text }
            }
        }
        var router = Router()
        router.use(Finder())
        router.get("/lent") { _, response in
            let who = response.context[Who.self] ?? "nobody"
            response.send(.ok, contentType: "text/plain", Array(who.utf8).span.bytes)
        }
        router.get("/owned") { request in request[Who.self] ?? "nobody" }
        for path in ["/lent", "/owned"] {
            let driver = driver(router)
            driver.receive(request("GET \(path)", fields: "X-Who: Ann\r\n") + request("GET \(path)"))
            let output: String = driver.takeOutput()
            #expect(output.contains("\r\n\r\nAnnHTTP/1.1 200") && output.hasSuffix("\r\n\r\nnobody"))
        }
    }

    /// An application for each exchange, with its body in pieces.
    @Test(arguments: Feeding.allCases)
    func anApplicationForEachExchange(_ feeding: Feeding) {
        struct Count: HTTPApplication, ~Copyable {
            var bytes = 0
            let ended: @Sendable () -> Void
            mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {}
            mutating func received(_ body: RawSpan, with response: inout ResponseWriter) { bytes += body.byteCount }
            mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
                response.send(.ok, contentType: "text/plain", Array("\(bytes) \(trailers[.xt] ?? "-")".utf8).span.bytes)
            }
            mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { ended() }
        }
        let ends = Mutex(0)
        var router = Router()
        let ended: @Sendable () -> Void = { ends.withLock { $0 += 1 } }
        router.post("/count", .streamed(limit: 1 << 20)) { Count(ended: ended) }
        let driver = driver(router)
        driver.feed("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789", feeding)
        driver.feed("POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: v\r\n\r\n", feeding)
        #expect(driver.takeOutput() == answer("200 OK", "Content-Type: text/plain", body: "10 -") + answer("200 OK", "Content-Type: text/plain", body: "3 v"))
        #expect(ends.withLock { $0 } == 2)
    }
}

extension HTTPField.Name {
    fileprivate static let xt = HTTPField.Name("x-t") ?? .te
}
