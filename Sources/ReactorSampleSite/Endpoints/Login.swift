import ReactorWeb
import ReactorWire

/// `/login` and `/logout`: a signed session behind a form. Anybody may sign in, with the password that the page tells.
///
/// A form of another site signs nobody in or out: browsers say where a form was, and the cookie does not go with it.
struct Login: Sendable {
    struct Visitor: Codable, Sendable {
        let name: String
    }

    private static let password = "reactor"
    private static let longestName = 64

    private let sessions: Sessions<Visitor, MemorySessionStore>
    private let template = Template(LoginMarkup.page)
    private let style: String
    private let note: String

    /// - Parameters:
    ///   - isSecure: connections are under TLS, so that the cookie can be for such alone.
    ///   - style: what names the style sheet's version.
    ///   - note: of where sessions are kept.
    init(isSecure: Bool, style: String, note: String) throws {
        var options = SessionOptions.default
        if !isSecure {
            // A browser keeps no `__Host-` cookie that came in plain.
            options.cookie = SetCookie("session", "")
            options.cookie.isSecure = false
        }
        sessions = Sessions(keys: try .random(), store: MemorySessionStore(capacity: 10_000), options: options)
        self.style = style
        self.note = note
    }

    func show(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        guard let session = try? sessions.find(in: request, with: response) else { return sendForm(.ok, "", &response) }
        send(.ok, LoginMarkup.visitor, ["name": session.value.name], &response)
    }

    func login(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        if request.isForeign { return response.sendStatus(.forbidden) }
        guard let form = try? FormFields(parsing: request.body), let name = form["name"], let password = form["password"],
            !name.isEmpty, name.utf8.count <= Self.longestName
        else { return sendForm(HTTPStatus(422), "A name of up to \(Self.longestName) bytes, please.", &response) }
        guard equalsInConstantTime(password, Self.password) else { return sendForm(HTTPStatus(422), "That is not it.", &response) }
        // Whoever knew the old session's cookie must not be signed in by this.
        if let old = try? sessions.find(in: request, with: response) { sessions.destroy(old) }
        guard let session = try? sessions.begin(Visitor(name: name), with: response),
            let cookie = try? sessions.cookie(for: session).text()
        else { return response.sendStatus(.internalServerError) }
        response.seeOther("/login")
        response.field("Set-Cookie", cookie)
        response.end()
    }

    func logout(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        if request.isForeign { return response.sendStatus(.forbidden) }
        if let session = try? sessions.find(in: request, with: response) { sessions.destroy(session) }
        response.seeOther("/login")
        if let removal = try? sessions.removal.text() { response.field("Set-Cookie", removal) }
        response.end()
    }

    private func sendForm(_ status: HTTPStatus, _ problem: String, _ response: inout ResponseWriter) {
        send(status, LoginMarkup.form, ["problem": problem, "password": Self.password, "note": note], &response)
    }

    private func send(_ status: HTTPStatus, _ content: String, _ values: [String: String], _ response: inout ResponseWriter) {
        let page = template.filled(["css": style, "content": Template(content).filled(values)])
        response.begin(status)
        response.field("Content-Type", "text/html; charset=utf-8")
        response.field("Cache-Control", "no-store")
        PagePolicy.write(to: &response)
        response.end(Array(page.utf8).span.bytes)
    }
}

enum LoginMarkup {
    static let page = #"""
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in: reactor</title>
<link rel="icon" href="/site.svg" type="image/svg+xml">
<link rel="stylesheet" href="/site.css?{{css}}">
</head>
<body>
<header><h1>reactor</h1></header>
<main>{{{content}}}
<p><a href="/">Back to the home page</a></p>
</main>
</body>
</html>
"""#

    static let form = #"""

<h2>Sign in</h2>
<p class="scope">Any name will do, with the password <code>{{password}}</code>. {{note}}</p>
<form class="try narrow" action="/login" method="post">
  <p role="alert" class="problem">{{problem}}</p>
  <div class="fields">
    <label>Name <input name="name" required maxlength="64" autocomplete="username" autofocus></label>
    <label>Password <input name="password" type="password" required autocomplete="current-password"></label>
    <button>Sign in</button>
  </div>
</form>
"""#

    static let visitor = #"""

<h2>Hello, {{name}}</h2>
<p class="scope">The server knows you by a cookie that it has signed.</p>
<form class="try narrow" action="/logout" method="post"><div class="fields"><button>Sign out</button></div></form>
"""#
}
