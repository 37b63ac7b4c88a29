import HTTPTypes
import ReactorHTTP
import ReactorWire

extension Request {
    /// The value of the first cookie of that name.
    public func cookie(_ name: StaticString) -> String? { withView { $0.cookie(name)?.text } }

    /// All cookies, in the order sent.
    ///
    /// - Throws: ``CookieViolation``.
    public func cookies(limits: CookieLimits = .default) throws -> Cookies { try withView { try $0.cookies(limits: limits) } }
}

extension Response {
    /// Adds a Set-Cookie field.
    public mutating func setCookie(_ cookie: SetCookie) throws(CookieError) {
        fields.append(HTTPField(name: .setCookie, value: try cookie.text()))
    }
}
