import ConnectionHandling
import ReactorSMTP
import ReactorTLS

/// How one session is to be held: the one place where what ``Routes`` says becomes what ``SMTPClientHandler`` is told.
struct SessionSettings {
    var tls: DestinationTLS
    var credentials: SMTPCredentials?
    var isLMTP: Bool
    /// The name that a certificate must be valid for, and that reports have as their `remote`.
    var serverName: String
    /// Tells apart sessions that may be resumed.
    var cacheKey: String
    /// Nobody listens on a path of this machine.
    private let isLocal: Bool

    /// - Parameter inPlain: TLS was tried there, and failed.
    init(_ worker: DestinationWorker, _ target: DeliveryTarget, inPlain: Bool) {
        let routes = worker.agent.options.routes
        credentials = routes.credentials(for: worker.name)
        isLocal = target.address.isUnix
        tls = routes.tls(to: worker.name)
        // A path has no name for a certificate.
        if tls == .opportunistic { tls = inPlain || isLocal ? .none : credentials != nil ? .verified : tls }
        if case .nextHop(let hop) = worker.route { isLMTP = hop.isLMTP } else { isLMTP = false }
        serverName = target.name
        cacheKey = "\(target.address)"
    }

    func makeHandler(
        _ session: DeliverySession, _ options: DeliveryOptions, _ contexts: TLSContexts
    ) -> SMTPClientHandler<DeliverySession> {
        var client = SMTPClientOptions()
        client.isLMTP = isLMTP
        client.remoteName = serverName
        client.credentials = credentials
        client.authenticatesInPlain = isLocal
        let context = tls == .verified || tls == .implicit ? contexts.verifying : contexts.trusting
        let makeLayer: @Sendable () throws -> ConnectionLayer = { [serverName, cacheKey] in
            try context.makeSession(serverName: serverName, cacheKey: cacheKey)
        }
        switch tls {
        case .none: client.tls = .none
        case .opportunistic: client.tls = .opportunistic(makeLayer)
        case .required, .verified: client.tls = .required(makeLayer)
        case .implicit: client.tls = .implicit(makeLayer)
        }
        return SMTPClientHandler(hostname: options.hostname, source: session, options: client, limits: options.limits.client)
    }
}

/// What sessions with TLS share.
struct TLSContexts: Sendable {
    let verifying: TLSClientContext
    /// Takes any certificate: encrypted to somebody is better than readable by everybody.
    let trusting: TLSClientContext

    init(verifying: TLSClientContext?) throws(TLSConfigurationError) {
        self.verifying = if let verifying { verifying } else { try TLSClientContext() }
        var configuration = TLSClientConfiguration()
        configuration.acceptsAnyCertificate = true
        trusting = try TLSClientContext(configuration)
    }
}
