import ReactorHTTP
import ReactorWire

/// The smallest site that these tests ask things of: `/plaintext`, and 404 elsewhere.
struct SampleSite: HTTPApplication {
    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        if !request.path.equals("/plaintext") { return response.sendStatus(.notFound) }
        if response.refuses(request.method, allowed: .reading) { return }
        response.send(.ok, contentType: "text/plain", "Hello, World!")
    }
}
