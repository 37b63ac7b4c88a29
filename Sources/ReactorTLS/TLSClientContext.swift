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
    /// - Parameter serverName: the DNS name or IP address that the server's certificate must be for (RFC 9525). A name is
    ///   also sent to the server (SNI, RFC 6066 section 3).
    /// - Throws: ``TLSConfigurationError`` if that is neither.
    public func makeSession(serverName: String) throws(TLSConfigurationError) -> TLSSession {
        let session = TLSSession(settings.context, server: false, limits: settings.limits, keeping: settings)
        guard let ssl = session.ssl else { return session }
        try ServerName.set(serverName, on: ssl)
        return session
    }
}
