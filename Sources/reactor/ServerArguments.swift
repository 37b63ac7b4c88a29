public import ArgumentParser
import ConnectionHandling
import Reactor
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
            """
            Where to listen: host:port, [v6]:port or unix:/path; for datagrams udp:host:port or unix-dgram:/path; may be \
            repeated. Port 0 takes a free port.
            """,
            valueName: "addr"),
        transform: parsed(ListenAddress.init(parsing:)))
    var listen: [ListenAddress] = []

    @Option(help: "How connections share threads and processes.")
    var architecture = Architecture.reactor

    @Option(help: "Event loops, each on its own thread (architecture reactor).")
    var loops: Int?

    @Option(help: "Threads or processes that serve connections (architectures thread-pool and prefork).")
    var workers: Int?

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

    /// The addresses, for a protocol that needs connections.
    func streams(for command: String) throws -> [SocketAddress] {
        try listen.map { listen in
            guard listen.kind == .stream else {
                throw ValidationError("\(command) needs connections: give --listen host:port or unix:/path, not \(listen)")
            }
            return listen.address
        }
    }

    var options: ServerOptions {
        var options = ServerOptions(architecture: architecture)
        if let loops { options.loops = loops }
        if let workers { options.workers = workers }
        return options
    }
}

/// A server from the command line: says where it listens, runs, and stops on SIGTERM or SIGINT.
struct Service {
    /// What stands before the address in the line that says it is ready.
    let scheme: String
    let endpoint: Endpoint

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
