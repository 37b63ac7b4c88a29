import COpenSSL

/// What a client's configuration made.
final class ClientSettings: Sendable {
    let context: SSLContext
    let limits: TLSLimits

    init(_ configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
        limits = configuration.limits
        context = try SSLContext(TLS_client_method(), configuration.versions)
        try configuration.identity.map(LoadedIdentity.init)?.install(in: context)
        try ApplicationProtocols(configuration.applicationProtocols).offer(in: context)
        try Trust.install(configuration, in: context)
    }
}
