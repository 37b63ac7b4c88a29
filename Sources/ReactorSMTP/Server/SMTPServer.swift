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
    public let options: SMTPServerOptions
    /// Makes what protects a connection once its client has asked for STARTTLS (RFC 3207); without, that is not offered. A
    /// connection that has a layer from the start (RFC 8314) needs none.
    public let startTLS: (@Sendable () -> ConnectionLayer)?
    let logger: Logger
    /// Content on its way in, or with the store.
    let content: ContentBudget
    let rates: ClientRates
    let counters = SMTPServerCounters()
    /// Makes the keys of users that there are not.
    let decoySecret = SCRAMDigest.randomBytes(32)

    public init(
        hostname: String, store: Store, relay: RelayPolicy = .local, limits: SMTPServerLimits = SMTPServerLimits(),
        options: SMTPServerOptions = SMTPServerOptions(), startTLS: (@Sendable () -> ConnectionLayer)? = nil,
        logger: Logger = Logger(label: "reactor.smtp.server")
    ) {
        self.hostname = hostname
        self.store = store
        self.relay = relay
        self.limits = limits
        self.options = options
        content = ContentBudget(limit: limits.heldContent)
        rates = ClientRates(limits)
        self.startTLS = startTLS
        self.logger = logger
    }

    /// What it has done, for any thread to read.
    public var statistics: SMTPServerStatistics { counters.snapshot }
}

/// What a server is for, and who decides in it.
public struct SMTPServerOptions: Sendable {
    public enum Service: Sendable {
        /// Takes mail from other servers for the listed domains, and for anybody from those who may relay.
        case relay
        /// Takes mail from users (RFC 6409): only those who may relay may send at all (530 5.7.0), and a Date or Message-ID
        /// that their message lacks is added.
        case submission
    }

    public var service = Service.relay
    /// Offers AUTH. Default: nobody, and then AUTH is not offered.
    public var authenticator: (any SMTPAuthenticator)?
    /// Offers AUTH without TLS, too: who listens on the way can read the passwords. Default: no.
    public var authenticatesInPlain = false
    /// Has a say in each step. Default: nobody.
    public var policy: (any SMTPServerPolicy)?
    /// Peers in these may end lines in a CR or a LF alone, which is made CRLF; from all others it is refused, since it is how
    /// messages are smuggled past servers that read it otherwise. A message ends in CRLF.CRLF for everybody. Default: none.
    public var normalizing: [CIDR] = []

    public init() {}
}
