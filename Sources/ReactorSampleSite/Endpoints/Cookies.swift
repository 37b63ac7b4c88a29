import ReactorWeb
import ReactorWire

/// `/cookies`: GET shows the browser's, POST sets one.
enum CookiePages {
    private static let hour: Int64 = 3_600

    private struct Shown: Encodable {
        struct Cookie: Encodable {
            let name: String
            let value: String
        }
        let cookies: [Cookie]
    }

    static func show(_ request: borrowing RequestView, _ response: inout ResponseWriter) throws {
        guard let cookies = try? request.cookies() else { return response.sendStatus(.badRequest) }
        try response.sendJSON(Shown(cookies: cookies.all.map { Shown.Cookie(name: $0.name, value: $0.value) }))
    }

    static func set(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        if request.isForeign { return response.sendStatus(.forbidden) }
        guard let form = try? FormFields(parsing: request.body), let name = form["name"] else {
            return response.refuse("a form with name and value sets a cookie")
        }
        var cookie = SetCookie(name, form["value"] ?? "")
        cookie.maxAge = hour
        // The site may be served in plain.
        cookie.isSecure = false
        guard let text = try? cookie.text() else { return response.refuse("no cookie can have this name and value") }
        response.seeOther("/cookies")
        response.field("Set-Cookie", text)
        response.end()
    }
}
