import ReactorHTTP
import ReactorTesting
import Testing

@testable import ReactorWeb

@Suite struct BasicAuthenticationTests {
    private let connection = GuardedConnection(
        BasicAuthentication(realm: "The site") { user, password in
            user == "Aladdin" && equalsInConstantTime(password, "open sesame") || user == "jürgen" && equalsInConstantTime(password, "a:b")
        })

    /// Who looks a user up hashes the name.
    @Test func namesAndPasswordsAreSoLong() {
        let connection = GuardedConnection(BasicAuthentication(realm: "x") { _, _ in true })
        for (user, password, status) in [(256, 256, "200"), (257, 1, "401"), (1, 257, "401")] {
            let credentials = String(repeating: "u", count: user) + ":" + String(repeating: "p", count: password)
            #expect(connection.send([basic(credentials)]).status == status)
        }
    }

    private func basic(_ text: String) -> String { "Authorization: Basic \(base64(text))" }

    private func base64(_ text: String) -> String {
        let url = TextCode.base64URL(Array(text.utf8)).replacing("-", with: "+").replacing("_", with: "/")
        return url + String(repeating: "=", count: (4 - url.utf8.count % 4) % 4)
    }

    @Test func whoIsKnownComesIn() {
        // RFC 7617's own example.
        #expect(connection.send(["Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]).body == "hello Aladdin")
        #expect(connection.send(["authorization: bAsIc   QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]).status == "200")
        // A colon belongs to the password.
        #expect(connection.send([basic("jürgen:a:b")]).body == "hello jürgen")
    }

    @Test func othersAreChallenged() {
        let answer = connection.send()
        #expect(answer.status == "401")
        #expect(answer.fields("WWW-Authenticate") == ["Basic realm=\"The site\", charset=\"UTF-8\""])
        #expect(connection.send([basic("Aladdin:open sesam")]).status == "401")
        // The connection goes on, and the challenge belongs to one answer.
        let good = connection.send([basic("Aladdin:open sesame")])
        #expect(good.status == "200" && good.fields("WWW-Authenticate").isEmpty)
    }

    @Test(arguments: [
        "Basic", "Basic ", "Basic =", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==x", "Basic ////",
        "BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbg==",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    ])
    func garbageIsChallenged(_ value: String) {
        #expect(connection.send(["Authorization: \(value)"]).status == "401")
    }

    @Test func ofTwoFieldsNoneCounts() {
        let field = basic("Aladdin:open sesame")
        #expect(connection.send([field, field]).status == "401")
        #expect(connection.send([basic("Aladdin:open\nsesame")]).status == "401")
    }
}

@Suite struct BearerAuthenticationTests {
    private let connection = GuardedConnection(
        BearerAuthentication(realm: "api") { token in
            switch token {
            case "mF_9.B5f-4.1JqM": .accepted("ada")
            case "reader+/==": .insufficientScope("write")
            default: .invalid
            }
        })

    /// RFC 6750 section 3.1.
    @Test(arguments: [
        (nil, "401", "Bearer realm=\"api\""),
        ("Basic QTpC", "401", "Bearer realm=\"api\""),
        ("Bearer other", "401", "Bearer realm=\"api\", error=\"invalid_token\""),
        ("Bearer two tokens", "400", "Bearer realm=\"api\", error=\"invalid_request\""),
        ("Bearer ", "401", "Bearer realm=\"api\""),
        ("Bearer ==", "400", "Bearer realm=\"api\", error=\"invalid_request\""),
        ("Bearer a=b", "400", "Bearer realm=\"api\", error=\"invalid_request\""),
        ("Bearer a\"b", "400", "Bearer realm=\"api\", error=\"invalid_request\""),
        ("Bearer reader+/==", "403", "Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"write\""),
    ] as [(String?, String, String)])
    func challenges(_ value: String?, _ status: String, _ challenge: String) {
        let answer = connection.send(value.map { ["Authorization: \($0)"] } ?? [])
        #expect(answer.status == status)
        #expect(answer.fields("WWW-Authenticate") == [challenge])
    }

    @Test func aTokenComesIn() {
        #expect(connection.send(["Authorization: Bearer mF_9.B5f-4.1JqM"]).body == "hello ada")
        // Not from a query, which logs keep.
        #expect(connection.send(target: "/?access_token=mF_9.B5f-4.1JqM").status == "401")
    }
}
