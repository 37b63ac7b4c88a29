import Synchronization

/// What all TLS connections of a server share. `Sendable`: one serves every loop and thread, and the processes that are
/// forked after it was made.
public final class TLSServerContext: Sendable {
    private let configuration: TLSServerConfiguration
    private let current: Mutex<ServerSettings>

    /// - Throws: ``TLSConfigurationError`` if a file cannot be read, or is not what it should be.
    public init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        self.configuration = configuration
        current = Mutex(try ServerSettings(configuration))
    }

    /// The server's end of a new connection.
    public func makeSession() -> TLSSession {
        let settings = current.withLock { $0 }
        return TLSSession(settings.context, server: true, limits: settings.limits, keeping: settings)
    }

    /// Reads all files anew. Connections that are there go on as they are; later ones get what was read. If that fails,
    /// nothing changes.
    public func reload() throws(TLSConfigurationError) {
        let fresh = try ServerSettings(configuration)
        current.withLock { $0 = fresh }
    }
}
