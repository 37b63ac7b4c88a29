import ArgumentParser
import ConnectionHandling
import Logging
import ReactorSMTP
import ReactorTLS
import ServerArchitectures

struct ServeSMTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smtp",
        abstract: "An SMTP relay: stores each message on disk, answers 250, and delivers it to the next hop.",
        discussion: """
            A message is answered with 250 only once it is on the disk, and leaves the spool only once the next hop has
            taken it. What cannot be delivered now is tried again later; see reactor queue list.

            Try it:
              reactor serve smtp --listen 127.0.0.1:2525 --spool /tmp/spool --next-hop 127.0.0.1:2526
              swaks --server 127.0.0.1:2525 --from a@example.org --to b@example.org

            With --tls-cert and --tls-key, or --tls-self-signed, clients may go over to TLS by STARTTLS (swaks --tls).
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    @Option(help: ArgumentHelp("Keep messages in this directory, made if missing.", valueName: "dir"))
    var spool: String

    @Option(
        help: ArgumentHelp("Deliver to this server.", valueName: "host:port"),
        transform: parsed(NextHop.init(parsing:)))
    var nextHop: NextHop

    @Option(
        help: ArgumentHelp(
            "Relay for clients in this network; may be repeated. Default: 127.0.0.0/8 and ::1/128, this machine only.",
            valueName: "cidr"),
        transform: parsed(CIDR.init(parsing:)))
    var allow: [CIDR] = []

    @Option(
        help: ArgumentHelp(
            "What the server calls itself: a domain name, or an address literal such as [192.0.2.1]. Default: this machine's name.",
            valueName: "name"),
        transform: { text in
            if let name = HostName(text) { return name.text }
            throw ValidationError("give a domain name such as mail.example, or an address literal such as [192.0.2.1]")
        })
    var hostname = HostName.ofThisMachine

    func run() throws {
        let targets = try server.streams(for: "serve smtp")
        let relay = try Relay(
            hostname: hostname, spool: Spool(directory: spool), nextHop: nextHop,
            policy: allow.isEmpty ? .local : RelayPolicy(allowed: allow), tls: tls.context())
        try Service.run(targets.map(relay.service), server.options, companions: [relay.delivery])
    }
}

/// An SMTP server, its spool, and the agent that empties it.
struct Relay {
    let server: SMTPServer<Spool>
    let nextHop: NextHop
    /// For STARTTLS.
    let tls: TLSServerContext?

    init(
        hostname: String, spool: Spool, nextHop: NextHop, policy: RelayPolicy = .local, tls: TLSServerContext? = nil
    ) throws {
        try DeliveryAgent.requireNone(on: spool)
        var startTLS: (@Sendable () -> ConnectionLayer)?
        if let tls { startTLS = { tls.makeSession() } }
        server = SMTPServer(
            hostname: hostname, store: spool, relay: policy, startTLS: startTLS, logger: Logger(label: "smtp"))
        self.nextHop = nextHop
        self.tls = tls
    }

    func service(_ target: ListenTarget) -> Service {
        Service("smtp", target, limits: .smtpServer, upgrade: tls) { [server] in SMTPServerHandler(server) }
    }

    /// Delivers on a loop of its own, so that waiting for the disk holds up no connection.
    var delivery: Companion {
        Companion { [server, nextHop] stopDescriptor in
            let logger = Logger(label: "delivery")
            do {
                try DeliveryAgent.run(
                    spool: server.store, nextHop: nextHop, hostname: server.hostname, until: stopDescriptor, logger: logger)
            } catch {
                logger.critical("messages are stored but not delivered", metadata: ["error": "\(error)"])
            }
        }
    }
}
