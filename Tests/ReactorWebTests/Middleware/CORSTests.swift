import ReactorHTTP
import ReactorTesting
import Testing

@testable import ReactorWeb

@Suite struct CORSTests {
    private let any: GuardedConnection
    private let some: GuardedConnection

    init() throws {
        any = GuardedConnection(try CORS(origins: .any, requestFields: ["Content-Type"], exposedFields: ["X-Total"]))
        some = GuardedConnection(
            try CORS(origins: .only(["https://a.example", "http://localhost:8080"]), methods: ["GET", "PUT"], allowsCredentials: true, maxAge: .seconds(5)))
    }

    private func preflight(_ origin: String) -> [String] { ["Origin: \(origin)", "Access-Control-Request-Method: PUT"] }

    @Test func anyone() {
        let answer = any.send(["Origin: https://evil.example"])
        #expect(answer.status == "200")
        #expect(answer.fields("Access-Control-Allow-Origin") == ["*"])
        #expect(answer.fields("Access-Control-Expose-Headers") == ["X-Total"])
        #expect(answer.field("Access-Control-Allow-Credentials") == nil && answer.field("Vary") == nil)
        #expect(any.send().field("Access-Control-Allow-Origin") == nil)
    }

    @Test func preflights() {
        let answer = any.send(preflight("https://x.example"), method: "OPTIONS")
        #expect(answer.status == "204" && answer.body.isEmpty)
        #expect(answer.fields("Access-Control-Allow-Methods") == ["GET, HEAD, POST, PUT, PATCH, DELETE"])
        #expect(answer.fields("Access-Control-Allow-Headers") == ["Content-Type"])
        #expect(answer.fields("Access-Control-Max-Age") == ["600"])
        // Someone else's OPTIONS goes on to the handler.
        #expect(any.send(method: "OPTIONS").body == "hello nobody")
        #expect(any.send(["Origin: https://x.example"], method: "OPTIONS").body == "hello nobody")
        #expect(any.send(preflight("https://x.example"), method: "GET").body == "hello nobody")
    }

    @Test func aListOfOrigins() {
        let answer = some.send(["Origin: https://a.example"])
        #expect(answer.fields("Access-Control-Allow-Origin") == ["https://a.example"])
        #expect(answer.fields("Access-Control-Allow-Credentials") == ["true"])
        #expect(answer.fields("Vary") == ["Origin"])
        let allowed = some.send(preflight("http://localhost:8080"), method: "OPTIONS")
        #expect(allowed.field("Access-Control-Allow-Origin") == "http://localhost:8080")
        #expect(allowed.field("Access-Control-Max-Age") == "5" && allowed.field("Access-Control-Allow-Methods") == "GET, PUT")
    }

    @Test(arguments: [
        "https://evil.example", "https://a.example.evil", "https://a.example:444", "http://a.example", "https://A.example", "null", "",
        "https://a.example/", "https://a.example https://evil.example", "*",
    ])
    func othersAreToldNothing(_ origin: String) {
        let answer = some.send(["Origin: \(origin)"])
        // The answer is there, but must not be given to those who are allowed.
        #expect(answer.status == "200" && answer.fields("Vary") == ["Origin"])
        let refused = some.send(preflight(origin), method: "OPTIONS")
        #expect(refused.status == "204")
        for text in [answer.text, refused.text] { #expect(!text.contains("Access-Control")) }
    }

    /// The routes of a group have none for OPTIONS, and the middleware is the group's.
    @Test func aGroupAnswersPreflights() throws {
        let cors = try CORS(origins: .only(["https://a.example"]))
        var router = Router()
        router.group("/api", cors) { api in
            api.put("/{id}") { _, response in response.send(.noContent) }
        }
        router.get("/other") { _, response in response.send(.noContent) }
        let driver = TestDriver(HTTPServerHandler(application: RoutedApplication(router)))
        func preflight(_ path: String) -> Answer {
            let fields = self.preflight("https://a.example").map { $0 + "\r\n" }.joined()
            driver.receive("OPTIONS \(path) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
            return Answer(driver.takeOutput())
        }
        #expect(preflight("/api/7").field("Access-Control-Allow-Origin") == "https://a.example")
        #expect(preflight("/api/7").field("Access-Control-Allow-Methods") != nil)
        #expect(preflight("/other").field("Access-Control-Allow-Origin") == nil)
        #expect(preflight("/api").status == "404")
        driver.receive("GET /api/7 HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\r\n")
        let refused = Answer(driver.takeOutput())
        #expect(refused.status == "405" && refused.field("Allow")?.contains("PUT") == true && refused.field("Access-Control-Allow-Origin") != nil)
    }

    @Test func whatIsNotSafeIsRefused() {
        #expect(throws: CORSError.credentialsForAnyone) { try CORS(origins: .any, allowsCredentials: true) }
        #expect(throws: CORSError.notAToken("*")) { try CORS(origins: .any, requestFields: ["*"]) }
        #expect(throws: CORSError.notAToken("A\r\nB")) { try CORS(origins: .any, methods: ["A\r\nB"]) }
        for bad in ["*", "null", "", "a.example", "https://", "https://a.example/", "://a", "https://a\r\nb"] {
            #expect(throws: CORSError.notAnOrigin(bad)) { try CORS(origins: .only([bad])) }
        }
    }
}

@Suite struct RequestIDTests {
    @Test func eachHasItsOwn() throws {
        let connection = GuardedConnection(RequestID())
        let ids = try (0..<100).map { _ in try #require(connection.send().field("X-Request-Id")) }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.count == 24 })
        #expect(connection.send(["X-Request-Id: mine"]).field("X-Request-Id") != "mine")
    }

    @Test func aProxysIsTakenIfItIsWellFormed() {
        let connection = GuardedConnection(RequestID(trustingPeer: true))
        for good in ["a", "7d4e-11.A_z", String(repeating: "a", count: 80)] {
            #expect(connection.send(["X-Request-Id: \(good)"]).fields("X-Request-Id") == [good])
        }
        for bad in ["", "a b", "a\"b", "<x>", "ä", "a;b", "${jndi}", String(repeating: "a", count: 81)] {
            let fields = connection.send(["X-Request-Id: \(bad)"]).fields("X-Request-Id")
            #expect(fields.count == 1 && fields.first?.count == 24, "\(bad)")
        }
    }
}

@Suite struct SecurityFieldsTests {
    @Test func areSent() {
        let answer = GuardedConnection(SecurityFields()).send()
        #expect(answer.field("X-Content-Type-Options") == "nosniff")
        #expect(answer.field("Strict-Transport-Security") == "max-age=31536000")
        #expect(answer.field("Content-Security-Policy") == "frame-ancestors 'self'")
        #expect(answer.field("Referrer-Policy") == "strict-origin-when-cross-origin")
        var fewer = SecurityFields()
        fewer.strictTransport = nil
        fewer.contentSecurityPolicy = nil
        fewer.referrerPolicy = nil
        #expect(!GuardedConnection(fewer).send().text.contains("Strict-Transport"))
    }
}
