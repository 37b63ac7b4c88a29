public import ReactorHTTP

/// Fields that have browsers be careful with every answer.
public struct SecurityFields: HTTPMiddleware {
    /// `Strict-Transport-Security`: browsers use TLS alone for so long; nil leaves it out. One year, for this host only.
    /// Browsers pass over it where it does not come over TLS.
    public var strictTransport: Duration? = .seconds(365 * 24 * 60 * 60)
    /// `Content-Security-Policy`; nil leaves it out. By default no other site may show this one in a frame.
    public var contentSecurityPolicy: String? = "frame-ancestors 'self'"
    /// `Referrer-Policy`: what other sites are told of where a visitor comes from.
    public var referrerPolicy: String? = "strict-origin-when-cross-origin"

    public init() {}

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        response.field("X-Content-Type-Options", "nosniff")
        if let strictTransport { response.field("Strict-Transport-Security", "max-age=\(strictTransport.components.seconds)") }
        if let contentSecurityPolicy { response.field("Content-Security-Policy", contentSecurityPolicy) }
        if let referrerPolicy { response.field("Referrer-Policy", referrerPolicy) }
    }
}
