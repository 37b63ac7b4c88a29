public import ConnectionHandling

/// What an embedder decides at each step of a session. Every step is accepted by default; none costs anything where a server
/// has no policy.
///
/// ```swift
/// struct KnownUsers: SMTPServerPolicy {
///     func recipient(_ recipient: Envelope.Recipient, of envelope: Envelope, in session: SMTPSession) -> SMTPDecision {
///         .pending { try await directory.has(recipient.address) ? .accept : .refuse("no such user", status: .init(5, 1, 1)) }
///     }
/// }
/// ```
///
/// The server has checked the step by its own rules before: syntax, limits, who may relay. Replies stay in their order: what a
/// client sends behind a step that is pending waits. Methods are called on the connection's thread and must not block.
public protocol SMTPServerPolicy: Sendable {
    /// Somebody has connected, and was not greeted yet. A refusal is what the greeting says: with 421 or 521 the connection
    /// ends there, else the client is left to say QUIT (RFC 5321 section 3.1).
    func connected(_ session: SMTPSession) -> SMTPDecision
    /// HELO or EHLO. The session has the name that was given.
    func greeted(_ session: SMTPSession) -> SMTPDecision
    /// MAIL. The envelope has no recipients yet.
    func sender(of envelope: Envelope, in session: SMTPSession) -> SMTPDecision
    /// RCPT. The envelope has those that were accepted before.
    func recipient(_ recipient: Envelope.Recipient, of envelope: Envelope, in session: SMTPSession) -> SMTPDecision
    /// The message is whole and would now be stored. Its content has the trace header in front. One in a file is read by
    /// blocking: elsewhere than on the loop.
    func message(_ envelope: Envelope, _ content: MessageContent, in session: SMTPSession) -> SMTPDecision
}

extension SMTPServerPolicy {
    public func connected(_ session: SMTPSession) -> SMTPDecision { .accept }
    public func greeted(_ session: SMTPSession) -> SMTPDecision { .accept }
    public func sender(of envelope: Envelope, in session: SMTPSession) -> SMTPDecision { .accept }
    public func recipient(_ recipient: Envelope.Recipient, of envelope: Envelope, in session: SMTPSession) -> SMTPDecision { .accept }
    public func message(_ envelope: Envelope, _ content: MessageContent, in session: SMTPSession) -> SMTPDecision { .accept }
}

/// What a policy says to a step.
public enum SMTPDecision: Sendable {
    case accept
    case refuse(SMTPRefusal)
    /// It takes a while: the task runs as ``Connection/await(_:)`` has it, and is cancelled if the connection ends. What it
    /// throws is logged, and the client is told to try again later (451 4.3.0).
    case pending(@Sendable () async throws -> SMTPDecision)

    /// For good. See ``SMTPRefusal``.
    public static func refuse(
        _ text: String, code: Int = 550, status: EnhancedStatusCode = EnhancedStatusCode(5, 7, 1)
    ) -> SMTPDecision {
        .refuse(SMTPRefusal(code: code, status: status, text: text))
    }

    /// For now. 421 ends the session.
    public static func postpone(
        _ text: String, code: Int = 450, status: EnhancedStatusCode = EnhancedStatusCode(4, 7, 1)
    ) -> SMTPDecision {
        .refuse(SMTPRefusal(code: code, status: status, text: text))
    }
}

/// A reply that refuses a step, for good or for now.
public struct SMTPRefusal: Equatable, Sendable {
    public let code: Int
    public let status: EnhancedStatusCode
    /// One line of printable ASCII.
    public let text: String

    /// The longest text, in bytes: with code, status and CRLF a reply line of 512 (RFC 5321 section 4.5.3.1.5).
    static let longest = 480

    /// - Parameter text: other characters than printable ASCII become `?`, and what is too long is cut off: a text made of what
    ///   a peer said cannot pass for two replies.
    /// - Precondition: `code` is from 400 to 599, and the status of the same class.
    public init(code: Int, status: EnhancedStatusCode, text: String) {
        precondition((400...599).contains(code) && Int(status.kind) == code / 100, "a refusal has a code from 400 to 599, and its class")
        self.code = code
        self.status = status
        self.text = String(decoding: text.utf8.prefix(Self.longest).map { $0 >= 32 && $0 < 127 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// The session ends with it (RFC 5321 section 3.8, RFC 7504).
    var endsSession: Bool { code == 421 || code == 521 }
}

/// What is known of a session when something is decided in it.
public struct SMTPSession: Sendable {
    public let peer: SocketAddress
    /// What the client calls itself; nil before HELO and EHLO. Anybody can say anything.
    public let hello: String?
    /// EHLO, not HELO.
    public let isExtended: Bool
    /// TLS, or another layer, protects it.
    public let isSecured: Bool
    /// Who the client has proved to be (AUTH).
    public let user: String?
    /// It may relay to anybody: its network is allowed, or it is authenticated.
    public let mayRelay: Bool
}
