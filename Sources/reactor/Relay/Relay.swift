import ConnectionHandling
import Logging
import ReactorMailQueue
import ReactorMailRelay
import ReactorSMTP
import ReactorTLS
import ServerArchitectures

/// An SMTP server, its spool, and the agent that empties it.
struct Relay {
    let server: SMTPServer<Spool>
    let counters = DeliveryCounters()
    private let settings: RelaySettings
    private let tls: TLSServerContext?

    /// - Throws: `SpoolError`, also where another process delivers from the spool.
    init(_ settings: RelaySettings, tls: TLSServerContext?) throws {
        var options = SpoolOptions()
        options.keepsFailed = settings.keepsFailed
        let routes = settings.delivery.routes
        let spool = try Spool(directory: settings.spool, options: options) { routes.destination(for: $0) }
        if spool.isLeased { throw SpoolError.agentRunning(directory: settings.spool) }
        var startTLS: (@Sendable () -> ConnectionLayer)?
        if let tls, !settings.implicitTLS { startTLS = { tls.makeSession() } }
        server = SMTPServer(
            hostname: settings.hostname, store: spool, relay: settings.policy, limits: settings.limits, options: settings.options,
            startTLS: startTLS, logger: Logger(label: "smtp"))
        self.settings = settings
        self.tls = tls
    }

    /// What this process has done.
    var tallies: RelayTallies { RelayTallies(server: server.statistics, spool: server.store.counters, delivery: counters.snapshot) }

    func service(_ target: ListenTarget) -> Service {
        var target = target
        if settings.implicitTLS { target.tls = tls }
        return Service("smtp", secure: "smtps", target, limits: .smtpServer, upgrade: tls) { [server] in SMTPServerHandler(server) }
    }

    /// Delivers on a loop of its own, so that waiting for the disk holds up no connection.
    ///
    /// - Parameter listening: where the relay's services are, so that it never sends mail to itself.
    func delivery(listening: [SocketAddress]) -> Companion {
        var settings = settings
        settings.delivery.listening = listening
        return Companion { [server, settings, counters] stopDescriptor in
            let logger = Logger(label: "delivery")
            do {
                try DeliveryAgent.run(
                    queue: server.store, options: settings.delivery, until: stopDescriptor, counters: counters, logger: logger)
            } catch {
                logger.critical("messages are stored but not delivered", metadata: ["error": "\(error)"])
            }
        }
    }
}
