public import ReactorHTTP
import ReactorWire

/// Asks for a user's name and password (RFC 7617). Only over TLS: they are sent as they are.
public struct BasicAuthentication: HTTPMiddleware {
    private let challenge: String
    private let verify: @Sendable (_ user: String, _ password: String) -> Bool

    /// - Parameter verify: whether the password is the user's. Called on the connection's thread for each request, so it must not
    ///   take long; compare with ``equalsInConstantTime(_:_:)-(String,_)``.
    public init(realm: String, verify: @escaping @Sendable (_ user: String, _ password: String) -> Bool) {
        challenge = "Basic realm=\(quoted(realm)), charset=\"UTF-8\""
        self.verify = verify
    }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let credentials = BasicCredentials(of: request), verify(credentials.user, credentials.password) else {
            return response.challenge(HTTPStatus(401), [challenge])
        }
        response.context[AuthenticatedUser.self] = credentials.user
    }

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) { response.sendChallenges() }
}

/// The name and password that a request brings (RFC 7617 section 2).
public struct BasicCredentials: Equatable, Sendable {
    public let user: String
    public let password: String

    /// The longest name, and the longest password, in bytes. 256: a name is looked up by its hash, which for a head full of
    /// accents takes a tenth of a second.
    private static let longest = 256

    /// Nil if the request has none, or they are not base64 of UTF-8 with a colon and without control characters, or one has
    /// more than 256 bytes.
    public init?(of request: borrowing RequestView) {
        guard let text = request.credentials("basic"), let bytes = TextCode.decodeBase64(text, .standard),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")), !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }),
            colon <= Self.longest, bytes.count - colon - 1 <= Self.longest,
            let user = String(validating: bytes[..<colon], as: UTF8.self),
            let password = String(validating: bytes[(colon + 1)...], as: UTF8.self)
        else { return nil }
        self.user = user
        self.password = password
    }
}
