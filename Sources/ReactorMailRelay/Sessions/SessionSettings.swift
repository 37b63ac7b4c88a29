import ReactorSMTP

/// How one session is to be held: the one place where what ``Routes`` says becomes what ``SMTPClientHandler`` is told.
struct SessionSettings: Equatable {
    var tls: DestinationTLS
    var isLMTP: Bool
    /// The name that a certificate must be valid for, and that reports have as their `remote`.
    var serverName: String

    init(_ worker: DestinationWorker, _ target: DeliveryTarget) {
        tls = worker.agent.options.routes.tls(to: worker.name)
        if case .nextHop(let hop) = worker.route { isLMTP = hop.isLMTP } else { isLMTP = false }
        serverName = target.name
    }

    /// What the client cannot do yet must not be left out in silence.
    var missing: DeliveryReport? {
        if isLMTP { return .here(4, 3, 5, "this relay does not speak LMTP yet") }
        return tls == .required || tls == .verified ? .here(4, 7, 4, "this relay does not begin TLS yet") : nil
    }

    /// TLS, LMTP and the server's name are to be passed here, as soon as the client takes them.
    func makeHandler(_ session: DeliverySession, _ options: DeliveryOptions) -> SMTPClientHandler<DeliverySession> {
        SMTPClientHandler(hostname: options.hostname, source: session, limits: options.limits.client)
    }
}

/// How a session ended, as far as it matters here.
enum SessionEnd: Equatable {
    case finished
    case unusable(String)

    init(_ end: SMTPClientEnd) {
        switch end {
        case .finished: self = .finished
        case .unusable(let why): self = .unusable(why)
        }
    }
}
