import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

private struct Search: Codable, Sendable {
    var q: String
    var page: Int?
}

/// Queries, forms and cookies as handlers of both kinds read them.
@Suite(.timeLimit(.minutes(40))) struct FormRequestTests {
    private func driver() -> TestDriver {
        var router = Router()
        router.get("/lent") { request, response in
            let search = try request.decodeQuery(as: Search.self)
            response.send(.ok, contentType: "text/plain", Array("\(search.q) \(search.page ?? 0)".utf8).span.bytes)
        }
        router.post("/lent") { request, response in
            let search = try request.decodeForm(as: Search.self)
            response.send(.ok, contentType: "text/plain", Array("\(search.q) \(search.page ?? 0)".utf8).span.bytes)
        }
        router.get("/async") { request async throws -> String in
            let search = try request.decodeQuery(as: Search.self)
            return "\(search.q) \(search.page ?? 0)"
        }
        router.post("/async") { request async throws -> String in
            let search = try await request.decodeForm(as: Search.self)
            return "\(search.q) \(search.page ?? 0)"
        }
        router.get("/cookies/lent") { request, response in
            let cookies = try request.cookies()
            let text = "\(cookies.all.count) \(request.cookie("a")?.text ?? "none")"
            response.send(.ok, contentType: "text/plain", Array(text.utf8).span.bytes)
        }
        router.get("/cookies/async") { request async throws -> String in "\(try request.cookies().all.count) \(request.cookie("a") ?? "none")" }
        return TestDriver(HTTPServerHandler(application: RoutedApplication(router)))
    }

    private func get(_ target: String, _ fields: String = "") -> Answer {
        let driver = driver()
        driver.receive("GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
        return Answer(driver.takeOutput())
    }

    private func post(_ target: String, _ body: String, type: String = "application/x-www-form-urlencoded") -> Answer {
        let driver = driver()
        driver.receive("POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return Answer(driver.takeOutput())
    }

    @Test(arguments: ["/lent", "/async"]) func areRead(_ path: String) {
        #expect(get(path + "?q=a+b&page=2").body == "a b 2")
        #expect(post(path, "q=%41&page=").body == "A 0")
        #expect(post(path, "q=x", type: "Application/X-WWW-Form-URLEncoded; charset=UTF-8").body == "x 0")
    }

    @Test(arguments: ["/lent", "/async"]) func orRefused(_ path: String) {
        #expect(get(path).status == "400")
        #expect(get(path + "?q=1&page=x").status == "400")
        #expect(post(path, "page=1").status == "400")
        #expect(post(path, "q=1", type: "text/plain").status == "415")
        #expect(post(path, "q=1", type: "application/x-www-form-urlencodedx").status == "415")
        #expect(post(path, String(repeating: "q=1&", count: 1_001)).status == "400")
        #expect(get(path + "?" + String(repeating: "q&", count: 1_001)).status == "400")
        #expect(post(path, "q[a=1").status == "400")
    }

    @Test(arguments: ["/cookies/lent", "/cookies/async"]) func cookies(_ path: String) {
        #expect(get(path, "Cookie: a=1; b=2\r\nCookie: c=3\r\n").body == "3 1")
        #expect(get(path).body == "0 none")
        #expect(get(path, "Cookie: " + String(repeating: "a=1;", count: 201) + "\r\n").status == "400")
    }
}
