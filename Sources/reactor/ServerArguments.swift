public import ArgumentParser
import ConnectionHandling
import Logging
import Reactor
import ReactorProxyProtocol
import ReactorTLS
public import ServerArchitectures

extension Architecture: ExpressibleByArgument {}
extension EventLoop.Backend: ExpressibleByArgument {}

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
            """
            Where to listen: host:port, [v6]:port, unix:/path or unix:@name; for datagrams udp:host:port or \
            unix-dgram:/path; fd:N or systemd[:NAME] for a socket that is open already. May be repeated. Port 0 takes a \
            free port.
            """,
            valueName: "addr"),
        transform: parsed(ListenAddress.init(parsing:)))
    var listen: [ListenAddress] = []

    @Option(help: "How connections share threads and processes.")
    var architecture = Architecture.reactor

    @Option(help: "Event loops, each on its own thread (architecture reactor).")
    var loops: Int?

    @Option(
        help: ArgumentHelp(
            """
            How event loops ask the kernel what is ready (architecture reactor). linuxaio and io_uring are experimental in \
            libev, and there to be compared.
            """))
    var backend: EventLoop.Backend?

    @Option(help: "Threads or processes that serve connections (architectures thread-pool and prefork).")
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "Threads or processes at a time, where each connection has one (architectures thread and fork).", valueName: "count"))
    var connectionWorkers: Int?

    @Option(help: ArgumentHelp("Connections at a time, for each --listen; more wait.", valueName: "count"))
    var maxConnections = ListenOptions.default.maxConnections

    @Option(
        help: ArgumentHelp(
            "Connections at a time from one address, or IPv6 /64 network; more are closed. Proxies are not counted.",
            valueName: "count"))
    var maxConnectionsPerPeer = ListenOptions.default.maxConnectionsPerPeer

    @Option(
        help: ArgumentHelp("The mode of a Unix-domain socket's file, such as 660.", valueName: "octal"),
        transform: { text in
            guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
                throw ValidationError("give a file mode in octal digits, such as 660")
            }
            return mode
        })
    var unixMode: UInt32?

    @Flag(help: "Let [::] take IPv4 connections too.")
    var dualStack = false

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
        if let backend {
            guard architecture == .reactor else {
                throw ValidationError("--backend is for --architecture reactor, not \(architecture.rawValue)")
            }
            guard backend.isSupported else { throw ValidationError("this libev has no \(backend.rawValue): choose epoll, poll or select") }
        }
        guard maxConnections > 0, maxConnectionsPerPeer > 0 else {
            throw ValidationError("--max-connections and --max-connections-per-peer must be at least 1")
        }
        if let workers {
            guard architecture == .threadPool || architecture == .prefork else {
                throw ValidationError(
                    "--workers is for --architecture thread-pool and prefork, not \(architecture.rawValue)")
            }
            guard (1...10_000).contains(workers) else { throw ValidationError("--workers must be from 1 to 10000") }
        }
        if let connectionWorkers {
            guard architecture == .thread || architecture == .fork else {
                throw ValidationError(
                    "--connection-workers is for --architecture thread and fork, not \(architecture.rawValue)")
            }
            guard (1...100_000).contains(connectionWorkers) else {
                throw ValidationError("--connection-workers must be from 1 to 100000")
            }
        }
    }

    /// What to listen on.
    ///
    /// - Parameter tls: what connections are protected with.
    func targets(under tls: TLSServerContext? = nil) throws -> [ListenTarget] {
        let activated = try ActivatedSocket.takeAll()
        let resolved = try listen.flatMap { try ListenTarget.resolve($0, among: activated) }
        let numbers = resolved.compactMap(\.descriptor)
        // Each would be its owner, and close it.
        if Set(numbers).count < numbers.count { throw ValidationError("--listen gives the same descriptor twice") }
        let proxies = proxies
        return resolved.map { target in
            var target = target
            target.proxies = proxies
            target.tls = tls
            target.options.maxConnections = maxConnections
            // All connections from a proxy have its address.
            target.options.maxConnectionsPerPeer = proxies == nil ? maxConnectionsPerPeer : maxConnections
            target.options.fileMode = unixMode
            target.options.dualStack = dualStack
            return target
        }
    }

    /// The same, for a protocol that needs connections.
    func streams(for command: String, under tls: TLSServerContext? = nil) throws -> [ListenTarget] {
        if let datagrams = listen.first(where: { if case .datagrams = $0 { true } else { false } }) {
            throw ValidationError("\(command) needs connections: give --listen host:port or unix:/path, not \(datagrams)")
        }
        let targets = try targets(under: tls)
        if targets.contains(where: \.isDatagrams) { throw ValidationError("\(command) needs connections, not a datagram socket") }
        return targets
    }

    var options: ServerOptions {
        var options = ServerOptions(architecture: architecture)
        if let loops { options.loops = loops }
        if let backend { options.backend = backend }
        if let workers { options.workers = workers }
        if let connectionWorkers { options.maxPerConnectionWorkers = connectionWorkers }
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
