public import ArgumentParser
import ConnectionHandling
import Logging
import Reactor
import ReactorProxyProtocol
public import ServerArchitectures

extension Architecture: ExpressibleByArgument {}

/// A transform of an argument that says what is wrong with it in the words of `parse`.
func parsed<Value>(_ parse: @escaping @Sendable (String) throws -> Value) -> @Sendable (String) throws -> Value {
    { text in
        do { return try parse(text) } catch { throw ValidationError("\(error)") }
    }
}

/// The arguments that every `reactor serve` has.
struct ServerArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to listen: host:port, [v6]:port or unix:/path; may be repeated. Port 0 takes a free port.",
            valueName: "addr"),
        transform: parsed(SocketAddress.init(parsing:)))
    var listen: [SocketAddress] = []

    @Option(help: "How connections share threads and processes.")
    var architecture = Architecture.reactor

    @Option(help: "Event loops, each on its own thread (architecture reactor).")
    var loops: Int?

    @Option(help: "Threads or processes that serve connections (architectures thread-pool and prefork).")
    var workers: Int?

    @Option(
        name: .customLong("proxy-protocol"),
        help: ArgumentHelp(
            """
            Connections from this network must begin with a PROXY header, version 1 or 2, as haproxy and nginx send; the \
            client it names counts as the peer. Connections from elsewhere are refused. 'unix' stands for peers on \
            Unix-domain sockets. May be repeated.
            """, valueName: "cidr"),
        transform: parsed(TrustedProxy.init(parsing:)))
    var trustedProxies: [TrustedProxy] = []

    func validate() throws {
        if listen.isEmpty {
            throw ValidationError("nothing to listen on: give --listen host:port, such as --listen 127.0.0.1:8080")
        }
        if let loops {
            guard architecture == .reactor else {
                throw ValidationError("--loops is for --architecture reactor, not \(architecture.rawValue)")
            }
            guard (1...1_024).contains(loops) else { throw ValidationError("--loops must be from 1 to 1024") }
        }
        if let workers {
            guard architecture == .threadPool || architecture == .prefork else {
                throw ValidationError(
                    "--workers is for --architecture thread-pool and prefork, not \(architecture.rawValue)")
            }
            guard (1...10_000).contains(workers) else { throw ValidationError("--workers must be from 1 to 10000") }
        }
    }

    var options: ServerOptions {
        var options = ServerOptions(architecture: architecture)
        if let loops { options.loops = loops }
        if let workers { options.workers = workers }
        return options
    }
}

/// Who may send PROXY headers.
enum TrustedProxy {
    case network(CIDR)
    case unix

    init(parsing text: String) throws(CIDRError) {
        self = text == "unix" ? .unix : .network(try CIDR(parsing: text))
    }
}

extension ServerArguments {
    /// Nil where connections begin with their own protocol.
    var proxies: ProxyProtocol? {
        if trustedProxies.isEmpty { return nil }
        var (networks, unix): ([CIDR], Bool) = ([], false)
        for proxy in trustedProxies {
            switch proxy {
            case .network(let network): networks.append(network)
            case .unix: unix = true
            }
        }
        let logger = Logger(label: "proxy")
        return ProxyProtocol(trusting: networks, unixPeers: unix) { peer, reason in
            logger.notice("connection refused", metadata: ["peer": "\(peer)", "reason": "\(reason)"])
        }
    }
}

/// A server from the command line: says where it listens, runs, and stops on SIGTERM or SIGINT.
struct Service {
    /// What stands before the address in the line that says it is ready.
    let scheme: String
    let endpoint: Endpoint

    /// - Parameter proxies: who must send a PROXY header in front of the protocol; nil if nobody does.
    init<Handler: ConnectionHandler & ~Copyable>(
        _ scheme: String, _ address: SocketAddress, behind proxies: ProxyProtocol?,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        self.scheme = scheme
        endpoint =
            if let proxies {
                Endpoint(address, options: .behindProxies) { ProxyProtocolHandler(proxies) { _ in makeHandler() } }
            } else {
                Endpoint(address, makeHandler: makeHandler)
            }
    }

    static func run(
        _ services: [Service], _ options: ServerOptions, companions: [Companion] = [],
        whenReady: ([SocketAddress]) -> Void = { _ in }
    ) throws {
        let server = try Server(options, endpoints: services.map(\.endpoint), companions: companions)
        try server.stop(on: .terminate, .interrupt)
        for (service, address) in zip(services, server.addresses) {
            printError("listening on \(service.scheme)://\(address)")
        }
        whenReady(server.addresses)
        try server.run()
    }
}

extension ListenOptions {
    /// All connections come from few addresses, which are the proxies'.
    fileprivate static var behindProxies: ListenOptions {
        var options = ListenOptions()
        options.maxConnectionsPerPeer = options.maxConnections
        return options
    }
}
