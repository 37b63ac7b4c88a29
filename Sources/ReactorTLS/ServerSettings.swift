import COpenSSL

/// What one load of a server's configuration made. Never changed: a reload makes another.
final class ServerSettings: Sendable {
    let context: SSLContext
    let limits: TLSLimits
    let protocols: ApplicationProtocols

    init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        guard let first = configuration.identities.first else {
            throw TLSConfigurationError(.invalidValue, "TLS server", "has no identity")
        }
        limits = configuration.limits
        protocols = try ApplicationProtocols(configuration.applicationProtocols)
        context = try SSLContext(TLS_server_method(), configuration.versions)
        try LoadedIdentity(first).install(in: context)
        copenssl_ctx_set_session_cache_mode(context.pointer, copenssl_no_cache)
        protocols.select(in: context)
    }
}
