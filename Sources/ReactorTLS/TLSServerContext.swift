import Synchronization

/// What all TLS connections of a server share. `Sendable`: one serves every loop and thread, and the processes that are
/// forked after it was made; all of them resume each other's sessions.
public final class TLSServerContext: Sendable {
    private let configuration: TLSServerConfiguration
    private let tickets: TicketRatchet?
    private let current: Mutex<(settings: ServerSettings, publication: UInt32)>
    private let publication: Publication

    /// - Throws: ``TLSConfigurationError`` if a file cannot be read, or is not what it should be.
    public convenience init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        try self.init(configuration, tickets: configuration.tickets.areIssued ? TicketRatchet(configuration.tickets) : nil)
    }

    /// - Parameter clock: in seconds, which the keys of tickets follow.
    package convenience init(
        _ configuration: TLSServerConfiguration, clock: @escaping @Sendable () -> Int64
    ) throws(TLSConfigurationError) {
        try self.init(configuration, tickets: TicketRatchet(configuration.tickets, clock: clock))
    }

    private init(_ configuration: TLSServerConfiguration, tickets: TicketRatchet?) throws(TLSConfigurationError) {
        self.configuration = configuration
        self.tickets = tickets
        publication = try Publication()
        current = Mutex((try ServerSettings(configuration, tickets: tickets), 0))
    }

    /// The server's end of a new connection.
    public func makeSession() -> TLSSession {
        let settings = current.withLock { current in
            if current.publication != publication.number { catchUp(&current) }
            return current.settings
        }
        return TLSSession(settings.context, server: true, limits: settings.limits, keeping: settings)
    }

    /// Reads all files anew. Connections that are there go on as they are; later ones get what was read, those of
    /// processes forked from this one included: call it in the process that made the context. If that fails, nothing
    /// changes. Slow (it reads files): not for a loop with much to do.
    public func reload() throws(TLSConfigurationError) {
        var files = TLSFiles()
        let read = try configuration.reading { source throws(TLSConfigurationError) in try files.take(source) }
        let fresh = try ServerSettings(read, tickets: tickets)
        current.withLock { $0 = (fresh, publication.publish(files)) }
    }

    /// Another process has read the files anew, and could use them.
    private func catchUp(_ current: inout (settings: ServerSettings, publication: UInt32)) {
        guard let published = publication.read() else { return }
        var files = published.files
        let read = try? configuration.reading { source throws(TLSConfigurationError) in try files.take(source) }
        if let read, let fresh = try? ServerSettings(read, tickets: tickets) { current.settings = fresh }
        current.publication = published.number
    }

    /// What is doubtful about the files read last, a line each: a certificate that has expired, say.
    public var warnings: [String] { current.withLock { $0.settings.warnings } }
}
