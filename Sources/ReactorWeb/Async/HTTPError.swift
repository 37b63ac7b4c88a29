public import HTTPTypes
public import ReactorHTTP

/// An answer by way of throwing: a handler that throws it has this status sent, with its page.
///
/// Any other error is answered with 500, and tells the client nothing.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
    public let status: HTTPStatus
    /// For the operator; never sent.
    public let reason: String
    /// Sent with the answer: `WWW-Authenticate`, `Retry-After`.
    public let fields: HTTPFields

    public init(_ status: HTTPStatus, _ reason: String = "", fields: HTTPFields = [:]) {
        self.status = status
        self.reason = reason
        self.fields = fields
    }

    public var description: String { reason.isEmpty ? "\(status.code)" : "\(status.code): \(reason)" }
}
