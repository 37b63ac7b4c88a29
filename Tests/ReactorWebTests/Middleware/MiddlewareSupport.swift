import ConnectionHandling
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWire

@testable import ReactorWeb

/// Puts middleware in front of a handler that says who was authenticated.
struct Guarded: HTTPApplication {
    let chain: MiddlewareChain

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        response.chain = chain
        if !chain.received(request, with: &response) { return }
        let user = response.existingContext?[AuthenticatedUser.self] ?? "nobody"
        response.begin(.ok)
        response.field("Content-Type", "text/plain")
        response.end(Array("hello \(user)".utf8).span.bytes)
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { chain.ended(summary) }
}

/// A connection to a site behind middleware, on a clock of its own.
final class GuardedConnection {
    let driver: TestDriver

    init(_ all: [any HTTPMiddleware], peer: SocketAddress = .loopback(port: 40_000)) {
        let chain = MiddlewareChain(all)
        driver = TestDriver(HTTPServerHandler(application: Guarded(chain: chain)), peer: peer)
    }

    convenience init(_ middleware: any HTTPMiddleware) { self.init([middleware]) }

    /// The answer to a request with these fields.
    func send(_ fields: [String] = [], method: String = "GET", target: String = "/") -> Answer {
        driver.receive("\(method) \(target) HTTP/1.1\r\nHost: example.com\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        return Answer(driver.takeOutput())
    }
}

/// An answer, taken apart.
struct Answer {
    let text: String
    var status: String { String(text.dropFirst(9).prefix(3)) }
    var body: String { text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }

    init(_ text: String) { self.text = text }

    /// The values of every field of that name.
    func fields(_ name: String) -> [String] {
        let head = text.firstRange(of: "\r\n\r\n").map { text[..<$0.lowerBound] } ?? text[...]
        return head.split(separator: "\r\n").dropFirst().compactMap { line in
            line.lowercased().hasPrefix(name.lowercased() + ": ") ? String(line.dropFirst(name.count + 2)) : nil
        }
    }

    func field(_ name: String) -> String? { fields(name).first }
}
