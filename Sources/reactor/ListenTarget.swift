import ArgumentParser
import ConnectionHandling
import Reactor
import ReactorProxyProtocol
import ReactorTLS
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
    /// What connections are protected with, from the first byte; nil where they are in plain.
    var tls: TLSServerContext?

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

extension ListenTarget {
    /// Where connections to its service come in; a port that the system has yet to choose is not known.
    func addresses(of service: Service) -> [SocketAddress] {
        let address = service.endpoint.address
        if case .ipv6(0, 0, let port, _) = address, options.dualStack { return [address, .ipv4(0, port: port)] }
        return address.port == 0 ? [] : [address]
    }
}

/// A service and where it is: what a server is made of.
struct Service {
    /// What stands before the address in the line that says it is ready.
    let scheme: String
    let endpoint: Endpoint
    /// Whose certificates SIGHUP reads anew.
    let tls: TLSServerContext?

    /// Serves connections: behind a PROXY header, and under TLS, where the target asks for it.
    ///
    /// - Parameters:
    ///   - secureScheme: the scheme where it is under TLS; by default, `scheme` with `+tls`.
    ///   - upgrade: what a handler goes over to TLS with, where it does that itself.
    init<Handler: ConnectionHandler & ~Copyable>(
        _ scheme: String, secure secureScheme: String? = nil, _ target: ListenTarget, limits: ConnectionLimits = .default,
        upgrade: TLSServerContext? = nil, makeHandler: @escaping @Sendable () -> Handler
    ) {
        self.scheme = target.tls == nil ? scheme : secureScheme ?? scheme + "+tls"
        tls = target.tls ?? upgrade
        if let tls = target.tls {
            endpoint = Self.endpoint(behindProxies: target, limits) {
                TLSHandler(tls, onFailure: TLSServerContext.noteFailure) { _ in makeHandler() }
            }
        } else {
            endpoint = Self.endpoint(behindProxies: target, limits, makeHandler)
        }
    }

    private static func endpoint<Handler: ConnectionHandler & ~Copyable>(
        behindProxies target: ListenTarget, _ limits: ConnectionLimits, _ makeHandler: @escaping @Sendable () -> Handler
    ) -> Endpoint {
        guard let proxies = target.proxies else { return endpoint(target, limits, makeHandler) }
        return endpoint(target, limits) { ProxyProtocolHandler(proxies) { _ in makeHandler() } }
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
        tls = nil
        self.scheme = scheme + (endpoint.address.isUnix ? "+unix-dgram" : "+udp")
    }

    /// Says where it listens, runs, and stops on SIGTERM or SIGINT.
    static func run(
        _ services: [Service], _ options: ServerOptions, companions: [Companion] = [],
        whenReady: ([SocketAddress]) -> Void = { _ in }
    ) throws {
        let server = try Server(options, endpoints: services.map(\.endpoint), companions: companions)
        try server.stop(on: .terminate, .interrupt)
        var contexts: [TLSServerContext] = []
        for case let tls? in services.map(\.tls) where !contexts.contains(where: { $0 === tls }) { contexts.append(tls) }
        if !contexts.isEmpty { try server.on(.hangup) { [contexts] in contexts.forEach { $0.reloadAndSay() } } }
        for (service, address) in zip(services, server.addresses) {
            printError("listening on \(service.scheme)://\(address)")
        }
        whenReady(server.addresses)
        try server.run()
    }
}
