import Synchronization

/// What all TLS connections of a server share. `Sendable`: one serves every loop and thread, and the processes that are
/// forked after it was made; all of them resume each other's sessions.
public final class TLSServerContext: Sendable {
    private let configuration: TLSServerConfiguration
    private let tickets: TicketRatchet?
    private let current: Mutex<ServerSettings>

    /// - Throws: ``TLSConfigurationError`` if a file cannot be read, or is not what it should be.
    public convenience init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        try self.init(configuration, tickets: configuration.tickets.areIssued ? TicketRatchet(configuration.tickets) : nil)
    }

    /// - Parameter clock: seconds since 1970, which the keys of tickets follow.
    package convenience init(
        _ configuration: TLSServerConfiguration, clock: @escaping @Sendable () -> Int64
    ) throws(TLSConfigurationError) {
        try self.init(configuration, tickets: TicketRatchet(configuration.tickets, clock: clock))
    }

    private init(_ configuration: TLSServerConfiguration, tickets: TicketRatchet?) throws(TLSConfigurationError) {
        self.configuration = configuration
        self.tickets = tickets
        current = Mutex(try ServerSettings(configuration, tickets: tickets))
    }

    /// The server's end of a new connection.
    public func makeSession() -> TLSSession {
        let settings = current.withLock { $0 }
        return TLSSession(settings.context, server: true, limits: settings.limits, keeping: settings)
    }

    /// Reads all files anew. Connections that are there go on as they are; later ones get what was read. If that fails,
    /// nothing changes. Slow (it reads files): not for a loop with much to do. Each process has its own context to reload.
    public func reload() throws(TLSConfigurationError) {
        let fresh = try ServerSettings(configuration, tickets: tickets)
        current.withLock { $0 = fresh }
    }

    /// What is doubtful about the files read last, a line each: a certificate that has expired, say.
    public var warnings: [String] { current.withLock { $0.warnings } }
}
