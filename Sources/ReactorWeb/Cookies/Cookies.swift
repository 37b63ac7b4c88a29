public import ReactorHTTP
public import ReactorWire

/// How many cookies a request may have.
public struct CookieLimits: Equatable, Sendable {
    /// The most cookies; 400 past it. 200: browsers keep at most 180 for a site, and each becomes two strings.
    public var count = 200

    public init() {}

    public static var `default`: CookieLimits { CookieLimits() }
}

/// The peer sent more cookies than ``CookieLimits/count``.
public struct CookieViolation: Error, Equatable, Sendable {
    public init() {}

    /// The answer to send.
    public var status: HTTPStatus { .badRequest }
}

/// A request's cookies, copied, in the order sent. To find one, ``ReactorHTTP/RequestView/cookie(_:)`` needs no copy.
public struct Cookies: Equatable, Sendable {
    public struct Cookie: Equatable, Sendable {
        public let name: String
        public let value: String
    }

    public private(set) var all: [Cookie] = []
    private let limits: CookieLimits

    public init(limits: CookieLimits = .default) { self.limits = limits }

    /// Reads one Cookie field; over HTTP/2 a request may have several.
    public mutating func add(_ field: RawSpan) throws(CookieViolation) {
        var cookies = CookieField(field)
        while let cookie = cookies.next() {
            if all.count == limits.count { throw CookieViolation() }
            all.append(Cookie(name: cookie.name.text, value: cookie.value.text))
        }
    }

    /// The first value of that name, which is the one with the longest path (RFC 6265bis section 5.8.3). Names are compared
    /// byte by byte.
    public subscript(name: String) -> String? { all.first { $0.name.hasSameBytes(as: name) }?.value }
}
