import Testing

@testable import ReactorSampleSite

/// Cookies and sessions.
@Suite struct VisitorTests {
    @Test func cookiesAreSetAndShown() throws {
        let visitor = try Visitor()
        let set = visitor.submit("/cookies", "name=colour&value=blue")
        #expect(set.code == 303 && set.field("Location") == "/cookies")
        #expect(set.field("Set-Cookie") == "colour=blue; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax")
        let shown = visitor.ask("GET /cookies", fields: ["Cookie: colour=blue; size=\"2\""])
        #expect(shown.body.hasPrefix(#"{"cookies":[{"name":"colour","value":"blue"},"#))
    }

    /// Compressed, the length of an answer tells what a target and a secret have in common.
    @Test(arguments: ["/inspect", "/cookies"]) func secretsAreNotCompressed(_ path: String) throws {
        let cookies = (0..<40).map { "a\($0)=\(String(repeating: "v", count: 30))" }.joined(separator: "; ")
        let answer = try Visitor().ask("GET \(path)", fields: ["Accept-Encoding: gzip", "Cookie: \(cookies)"])
        #expect(answer.code == 200 && answer.body.utf8.count > 1024 && answer.field("Content-Encoding") == nil)
    }

    @Test(arguments: ["name=a%0Db&value=c", "name=a&value=b%0D%0ASet-Cookie:%20c", "name=a%3Bb&value=c", "name=&value=c", "value=c", ""])
    func cookiesThatNobodyMaySet(_ form: String) throws {
        let answer = try Visitor().submit("/cookies", form)
        #expect(answer.code == 400 && answer.field("Set-Cookie") == nil)
    }

    /// A form on a page of another site.
    @Test(arguments: ["/cookies", "/login", "/logout"], [
        "Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
        "Origin: http://site.example.evil.example", "Origin: http://site.example:81",
    ])
    func foreignFormsDoNothing(_ path: String, _ field: String) throws {
        let answer = try Visitor().submit(path, "name=a&value=b&password=reactor", fields: [field])
        #expect(answer.code == 403 && answer.field("Set-Cookie") == nil)
    }

    @Test(arguments: ["Origin: http://site.example", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none"])
    func ownFormsDo(_ field: String) throws {
        #expect(try Visitor().submit("/cookies", "name=a&value=b", fields: [field]).code == 303)
    }

    @Test func signingInAndOut() throws {
        let visitor = try Visitor()
        #expect(visitor.ask("GET /login").body.contains("name=\"password\""))
        #expect(visitor.submit("/login", "name=Ada&password=wrong").code == 422)
        let welcome = visitor.submit("/login", "name=Ada+%3Cb%3E&password=reactor")
        #expect(welcome.code == 303)
        let cookie = try #require(welcome.cookie)
        #expect(cookie.hasPrefix("session="))
        #expect(visitor.ask("GET /login", fields: ["Cookie: \(cookie)"]).body.contains("Hello, Ada &lt;b&gt;"))
        // Neither nobody's cookie, nor a changed one.
        let last = try #require(cookie.last)
        for other in ["session=x", String(cookie.dropLast()) + (last == "A" ? "B" : "A"), "session="] {
            #expect(visitor.ask("GET /login", fields: ["Cookie: \(other)"]).body.contains("name=\"password\""))
        }
        let goodbye = visitor.submit("/logout", "", fields: ["Cookie: \(cookie)"])
        #expect(goodbye.code == 303 && goodbye.field("Set-Cookie")?.contains("Max-Age=0") == true)
        #expect(visitor.ask("GET /login", fields: ["Cookie: \(cookie)"]).body.contains("name=\"password\""))
    }

    /// Signing in anew is another session, and the old one is over.
    @Test func aSessionIsNotKeptOverSigningIn() throws {
        let visitor = try Visitor()
        let first = try #require(visitor.submit("/login", "name=Ada&password=reactor").cookie)
        let second = try #require(visitor.submit("/login", "name=Bob&password=reactor", fields: ["Cookie: \(first)"]).cookie)
        #expect(first != second)
        #expect(!visitor.ask("GET /login", fields: ["Cookie: \(first)"]).body.contains("Hello"))
    }

    @Test func cookiesAreForTLSWhereThereIsTLS() throws {
        var description = SiteDescription()
        description.isSecure = true
        let cookie = try Visitor(description).submit("/login", "name=Ada&password=reactor").field("Set-Cookie")
        #expect(cookie?.hasPrefix("__Host-session=") == true && cookie?.contains("; Secure") == true)
    }

    @Test(arguments: [(64, 303), (65, 422), (0, 422)]) func names(_ length: Int, _ code: Int) throws {
        let name = String(repeating: "n", count: length)
        #expect(try Visitor().submit("/login", "name=\(name)&password=reactor").code == code)
    }
}
