import COpenSSL

/// What one load of a server's configuration made. Never changed: a reload makes another.
final class ServerSettings: Sendable {
    /// Of the first identity. Every connection begins with it.
    let context: SSLContext
    let limits: TLSLimits
    let warnings: [String]
    private let names: ServerNames
    private let protocols: ApplicationProtocols
    private let staples: [Staple]

    init(_ configuration: TLSServerConfiguration, tickets: TicketRatchet?) throws(TLSConfigurationError) {
        var identities: [LoadedIdentity] = []
        var staples: [Staple] = []
        var warnings: [String] = []
        for identity in configuration.identities {
            let loaded = try LoadedIdentity(identity)
            identities.append(loaded)
            warnings += loaded.warnings
            if let source = identity.ocspResponse {
                let staple = try Staple(source, for: loaded)
                staples.append(staple)
                warnings += staple.warnings
            }
        }
        guard !identities.isEmpty else { throw TLSConfigurationError(.invalidValue, "TLS server", "has no identity") }
        let keyLog = try configuration.keyLogFile.map { path throws(TLSConfigurationError) in try KeyLog(path: path) }
        let protocols = try ApplicationProtocols(configuration.applicationProtocols)
        let clients = try ClientVerification(configuration)
        names = try ServerNames(identities) { (members: [LoadedIdentity]) throws(TLSConfigurationError) -> SSLContext in
            let context = try SSLContext(
                TLS_server_method(), configuration.versions, configuration.limits, tickets: tickets, keyLog: keyLog)
            for identity in members { try identity.install(in: context) }
            copenssl_ctx_set_session_cache_mode(context.pointer, copenssl_no_cache)
            TicketRatchet.install(in: context)
            protocols.select(in: context)
            try clients.install(in: context)
            return context
        }
        context = names.first
        limits = configuration.limits
        self.protocols = protocols
        self.staples = staples
        self.warnings = warnings
        installCallbacks()
    }

    private func installCallbacks() {
        let own = Unmanaged.passUnretained(self).toOpaque()
        for context in names.contexts where !staples.isEmpty {
            copenssl_ctx_set_status_callback(
                context.pointer,
                { ssl, own in
                    guard let ssl, let own else { return SSL_TLSEXT_ERR_NOACK }
                    let settings = Unmanaged<ServerSettings>.fromOpaque(own).takeUnretainedValue()
                    return settings.staples.contains { $0.attach(to: ssl) } ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
                }, own)
        }
        if names.contexts.count == 1 { return }
        copenssl_ctx_set_server_name_callback(
            context.pointer,
            { ssl, _, own in
                guard let ssl, let own, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_OK }
                let settings = Unmanaged<ServerSettings>.fromOpaque(own).takeUnretainedValue()
                if let context = settings.names.context(for: String(cString: name)) { SSL_set_SSL_CTX(ssl, context.pointer) }
                return SSL_TLSEXT_ERR_OK
            }, own)
    }
}
