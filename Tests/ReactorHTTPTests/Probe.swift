import ConnectionHandling
import HTTPTestSupport
import ReactorHTTP

/// An application that does what the path says, to reach every way in which an answer is made.
struct Probe: HTTPApplication {
    private var awaited: Awaited<String>?
    private var left = 0

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        let path = String(decoding: request.path.bytes, as: UTF8.self)
        switch path {
        case "/nothing": return
        case "/begun": response.begin(.ok)
        case "/work": awaited = response.perform { "worked" }
        case "/async": awaited = response.await { "waited" }
        case "/fails": awaited = response.perform { throw CancellationError() }
        case "/known": stream(length: 40, &response)
        case "/unknown": stream(length: nil, &response)
        case "/short":
            response.begin(.ok)
            response.startBody(length: 10)
            response.write("123".utf8.span.bytes)
        case "/split":
            response.begin(.ok)
            // No literal, which would be the program's own and sent as it is.
            response.field("X", String("a\r\nSet-Cookie: b\0c"))
            response.end()
        case "/204": response.send(.noContent)
        default: describe(request, &response)
        }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        guard case .success(let text) = awaited?.take() else { return }
        response.send(.ok, contentType: "text/plain", text.utf8.span.bytes)
    }

    mutating func drained(_ response: inout ResponseWriter) {
        while left > 0 && !response.isBackedUp {
            response.write("0123456789".utf8.span.bytes)
            left -= 10
        }
        if left == 0 { response.end() }
    }

    private mutating func stream(length: Int?, _ response: inout ResponseWriter) {
        response.begin(.ok)
        response.startBody(length: length)
        left = 40
        drained(&response)
    }

    /// Answers with everything that was read.
    private func describe(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        var text = "\(request.method) \(String(decoding: request.methodName.bytes, as: UTF8.self))"
        text += " \(String(decoding: request.path.bytes, as: UTF8.self))"
        if let query = request.query { text += " ?\(String(decoding: query.bytes, as: UTF8.self))" }
        if let authority = request.authority { text += " @\(String(decoding: authority.bytes, as: UTF8.self))" }
        for index in 0..<request.fieldCount {
            let name = request.fieldName(index).bytes
            let value = request.fieldValue(index).bytes
            text += " [\(String(decoding: name, as: UTF8.self))=\(String(decoding: value, as: UTF8.self))]"
        }
        if let found = request.field("x-find") { text += " found \(String(decoding: found.bytes, as: UTF8.self))" }
        text += " \(String(decoding: request.body.bytes, as: UTF8.self))"
        response.send(.ok, contentType: "text/plain", text.utf8.span.bytes)
    }
}

extension RawSpan {
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
