public import ReactorHTTP
import ReactorWire

/// Asks for a token (RFC 6750), in the Authorization field only: in a query it would stand in logs.
public struct BearerAuthentication: HTTPMiddleware {
    /// What is thought of a token.
    public enum Verdict: Equatable, Sendable {
        /// It is this user's; see ``AuthenticatedUser``.
        case accepted(String)
        /// It is expired, revoked or none: 401.
        case invalid
        /// It is good, but for something else: 403, with the scope that is needed.
        case insufficientScope(String)
    }

    private let realm: String
    private let verify: @Sendable (_ token: String) -> Verdict

    /// - Parameter verify: what is thought of a token. Called on the connection's thread for each request, so it must not take
    ///   long; compare with ``equalsInConstantTime(_:_:)-(String,_)``.
    public init(realm: String, verify: @escaping @Sendable (_ token: String) -> Verdict) {
        self.realm = "Bearer realm=\(quoted(realm))"
        self.verify = verify
    }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        // Without any credentials the challenge tells of no error (section 3.1).
        guard let text = request.credentials("bearer") else { return response.challenge(HTTPStatus(401), [realm]) }
        guard let token = Self.token(text) else {
            return response.challenge(.badRequest, ["\(realm), error=\"invalid_request\""])
        }
        switch verify(token) {
        case .accepted(let user): response.context[AuthenticatedUser.self] = user
        case .invalid: response.challenge(HTTPStatus(401), ["\(realm), error=\"invalid_token\""])
        case .insufficientScope(let scope):
            response.challenge(.forbidden, ["\(realm), error=\"insufficient_scope\", scope=\(quoted(scope))"])
        }
    }

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) { response.sendChallenges() }

    /// `b64token`, section 2.1.
    private static func token(_ bytes: RawSpan) -> String? {
        var end = bytes.byteCount
        while end > 0, bytes[end - 1] == UInt8(ascii: "=") { end -= 1 }
        if end == 0 { return nil }
        for index in 0..<end {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                continue
            default: return nil
            }
        }
        return bytes.text
    }
}
