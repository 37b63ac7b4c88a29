import ConnectionHandling
import ReactorSMTP
import ReactorTLS

/// How one session is to be held: the one place where what ``Routes`` says becomes what ``SMTPClientHandler`` is told.
struct SessionSettings: Equatable {
    var tls: DestinationTLS
    var isLMTP: Bool
    /// The name that a certificate must be valid for, and that reports have as their `remote`.
    var serverName: String
    /// Tells apart sessions that may be resumed.
    var cacheKey: String

    /// - Parameter inPlain: TLS was tried there, and failed.
    init(_ worker: DestinationWorker, _ target: DeliveryTarget, inPlain: Bool) {
        let asked = worker.agent.options.routes.tls(to: worker.name)
        // Nobody listens on a path of this machine, and it has no name for a certificate.
        tls = asked == .opportunistic && (inPlain || target.address.isUnix) ? .none : asked
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
        let context = tls == .verified ? contexts.verifying : contexts.trusting
        let makeLayer: @Sendable () throws -> ConnectionLayer = { [serverName, cacheKey] in
            try context.makeSession(serverName: serverName, cacheKey: cacheKey)
        }
        switch tls {
        case .none: client.tls = .none
        case .opportunistic: client.tls = .opportunistic(makeLayer)
        case .required, .verified: client.tls = .required(makeLayer)
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
