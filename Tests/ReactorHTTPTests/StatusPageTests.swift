import ConnectionHandling
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

/// What a status is told in.
@Suite struct StatusPageTests {
    private static let html = "text/html; charset=utf-8"
    private static let json = "application/problem+json"

    @Test(arguments: [
        // Who prefers nothing, or nothing of this.
        ("", "text/plain"), ("Accept: */*\r\n", "text/plain"), ("Accept: image/avif, image/*;q=0.8, */*;q=0.5\r\n", "text/plain"),
        ("Accept: image/png\r\n", "text/plain"), ("Accept:\r\n", "text/plain"), ("Accept: text/*\r\n", "text/plain"),
        ("Accept: text/plain, text/html;q=0.9\r\n", "text/plain"), ("Accept: ;;,/;q=x\r\n", "text/plain"),
        ("X-Accept: text/html\r\n", "text/plain"), ("Accept: text/html;q=0\r\n", "text/plain"),
        // Browsers.
        ("Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n", html),
        ("accept: TEXT/HTML\r\n", html), ("Accept: */*\r\nAccept: text/html\r\n", html), ("Accept: text/html, */*\r\n", html),
        ("Accept: text/plain;q=0, */*\r\n", html),
        // Clients of interfaces.
        ("Accept: application/json\r\n", json), ("Accept: application/json, text/plain;q=0.9, */*\r\n", json),
        ("Accept: application/problem+json, text/html;q=0.5\r\n", json), ("Accept: application/*\r\n", json),
        ("Accept: text/html;q=0.1, application/json;q=0.2\r\n", json),
    ])
    func isChosenByAccept(_ fields: String, _ type: String) {
        let driver = TestDriver(HTTPServerHandler(application: Pages()))
        // At once, after the request is gone, and in the application's place.
        for path in ["/none", "/later", "/nothing"] {
            driver.receive("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
            let output: String = driver.takeOutput()
            #expect(output.contains("\r\nContent-Type: \(type)\r\n"), "\(path): \(output)")
            #expect(output.contains("\r\nVary: Accept\r\n") == (type != "text/plain"))
        }
    }

    @Test func pagesTellTheStatusAndNoMore() {
        let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">"
            + "<title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n"
        let problem = "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n"
        for (accept, type, body) in [("text/html", Self.html, page), ("application/json", Self.json, problem)] {
            for method in ["GET", "HEAD"] {
                let driver = TestDriver(HTTPServerHandler(application: Pages()))
                driver.receive("\(method) /none?secret HTTP/1.1\r\nHost: a\r\nAccept: \(accept)\r\n\r\n")
                let expected = answer("404 Not Found", "Content-Type: \(type)", "Vary: Accept", body: body)
                #expect(driver.takeOutput() == (method == "GET" ? expected : String(expected.dropLast(body.utf8.count))))
            }
        }
    }

    /// Where the head was whole, its Accept counts; where it was what is wrong, nothing of it does.
    @Test(arguments: Feeding.allCases)
    func refusalsOfBodiesNegotiateAndThoseOfHeadsDoNot(_ feeding: Feeding) {
        var limits = HTTPLimits()
        limits.body = 4
        let head = "POST / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n"
        for (rest, code, type) in [
            ("Content-Length: 5\r\n\r\n", "413", Self.json), ("Transfer-Encoding: chunked\r\n\r\n5\r\n", "413", Self.json),
            ("Transfer-Encoding: chunked\r\n\r\nx", "400", Self.json), ("Bad\r\n", "400", "text/plain"),
        ] {
            let driver = TestDriver(HTTPServerHandler(application: Pages(), limits: limits))
            driver.feed(head + rest, feeding)
            let output: String = driver.takeOutput()
            #expect(output.hasPrefix("HTTP/1.1 \(code) ") && output.contains("Content-Type: \(type)\r\n"), "\(rest): \(output)")
            #expect(driver.closed == .finished)
        }
    }
}

private struct Pages: HTTPApplication {
    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        if request.path.equals("/nothing") { return }
        if request.path.equals("/later") {
            _ = response.perform { 1 }
        } else {
            response.sendStatus(.notFound)
        }
    }

    mutating func answered(_ response: inout ResponseWriter) { response.sendStatus(.notFound) }
}
