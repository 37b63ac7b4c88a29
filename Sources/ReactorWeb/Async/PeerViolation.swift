public import ReactorHTTP

/// What the peer did wrong, with the answer to it. A handler of a ``Router`` that throws it has that status sent, as with
/// ``HTTPError``.
public protocol PeerViolation: Error {
    var status: HTTPStatus { get }
}

extension FormViolation: PeerViolation {}
extension CookieViolation: PeerViolation {}
extension MultipartViolation: PeerViolation {}
