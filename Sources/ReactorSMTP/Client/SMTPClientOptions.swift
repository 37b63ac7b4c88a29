public import ConnectionHandling

/// How an ``SMTPClientHandler`` speaks with a server, beside its limits.
public struct SMTPClientOptions: Sendable {
    /// Whether a session is protected. The closure makes the client's end of a TLS connection, anew for each session; what
    /// it trusts is its own matter. If it throws, that is a handshake that failed.
    public enum TLS: Sendable {
        case none
        /// By STARTTLS where that is offered. If the handshake fails the session ends with ``SMTPClientEnd/tlsFailed(_:)``:
        /// who tries again with ``none`` delivers over what an attacker in between could read, as without TLS at all.
        case opportunistic(@Sendable () throws -> ConnectionLayer)
        /// By STARTTLS (RFC 3207), or not at all.
        case required(@Sendable () throws -> ConnectionLayer)
        /// From the first byte (RFC 8314 section 3), or not at all.
        case implicit(@Sendable () throws -> ConnectionLayer)
    }

    public var tls = TLS.none
    /// With these the session authenticates, or ends.
    public var credentials: SMTPCredentials?
    /// Sends credentials over connections without TLS too, where anybody on the way can read a password.
    public var authenticatesInPlain = false
    /// Speaks LMTP (RFC 2033): each recipient gets an answer of its own to the content.
    public var isLMTP = false
    /// What reports call the server; nil for its address.
    public var remoteName: String?
    /// Shown every line of the session as it is written or read, without its line end: for people who look for a fault.
    /// Credentials are masked, contents left out.
    public var transcript: (@Sendable (SMTPTranscriptLine) -> Void)?

    public init() {}
}

/// A line of a session; see ``SMTPClientOptions/transcript``.
public enum SMTPTranscriptLine: Equatable, Sendable {
    case sent(String)
    case received(String)
    /// What is no line: TLS beginning, content.
    case note(String)
}

/// Who a client is, to a server that asks (RFC 4954). The text of either is used as it is, without SASLprep: what is not
/// ASCII must be written as the server has it.
public struct SMTPCredentials: Sendable, CustomStringConvertible {
    public var user: String
    public var password: String

    public init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// Without the password, which a log must not have.
    public var description: String { "credentials of \(user)" }
}
