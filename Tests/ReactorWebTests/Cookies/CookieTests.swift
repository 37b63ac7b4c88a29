import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import Testing

private func pairs(_ field: String) throws -> [String] {
    var cookies = Cookies()
    try cookies.add(Array(field.utf8).span.bytes)
    return cookies.all.map { "\($0.name):\($0.value)" }
}

@Suite struct CookieFieldTests {
    @Test(arguments: [
        ("", []), (";", []), (" ; ;; ", []),
        ("a=1", ["a:1"]), ("a=1; b=2", ["a:1", "b:2"]), ("a=1;b=2;", ["a:1", "b:2"]),
        (" a = 1 ;\tb\t=\t2 ", ["a:1", "b:2"]),
        ("a=b=c", ["a:b=c"]), ("a=", ["a:"]), ("=1; a=2", ["a:2"]), ("nothing; a=1", ["a:1"]),
        ("a=\"x y\"", ["a:\"x y\""]), ("a=1; a=2", ["a:1", "a:2"]), ("A=1; a=2", ["A:1", "a:2"]),
        ("a=\u{1}\u{7F}", ["a:\u{1}\u{7F}"]),
    ])
    func parses(_ field: String, _ expected: [String]) throws {
        #expect(try pairs(field) == expected)
    }

    @Test func theFirstOfANameCounts() throws {
        var cookies = Cookies()
        try cookies.add(Array("a=1; a=2".utf8).span.bytes)
        #expect(cookies["a"] == "1")
        #expect(cookies["b"] == nil)
    }

    @Test func thousandsAreRefused() throws {
        func field(_ count: Int) -> String { (0..<count).map { "c\($0)=v" }.joined(separator: "; ") }
        #expect(try pairs(field(200)).count == 200)
        #expect(throws: CookieViolation()) { try pairs(field(201)) }
        #expect(throws: CookieViolation()) { try pairs(field(5_000)) }
        #expect(CookieViolation().status == .badRequest)
        // The limit is for all fields of a request.
        var cookies = Cookies()
        try cookies.add(Array(field(200).utf8).span.bytes)
        #expect(throws: CookieViolation()) { try cookies.add(Array("x=1".utf8).span.bytes) }
    }

    @Test func garbageNeverTraps() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
                Bool.random(using: &generator) ? UInt8.random(in: 0...255, using: &generator) : Array(";= a\"".utf8).randomElement(using: &generator) ?? 0
            }
            var cookies = Cookies()
            try? cookies.add(bytes.span.bytes)
            for cookie in cookies.all { #expect(!cookie.name.isEmpty && !cookie.name.contains(";") && !cookie.value.contains(";")) }
        }
    }
}

@Suite struct SetCookieTests {
    @Test func theDefaultsAreCareful() throws {
        #expect(try SetCookie("id", "x1").text() == "id=x1; Path=/; Secure; HttpOnly; SameSite=Lax")
    }

    @Test func everyAttribute() throws {
        var cookie = SetCookie("__Secure-id", "v")
        cookie.path = "/a b"
        cookie.domain = "example.com"
        cookie.maxAge = 60
        cookie.expires = 784_111_777
        cookie.sameSite = SetCookie.SameSite.none
        cookie.isPartitioned = true
        #expect(
            try cookie.text() == "__Secure-id=v; Path=/a b; Domain=example.com; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT; "
                + "Secure; HttpOnly; SameSite=None; Partitioned")
        cookie = SetCookie("a", "")
        cookie.path = nil
        cookie.isSecure = false
        cookie.isHTTPOnly = false
        cookie.sameSite = nil
        #expect(try cookie.text() == "a=")
    }

    @Test func removal() throws {
        let text = try SetCookie("__Host-a", "secret").removal.text()
        #expect(text == "__Host-a=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax")
    }

    @Test(arguments: ["", "a b", "a=b", "a;b", "ä", "a\r\nX: y", "a\0", "\"a\"", "a,b"])
    func namesThatAreRefused(_ name: String) {
        #expect(throws: CookieError.invalidName) { try SetCookie(name, "v").text() }
    }

    @Test(arguments: ["a b", "a;b", "a,b", "\"a\"", "a\\b", "ä", "a\r\nSet-Cookie: b=c", "\0", "\u{7F}"])
    func valuesThatAreRefused(_ value: String) {
        #expect(throws: CookieError.invalidValue) { try SetCookie("n", value).text() }
    }

    @Test(arguments: ["", "a", "/a;b", "/\r\n", "/ä", "/" + String(repeating: "a", count: 1024)])
    func pathsThatAreRefused(_ path: String) {
        var cookie = SetCookie("n", "v")
        cookie.path = path
        #expect(throws: CookieError.invalidPath) { try cookie.text() }
    }

    @Test(arguments: ["", "a;b", "a b", "exämple.com", "a\n", "a:80"])
    func domainsThatAreRefused(_ domain: String) {
        var cookie = SetCookie("n", "v")
        cookie.domain = domain
        #expect(throws: CookieError.invalidDomain) { try cookie.text() }
    }

    @Test func prefixesAreKept() {
        func refusal(_ name: String, _ change: (inout SetCookie) -> Void) -> CookieError? {
            var cookie = SetCookie(name, "v")
            change(&cookie)
            do throws(CookieError) {
                _ = try cookie.text()
                return nil
            } catch { return error }
        }
        #expect(refusal("__Host-a") { _ in } == nil)
        #expect(refusal("__Host-a") { $0.isSecure = false } == .prefixUnkept)
        #expect(refusal("__host-a") { $0.path = "/x" } == .prefixUnkept)
        #expect(refusal("__Host-a") { $0.path = nil } == .prefixUnkept)
        #expect(refusal("__HOST-a") { $0.domain = "example.com" } == .prefixUnkept)
        #expect(refusal("__Secure-a") { $0.domain = "example.com" } == nil)
        #expect(refusal("__secure-a") { $0.isSecure = false } == .prefixUnkept)
        #expect(refusal("a") { $0.isSecure = false; $0.isPartitioned = true } == .mustBeSecure)
        #expect(refusal("a") { $0.isSecure = false; $0.sameSite = SetCookie.SameSite.none } == .mustBeSecure)
    }

    @Test func theLength() {
        #expect(throws: Never.self) { try SetCookie("n", String(repeating: "v", count: 4095)).text() }
        #expect(throws: CookieError.tooLong) { try SetCookie("n", String(repeating: "v", count: 4096)).text() }
    }
}
