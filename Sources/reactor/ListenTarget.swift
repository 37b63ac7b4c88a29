import ArgumentParser
import ConnectionHandling
import Reactor
import ReactorProxyProtocol
import ServerArchitectures

/// One socket that a service is to listen on, and how: what the command line comes down to.
struct ListenTarget {
    enum Socket {
        case address(SocketAddress)
        case descriptor(CInt)
    }

    let socket: Socket
    /// The open socket that this process was started with, if that is what it is.
    var descriptor: CInt? { if case .descriptor(let number) = socket { number } else { nil } }
    let isDatagrams: Bool
    var options = ListenOptions()
    /// Who must send a PROXY header in front of the protocol; nil if nobody does.
    var proxies: ProxyProtocol?

    init(_ socket: Socket, isDatagrams: Bool = false) {
        self.socket = socket
        self.isDatagrams = isDatagrams
    }

    init(_ address: SocketAddress) { self.init(.address(address)) }

    /// - Throws: `ValidationError` if a descriptor is no socket to listen on.
    static func resolve(_ address: ListenAddress, among activated: [ActivatedSocket]) throws -> [ListenTarget] {
        switch address {
        case .stream(let address): return [ListenTarget(.address(address))]
        case .datagrams(let address): return [ListenTarget(.address(address), isDatagrams: true)]
        case .descriptor(let number): return [try ListenTarget(ActivatedSocket(descriptor: number, name: "fd:\(number)"))]
        case .activated(let name):
            let matching = activated.filter { name == nil || $0.name == name }
            if matching.isEmpty {
                throw ValidationError(
                    "--listen \(address): the service manager handed over "
                        + (activated.isEmpty ? "no socket (LISTEN_FDS, sd_listen_fds(3))" : "only \(activated.map(\.name))"))
            }
            return try matching.map(ListenTarget.init)
        }
    }

    private init(_ socket: ActivatedSocket) throws {
        guard socket.kind != .other else { throw ValidationError("descriptor \(socket.descriptor) is no socket to listen on") }
        self.init(.descriptor(socket.descriptor), isDatagrams: socket.kind == .datagram)
    }
}

/// A service and where it is: what a server is made of.
struct Service {
    /// What stands before the address in the line that says it is ready.
    let scheme: String
    let endpoint: Endpoint

    /// Serves connections, behind a PROXY header where the target asks for one.
    init<Handler: ConnectionHandler & ~Copyable>(
        _ scheme: String, _ target: ListenTarget, limits: ConnectionLimits = .default,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        self.scheme = scheme
        guard let proxies = target.proxies else {
            endpoint = Self.endpoint(target, limits, makeHandler)
            return
        }
        endpoint = Self.endpoint(target, limits) { ProxyProtocolHandler(proxies) { _ in makeHandler() } }
    }

    private static func endpoint<Handler: ConnectionHandler & ~Copyable>(
        _ target: ListenTarget, _ limits: ConnectionLimits, _ makeHandler: @escaping @Sendable () -> Handler
    ) -> Endpoint {
        switch target.socket {
        case .address(let address):
            Endpoint(address, limits: limits, options: target.options, makeHandler: makeHandler)
        case .descriptor(let number):
            Endpoint(adopting: number, limits: limits, options: target.options, makeHandler: makeHandler)
        }
    }

    /// Serves datagrams.
    init<Handler: DatagramHandler & ~Copyable>(
        datagrams scheme: String, _ target: ListenTarget, limits: DatagramLimits = .default,
        offload: Bool = true, makeHandler: @escaping @Sendable () -> Handler
    ) {
        var options = DatagramOptions()
        options.offload = offload
        switch target.socket {
        case .address(let address):
            options.dualStack = target.options.dualStack
            options.fileMode = target.options.fileMode
            endpoint = Endpoint(datagrams: address, options: options, limits: limits, makeHandler: makeHandler)
        case .descriptor(let number):
            endpoint = Endpoint(adoptingDatagrams: number, options: options, limits: limits, makeHandler: makeHandler)
        }
        self.scheme = scheme + (endpoint.address.isUnix ? "+unix-dgram" : "+udp")
    }

    /// Says where it listens, runs, and stops on SIGTERM or SIGINT.
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
