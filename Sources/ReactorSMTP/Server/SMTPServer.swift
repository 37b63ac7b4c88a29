public import ConnectionHandling
public import Logging

/// What all connections of one SMTP server share. Make one, then a handler for each connection:
///
/// ```swift
/// let server = SMTPServer(hostname: "mail.example", store: spool)
/// try loop.listen(on: "127.0.0.1:2525") { SMTPServerHandler(server) }
/// ```
public final class SMTPServer<Store: MessageStore>: Sendable {
    /// How the server calls itself in the greeting and in trace headers: a domain name, or an address literal.
    public let hostname: String
    public let store: Store
    public let relay: RelayPolicy
    public let limits: SMTPServerLimits
    /// Makes what protects a connection once its client has asked for STARTTLS (RFC 3207); without, that is not offered.
    public let startTLS: (@Sendable () -> ConnectionLayer)?
    let logger: Logger
    /// Content on its way in, or with the store.
    let content: ContentBudget

    public init(
        hostname: String, store: Store, relay: RelayPolicy = .local, limits: SMTPServerLimits = SMTPServerLimits(),
        startTLS: (@Sendable () -> ConnectionLayer)? = nil, logger: Logger = Logger(label: "reactor.smtp.server")
    ) {
        self.hostname = hostname
        self.store = store
        self.relay = relay
        self.limits = limits
        content = ContentBudget(limit: limits.heldContent)
        self.startTLS = startTLS
        self.logger = logger
    }
}
