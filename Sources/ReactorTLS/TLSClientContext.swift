import COpenSSL

/// What TLS connections to servers share: whom to trust, and sessions to resume. `Sendable`: one serves every loop and
/// thread.
public final class TLSClientContext: Sendable {
    private let settings: ClientSettings

    /// - Throws: ``TLSConfigurationError`` if a file cannot be read, or is not what it should be.
    public init(_ configuration: TLSClientConfiguration = TLSClientConfiguration()) throws(TLSConfigurationError) {
        settings = try ClientSettings(configuration)
    }

    /// The client's end of a new connection.
    ///
    /// - Parameters:
    ///   - serverName: the DNS name or IP address that the server's certificate must be for (RFC 9525). A name is also sent
    ///     to the server (SNI, RFC 6066 section 3).
    ///   - cacheKey: tells apart what else the name does not, such as the port: sessions are resumed where both are equal.
    /// - Throws: ``TLSConfigurationError`` if the name is neither.
    public func makeSession(serverName: String, cacheKey: String = "") throws(TLSConfigurationError) -> TLSSession {
        let session = TLSSession(settings.context, server: false, limits: settings.limits, keeping: settings)
        guard let ssl = session.ssl else { return session }
        try ServerName.set(serverName, on: ssl)
        if let cache = settings.cache {
            let key = "\(serverName.lowercased()) \(cacheKey)"
            session.place = (cache, key)
            if let earlier = cache.take(for: key) { SSL_set_session(ssl, earlier.pointer) }
        }
        return session
    }
}
