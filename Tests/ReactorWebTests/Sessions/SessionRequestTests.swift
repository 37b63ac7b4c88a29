import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

private struct Login: Codable, Sendable {
    var user: String
    var visits = 0
}

/// The same site by lent handlers and by `async` ones.
@Suite(.timeLimit(.minutes(40))) struct SessionRequestTests {
    private static let sessions = Result {
        Sessions<Login, _>(keys: try SessionKeys([[UInt8](repeating: 1, count: 32)]), store: MemorySessionStore())
    }

    private func site() throws -> RoutedApplication {
        let sessions = try Self.sessions.get()
        var router = Router()
        router.get("/lent/login") { request, response in
            let session = try sessions.begin(Login(user: "ada"), with: response)
            response.begin(.noContent)
            try sessions.setCookie(for: session, with: &response)
            response.end()
        }
        router.get("/lent/me") { request, response in
            guard var session = try sessions.find(in: request, with: response) else { throw HTTPError(HTTPStatus(401)) }
            session.value.visits += 1
            try sessions.save(&session, with: response)
            response.send(.ok, contentType: "text/plain", Array("\(session.value.user) \(session.value.visits)".utf8).span.bytes)
        }
        router.get("/lent/raise") { request, response in
            guard var session = try sessions.find(in: request, with: response) else { throw HTTPError(HTTPStatus(401)) }
            try sessions.regenerate(&session, with: response)
            response.begin(.noContent)
            try sessions.setCookie(for: session, with: &response)
            response.end()
        }
        router.get("/lent/logout") { request, response in
            if let session = try sessions.find(in: request, with: response) { sessions.destroy(session) }
            response.begin(.noContent)
            try response.setCookie(sessions.removal)
            response.end()
        }
        // The test driver's time, which the lent handlers have.
        let now: Int64 = 784_111_777
        router.get("/async/login") { request async throws -> Response in
            var response = Response(.noContent)
            try response.setCookie(sessions.cookie(for: try await sessions.begin(Login(user: "ada"), now: now)))
            return response
        }
        router.get("/async/me") { request async throws -> String in
            guard var session = try await sessions.find(in: request, now: now) else { throw HTTPError(HTTPStatus(401)) }
            session.value.visits += 1
            try await sessions.save(&session, now: now)
            return "\(session.value.user) \(session.value.visits)"
        }
        router.get("/async/raise") { request async throws -> Response in
            guard var session = try await sessions.find(in: request, now: now) else { throw HTTPError(HTTPStatus(401)) }
            try await sessions.regenerate(&session, now: now)
            var response = Response(.noContent)
            try response.setCookie(sessions.cookie(for: session))
            return response
        }
        router.get("/async/logout") { request async throws -> Response in
            if let session = try await sessions.find(in: request, now: now) { try await sessions.destroy(session) }
            var response = Response(.noContent)
            try response.setCookie(sessions.removal)
            return response
        }
        return RoutedApplication(router)
    }

    @Test(arguments: ["lent", "async"]) func fromLoginToLogout(_ kind: String) throws {
        let driver = TestDriver(HTTPServerHandler(application: try site()))
        func get(_ path: String, _ cookie: String?) -> Answer {
            driver.receive("GET /\(kind)/\(path) HTTP/1.1\r\nHost: x\r\n\(cookie.map { "Cookie: a=b; \($0)\r\n" } ?? "")\r\n")
            return Answer(driver.takeOutput())
        }
        func pair(_ answer: Answer) -> String? { answer.field("Set-Cookie")?.split(separator: ";").first.map(String.init) }

        let cookie = try #require(pair(get("login", nil)))
        #expect(get("me", cookie).body == "ada 1")
        #expect(get("me", cookie).body == "ada 2")
        #expect(get("me", nil).status == "401")
        let raised = try #require(pair(get("raise", cookie)))
        #expect(get("me", cookie).status == "401")
        #expect(get("me", raised).body == "ada 3")
        let logout = get("logout", raised)
        #expect(logout.field("Set-Cookie")?.contains("Max-Age=0") == true)
        #expect(get("me", raised).status == "401")
        // Of several Cookie fields each is looked at.
        let again = try #require(pair(get("login", nil)))
        driver.receive("GET /\(kind)/me HTTP/1.1\r\nHost: x\r\nCookie: \(raised)\r\nCookie: \(again)\r\n\r\n")
        #expect(Answer(driver.takeOutput()).body == "ada 1")
    }

    @Test func aLentUseSlidesTheSession() throws {
        let driver = TestDriver(HTTPServerHandler(application: try site()))
        func get(_ path: String, _ cookie: String) -> Answer {
            driver.receive("GET /lent/\(path) HTTP/1.1\r\nHost: x\r\nCookie: \(cookie)\r\n\r\n")
            return Answer(driver.takeOutput())
        }
        let cookie = try #require(get("login", "a=b").field("Set-Cookie")?.split(separator: ";").first.map(String.init))
        let store = try Self.sessions.get().store
        let id = try #require(try Self.sessions.get().keys.verify(Array(cookie.split(separator: "=", maxSplits: 1)[1].utf8).span.bytes)).id
        let began = try #require(store.load(id)).expires
        driver.advance(by: .seconds(59))
        _ = get("logout-is-not-this", cookie)
        #expect(store.load(id)?.expires == began)
        driver.advance(by: .seconds(1))
        #expect(get("me", cookie).status == "200")
        #expect(store.load(id)?.expires == began + 60)
    }
}
