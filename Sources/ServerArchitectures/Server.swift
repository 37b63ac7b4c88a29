import CReactorSystem
public import ConnectionHandling
import Glibc
public import Reactor
import Synchronization

/// One address to listen on, and the handler for each connection made to it; or one to receive datagrams on.
public struct Endpoint: Sendable {
    public let address: SocketAddress
    let kind: Kind

    enum Kind: Sendable {
        case stream(StreamEndpoint)
        case datagrams(DatagramEndpoint)
    }

    /// - Parameter makeHandler: called for each connection, on the thread or in the process that will serve it.
    public init<Handler: ConnectionHandler & ~Copyable>(
        _ address: SocketAddress, limits: ConnectionLimits = .default, options: ListenOptions = .default,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        self.init(StreamEndpoint(address, nil, limits, options) { TypedHandlerBox(makeHandler()) })
    }

    /// Serves a socket that listens already, such as one that a service manager handed over (see ``ActivatedSocket``).
    /// The server owns the descriptor once it is made.
    public init<Handler: ConnectionHandler & ~Copyable>(
        adopting descriptor: CInt, limits: ConnectionLimits = .default, options: ListenOptions = .default,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        let address = SocketAddress.local(of: descriptor) ?? .unix(path: "")
        self.init(StreamEndpoint(address, descriptor, limits, options) { TypedHandlerBox(makeHandler()) })
    }

    private init(_ stream: StreamEndpoint) {
        address = stream.address
        kind = .stream(stream)
    }

    init(_ datagrams: DatagramEndpoint) {
        address = datagrams.address
        kind = .datagrams(datagrams)
    }
}

/// The stream side of an ``Endpoint``.
struct StreamEndpoint: Sendable {
    let address: SocketAddress
    let limits: ResolvedLimits
    let options: ListenOptions
    /// A socket that listens already.
    private let adopted: CInt?
    let makeHandler: @Sendable () -> HandlerBox

    init(
        _ address: SocketAddress, _ adopted: CInt?, _ limits: ConnectionLimits, _ options: ListenOptions,
        _ makeHandler: @escaping @Sendable () -> HandlerBox
    ) {
        self.address = address
        self.adopted = adopted
        self.limits = ResolvedLimits(limits)
        self.options = options
        self.makeHandler = makeHandler
    }

    /// The address belongs to whoever handed the socket over.
    var isAdopted: Bool { adopted != nil }

    func open(count: Int) throws(SystemError) -> [CInt] {
        guard let adopted else { return try ListeningSocket.sharing(address, options, count: count) }
        return try ListeningSocket(adopting: Descriptor(owning: adopted)).copies(count)
    }
}

/// Something that runs beside the connections for as long as the server does: a queue runner, a reporter. It gets a
/// thread of its own, or under the forking architectures a process of its own.
public struct Companion: Sendable {
    let run: @Sendable (_ stopDescriptor: CInt) -> Void

    /// - Parameter run: returns soon after the descriptor it is given has become readable.
    public init(_ run: @escaping @Sendable (_ stopDescriptor: CInt) -> Void) { self.run = run }
}

/// Serves endpoints under one of the architectures. `Sendable`: any thread may stop it.
public final class Server: Sendable {
    public let options: ServerOptions
    /// Where it listens, one for each endpoint, with the ports that the system chose.
    public let addresses: [SocketAddress]

    let endpoints: [StreamEndpoint]
    let datagrams: [DatagramEndpoint]
    let companions: [Companion]
    /// The listening sockets of each endpoint: one, or one for each loop.
    let sockets: [[CInt]]
    /// The file of each endpoint's socket, where it has one.
    let files: [SocketFile?]
    let datagramFiles: [SocketFile?]
    /// The sockets of each datagram endpoint: one, or one for each loop.
    let datagramSockets: [[CInt]]
    /// How many connections each endpoint has, in this process.
    let admissions: [Admission]
    let exhaustion = Mutex(ExhaustionGuard())
    let stopSignal: StopSignal
    let notices = Notices()
    private let failure = Mutex<SystemError?>(nil)
    private let hasRun = Atomic(false)

    /// Binds every address; connections wait from now on to be accepted by ``run()``.
    ///
    /// - Throws: ``SystemError`` if an address cannot be listened on.
    public init(_ options: ServerOptions, endpoints: [Endpoint], companions: [Companion] = []) throws(SystemError) {
        precondition(options.loops > 0 && options.workers > 0, "a server needs a loop and a worker")
        precondition(options.offloadThreads > 0, "an offload pool needs a thread")
        // A kernel may have no such thing: to be told before anybody connects.
        if options.architecture == .reactor && options.backend != .epoll { _ = try EventLoop(backend: options.backend) }
        self.options = options
        self.companions = companions
        creactor_ignore_broken_pipes()
        stopSignal = try StopSignal()
        let perEndpoint = options.architecture == .reactor ? options.loops : 1
        var (streams, datagrams): ([StreamEndpoint], [DatagramEndpoint]) = ([], [])
        var (opened, openedForDatagrams): ([[CInt]], [[CInt]]) = ([], [])
        var addresses: [SocketAddress] = []
        do throws(SystemError) {
            for endpoint in endpoints {
                let sockets: [CInt]
                switch endpoint.kind {
                case .stream(let stream):
                    sockets = try stream.open(count: perEndpoint)
                    streams.append(stream)
                    opened.append(sockets)
                case .datagrams(let endpoint):
                    sockets = try endpoint.open(count: perEndpoint)
                    datagrams.append(endpoint)
                    openedForDatagrams.append(sockets)
                }
                addresses.append(sockets.first.flatMap(SocketAddress.local(of:)) ?? endpoint.address)
            }
        } catch {
            for socket in (opened + openedForDatagrams).joined() { close(socket) }
            throw error
        }
        self.endpoints = streams
        self.datagrams = datagrams
        self.addresses = addresses
        sockets = opened
        files = streams.map { SocketFile($0.address) }
        datagramFiles = datagrams.map { SocketFile($0.address) }
        datagramSockets = openedForDatagrams
        admissions = streams.map {
            Admission(maxConnections: $0.options.maxConnections, maxPerPeer: $0.options.maxConnectionsPerPeer)
        }
    }

    /// Serves until ``stop()``, then lets connections finish what is in flight, for ``ServerOptions/grace`` at most.
    /// Blocks the calling thread. A server runs once.
    ///
    /// - Throws: ``SystemError`` if threads, processes or loops cannot be made.
    public func run() throws(SystemError) {
        precondition(!hasRun.exchange(true, ordering: .relaxed), "a server runs once")
        switch options.architecture {
        case .reactor: try runLoops()
        case .thread: try runThreadPerConnection()
        case .threadPool: try runThreadPool(threads: endpoints.isEmpty ? 0 : options.workers)
        case .iterative: try runThreadPool(threads: endpoints.isEmpty ? 0 : 1)
        case .fork: try runForkPerConnection()
        case .prefork: try runPrefork()
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Ends the server because one of its threads cannot do its part: its share of the peers would wait in vain.
    func fail(_ error: SystemError) {
        failure.withLock { $0 = $0 ?? error }
        stop()
    }

    /// Stops accepting and makes ``run()`` return. From any thread, at any time, any number of times.
    public func stop() { stopSignal.send() }

    /// Stops when the process receives one of `signals`.
    public func stop(on signals: Signal...) throws(SystemError) {
        for signal in signals {
            let result = creactor_forward_signal(signal.number, stopSignal.descriptor)
            if result < 0 { throw SystemError("handle the signal \(signal)", errno: -result) }
        }
    }

    /// The sockets of the blocking architectures, which have one for each endpoint.
    var listeners: [CInt] { sockets.compactMap(\.first) }

    /// The loops own theirs once they run. The others are closed only here: no thread can then be left that accepts on a
    /// number which has become somebody else's.
    deinit {
        if options.architecture == .reactor && hasRun.load(ordering: .relaxed) { return }
        for socket in (sockets + datagramSockets).joined() { close(socket) }
    }
}

/// A descriptor that becomes readable, and stays so, once the server is to stop. Forked processes share it, and sending
/// is safe in a signal handler.
final class StopSignal: Sendable {
    let descriptor: CInt

    init() throws(SystemError) {
        let number = creactor_eventfd()
        guard number >= 0 else { throw SystemError("make a server", errno: -number) }
        descriptor = number
    }

    deinit {
        creactor_stop_forwarding(descriptor)
        close(descriptor)
    }

    func send() { creactor_eventfd_signal(descriptor) }

    var isSent: Bool { wait(milliseconds: 0) }

    private let isCut = Atomic(false)

    /// The grace period is over: connections that threads of this process serve end now.
    func cutOff() { isCut.store(true, ordering: .relaxed) }
    var isCutOff: Bool { isCut.load(ordering: .relaxed) }

    /// Waits for the signal; false if the time ran out first, or a signal handler ran.
    func wait(milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
