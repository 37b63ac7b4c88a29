import FoundationEssentials
public import ReactorHTTP
public import ReactorWeb
import ReactorWire

/// The site that `reactor serve http` serves: `/plaintext`, `/json`, `POST /echo`, and files elsewhere.
public struct SampleSite: HTTPApplication {
    private let files: StaticFiles?

    /// - Parameter root: where the files are; nil to serve none.
    public init(root: DocumentRoot? = nil) {
        files = root.map { StaticFiles(root: $0) }
    }

    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        let path = request.path
        if path.equals("/plaintext") {
            if response.refuses(request.method, allowed: .reading) { return }
            response.send(.ok, contentType: "text/plain", "Hello, World!")
        } else if path.equals("/json") {
            if response.refuses(request.method, allowed: .reading) { return }
            sendMessage(&response)
        } else if path.equals("/echo") {
            if response.refuses(request.method, allowed: .post) { return }
            echo(request, &response)
        } else if path.equals("*") {
            response.begin(.noContent)
            response.field("Allow", "GET, HEAD, POST")
            response.end()
        } else if let files {
            files.respond(to: request, with: &response)
        } else {
            response.sendStatus(.notFound)
        }
    }

    private struct Message: Encodable {
        let message: String
    }

    private func sendMessage(_ response: inout ResponseWriter) {
        guard let body = try? JSONEncoder().encode(Message(message: "Hello, World!")) else {
            return response.sendStatus(.internalServerError)
        }
        response.send(.ok, contentType: "application/json", body.bytes)
    }

    private func echo(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        response.begin(.ok)
        if let contentType = request.field("content-type") { response.field("Content-Type", contentType) }
        response.end(request.body)
    }
}
