import ConnectionHandling
import Logging
import ReactorHTTP
import ReactorSMTP
import ReactorWeb
import ReactorWire

// What handlers make of bytes, with the rules of connections around them and no driver.

extension Work {
    static let route = Work("route", "the route of a path found, of 40, for four paths in turn") {
        let site = RoutedApplication(sampleRouter())
        let paths = ["/plaintext", "/users/1234", "/section7/items/42/parts/abc", "/files/css/site.css"].map { [UInt8]($0.utf8) }
        return { rounds in
            var parameters = 0
            for round in 0..<rounds {
                let path = paths[round & 3]
                let found = site.parametersOfRoute(for: path.span.bytes, .get)
                require(found != nil, "no route")
                parameters += found ?? 0
            }
            require(parameters >= rounds / 4 * 4, "no parameters")
        }
    }

    static let answer = Work("answer", "a minimal request answered with five fields and a body of 1 KiB") {
        let exchange = Dialogue(HTTPServerHandler(application: FiveFields(), limits: unlimited))
        return { rounds in exchange.repeat(rounds, asking: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", expecting: 1_200...1_400) }
    }

    static let request = Work("request", "a browser's request read, routed and answered") {
        let exchange = Dialogue(HTTPServerHandler(application: RoutedApplication(sampleRouter()), limits: unlimited))
        return { rounds in exchange.repeat(rounds, asking: browserRequest, expecting: 100...200) }
    }

    static let mail = Work("mail", "MAIL, RCPT and RSET, in one piece, read and answered") {
        var limits = SMTPServerLimits()
        limits.idleCommands = .max
        limits.messages = .max
        let logger = Logger(label: "measured") { _ in SwiftLogNoOpLogHandler() }
        let server = SMTPServer(hostname: "mx.test", store: DiscardingStore(), limits: limits, logger: logger)
        let session = Dialogue(SMTPServerHandler(server))
        session.repeat(1, asking: "EHLO client.test\r\n", expecting: 50...500)
        return { rounds in
            session.repeat(rounds, asking: "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRSET\r\n", expecting: 60...100)
        }
    }

    static let browserRequest = """
        GET /users/1234 HTTP/1.1\r
        Host: localhost:8080\r
        Connection: keep-alive\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r
        Accept-Encoding: gzip, deflate, br, zstd\r
        Accept-Language: en-GB,en;q=0.9\r
        \r\n
        """

    static var unlimited: HTTPLimits {
        var limits = HTTPLimits()
        limits.requests = .max
        return limits
    }

    /// Forty routes, of every kind.
    static func sampleRouter() -> Router {
        var router = Router()
        router.get("/plaintext") { _, response in response.send(.ok, contentType: "text/plain", "Hello, World!") }
        router.get("/users/{id}") { _, response in response.send(.ok, contentType: "text/plain", "Hello, user!") }
        router.delete("/users/{id}") { _, response in response.send(.noContent) }
        router.get("/files/{path...}") { _, response in response.send(.ok) }
        for section in 0..<12 {
            router.get("/section\(section)") { _, response in response.send(.ok) }
            router.get("/section\(section)/items/{item}") { _, response in response.send(.ok) }
            router.get("/section\(section)/items/{item}/parts/{part}") { _, response in response.send(.ok) }
        }
        return router
    }
}

/// Writes more of an answer than a greeting.
private struct FiveFields: HTTPApplication {
    private let body = [UInt8](repeating: UInt8(ascii: "x"), count: 1_024)

    func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        response.begin(.ok)
        response.field("Content-Type", "text/html; charset=utf-8")
        response.field("Cache-Control", "public, max-age=3600")
        response.field("ETag", "\"5f3c-1a2b\"")
        response.field("Vary", "Accept-Encoding")
        response.field("X-Frame-Options", "DENY")
        response.end(body.span.bytes)
    }
}

/// A handler with no socket and a clock that stands still.
private final class Dialogue {
    @exclusivity(unchecked) private var conversation: Conversation

    init<Handler: ConnectionHandler & ~Copyable>(_ handler: consuming Handler) {
        let clock = DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 784_111_777)
        conversation = Conversation(
            handler: TypedHandlerBox(handler), peer: .loopback(port: 1), clock: clock, limits: ResolvedLimits(.default), descriptor: -1)
        conversation.connection.output = ByteQueue(capacity: 4_096)
        conversation.start()
        takeOutput()
    }

    @discardableResult
    private func takeOutput() -> Int {
        let count = conversation.connection.output.count
        conversation.connection.output.removeFirst(count)
        conversation.wrote()
        return count
    }

    /// - Parameter size: of each answer, in bytes. Refusals are of another.
    func `repeat`(_ rounds: Int, asking question: String, expecting size: ClosedRange<Int>) {
        let bytes = [UInt8](question.utf8)
        for _ in 0..<rounds {
            conversation.receive(bytes.span.bytes)
            let count = takeOutput()
            require(size.contains(count), "\(count) bytes answer \(question)")
        }
    }
}
