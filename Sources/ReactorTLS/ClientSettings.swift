import COpenSSL

/// What a client's configuration made.
final class ClientSettings: Sendable {
    let context: SSLContext
    let limits: TLSLimits
    /// Nil where nothing is to be resumed.
    let cache: ClientSessionCache?
    private let requiresStaple: Bool

    init(_ configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
        limits = configuration.limits
        cache = configuration.cachedSessions > 0 ? ClientSessionCache(limit: configuration.cachedSessions) : nil
        requiresStaple = configuration.requiresStapledResponse
        let keyLog = try configuration.keyLogFile.map { path throws(TLSConfigurationError) in try KeyLog(path: path) }
        context = try SSLContext(TLS_client_method(), configuration.versions, limits, keyLog: keyLog)
        try configuration.identity.map(LoadedIdentity.init)?.install(in: context)
        try ApplicationProtocols(configuration.applicationProtocols).offer(in: context)
        try Trust.install(configuration, in: context)
        if cache == nil {
            copenssl_ctx_set_session_cache_mode(context.pointer, copenssl_no_cache)
        } else {
            ClientSessionCache.install(in: context)
        }
        if !configuration.acceptsAnyCertificate { askForStaple() }
    }

    private func askForStaple() {
        _ = copenssl_ctx_request_status(context.pointer)
        copenssl_ctx_set_status_callback(
            context.pointer,
            { ssl, own in
                guard let ssl, let own, let session = TLSSession.of(ssl) else { return -1 }
                let settings = Unmanaged<ClientSettings>.fromOpaque(own).takeUnretainedValue()
                session.refusal = StapledResponse.fault(of: ssl, isRequired: settings.requiresStaple)
                return session.refusal == nil ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
