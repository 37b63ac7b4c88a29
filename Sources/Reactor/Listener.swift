import CLibev
import CReactorSystem
public import ConnectionHandling
import Glibc

/// Connections being accepted on one address. Belongs to its loop, which keeps it going: it need not be kept.
public final class Listener {
    /// Where it listens, with the port that the system chose when 0 was asked for.
    public let address: SocketAddress
    private weak var socket: AcceptingSocket?

    init(_ socket: AcceptingSocket) {
        address = socket.address
        self.socket = socket
    }

    /// Stops accepting; connections already there go on.
    public func stop() { socket?.stop() }
}

/// What a listening socket makes for a connection.
struct NewHandler {
    let box: HandlerBox
    /// Told of the connection before its handler is.
    var attach: ((StreamConnection) -> Void)?
}

/// Accepts connections and gives each a handler.
final class AcceptingSocket: LoopOwned {
    let address: SocketAddress

    private var socket: ListeningSocket?
    private let watcher: UnsafeMutablePointer<ev_io>
    private let limits: ResolvedLimits
    private let admission: Admission
    private let makeHandler: () -> NewHandler
    private var exhaustion = ExhaustionGuard()
    private var retry: Watcher?

    /// Connections accepted in one turn at most, so that a burst of them does not starve those already there.
    private static let largestBatch = 64
    /// How many are accepted in the next turn. It follows what comes: to find that none is left costs a call.
    private var batch = 1
    /// Those accepted in this turn, kept for another look at the end of it.
    private var fresh: [StreamConnection] = []
    /// How often, lately, the first bytes were there by the end of the turn; below zero, they are seldom looked for.
    private var luck = 0
    /// How long to look away when no connection can be taken, unless one closes before.
    private static let pause = Duration.milliseconds(100)

    init(
        loop: EventLoop, socket: consuming ListeningSocket, limits: ResolvedLimits, admission: Admission,
        makeHandler: @escaping () -> NewHandler
    ) {
        address = socket.address
        let fd = socket.descriptor.number
        // Handed down to every connection.
        neverWaitOnClose(fd)
        self.socket = consume socket
        self.limits = limits
        self.admission = admission
        self.makeHandler = makeHandler
        watcher = .allocate(capacity: 1)
        super.init(loop: loop)
        loop.own(self)
        clibev_io_init(
            watcher,
            { _, watcher, _ in
                guard let data = watcher?.pointee.data else { return }
                Unmanaged<AcceptingSocket>.fromOpaque(data).takeUnretainedValue().acceptBatch()
            }, fd, clibev_read)
        watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        ev_io_start(loop.ev, watcher)
    }

    deinit { watcher.deallocate() }

    /// Stops accepting. Connections that the kernel has already completed are served: their peers were promised it.
    /// Those being served go on.
    func stop() {
        guard isOwned else { return }
        // First, so that nobody who comes now is promised anything by it.
        socket?.removePath()
        var promised = socket?.isLent == true ? 0 : ListenOptions.default.backlog
        while promised > 0 && accept() { promised -= 1 }
        end()
    }

    override func end() {
        guard isOwned else { return }
        resume()
        ev_io_stop(loop.ev, watcher)
        socket?.removePath()
        socket = nil
        fresh = []
        loop.disown(self)
    }

    private func acceptBatch() {
        var accepted = 0
        while accepted < batch && accept() { accepted += 1 }
        batch = accepted == batch ? min(batch + 1, Self.largestBatch) : max(accepted, 1)
        for connection in fresh { readEarly(connection) }
        fresh.removeAll(keepingCapacity: true)
    }

    /// A peer that speaks first has often spoken by now: to read at once saves a turn, and where the connection ends with
    /// its answer, the kernel need not be told to watch it at all. Where peers wait for a greeting, or are far, this
    /// is tried for one connection in sixteen.
    private func readEarly(_ connection: StreamConnection) {
        if luck < 0 && luck > -16 {
            luck -= 1
            return
        }
        luck = connection.readEarly() ? min(max(luck, 0) + 1, 8) : max(luck, 0) - 1
    }

    /// Accepts one connection; false if none waits, or none can be taken now.
    private func accept() -> Bool {
        guard let listener = socket?.descriptor.number else { return false }
        if !admission.reserve() {
            pauseAccepting()
            return false
        }
        var storage = sockaddr_storage()
        var length = socklen_t()
        let accepted = exhaustion.mayAccept ? creactor_accept(listener, 1, &storage, &length) : -EMFILE
        if accepted >= 0 {
            exhaustion.accepted()
            serve(Descriptor(owning: accepted), SocketAddress(system: storage, length: length).unmapped)
            return true
        }
        admission.cancel()
        switch AcceptFailure(errno: -accepted) {
        case .ofOneConnection: return true
        case .exhausted:
            loop.statistics.refusedConnections &+= UInt64(exhaustion.exhausted(listener))
            pauseAccepting()
            return false
        case .noneWaits: return false
        }
    }

    private func serve(_ descriptor: consuming Descriptor, _ peer: SocketAddress) {
        let key = PeerKey(peer)
        guard admission.enter(key) else {
            loop.statistics.refusedConnections &+= 1
            resetOnClose(descriptor.number)
            return
        }
        loop.statistics.acceptedConnections &+= 1
        let handler = makeHandler()
        let connection = StreamConnection(
            loop: loop, fd: descriptor.release(), peer: peer, handler: handler.box, limits: limits,
            place: StreamConnection.Place(admission: admission, peer: key))
        handler.attach?(connection)
        connection.start()
        fresh.append(connection)
    }

    /// No descriptor is left, or no place. The socket would stay readable and the loop would spin, so it looks away until
    /// a connection of this loop closes, or for a moment: one of another loop may.
    private func pauseAccepting() {
        if retry != nil { return }
        loop.statistics.acceptPauses &+= 1
        ev_io_stop(loop.ev, watcher)
        loop.pausedListeners.append(identity)
        retry = loop.after(Self.pause) { [unowned self] in resume() }
    }

    func resume() {
        guard retry != nil else { return }
        retry?.cancel()
        retry = nil
        loop.pausedListeners.removeAll { $0.serial == serial }
        ev_io_start(loop.ev, watcher)
    }
}

/// Why accept(2) gave no connection.
package enum AcceptFailure {
    /// Its peer gave up, or the network did: others may wait.
    case ofOneConnection
    /// No descriptor or memory is left, or somebody who shares the socket has shut it down. The socket stays readable:
    /// without a pause, whoever waits for it would spin.
    case exhausted
    case noneWaits

    package init(errno: CInt) {
        switch errno {
        case ECONNABORTED, EINTR, EPERM, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: self = .ofOneConnection
        case EAGAIN: self = .noneWaits
        default: self = .exhausted
        }
    }
}

extension EventLoop {
    /// Listens on `address` and makes a handler, on this loop's thread, for each connection.
    ///
    /// - Throws: ``SystemError`` if the address cannot be listened on.
    @discardableResult
    public func listen<Handler: ConnectionHandler & ~Copyable>(
        on address: SocketAddress, limits: ConnectionLimits = .default, options: ListenOptions = .default,
        makeHandler: @escaping () -> Handler
    ) throws(SystemError) -> Listener {
        let socket = try ListeningSocket(address, options)
        return start(socket, limits, options) { NewHandler(box: TypedHandlerBox(makeHandler())) }
    }

    /// As ``listen(on:limits:options:makeHandler:)``, with the address as text; see ``SocketAddress/init(parsing:)``.
    @discardableResult
    public func listen<Handler: ConnectionHandler & ~Copyable>(
        on address: String, limits: ConnectionLimits = .default, options: ListenOptions = .default,
        makeHandler: @escaping () -> Handler
    ) throws -> Listener {
        try listen(on: SocketAddress(parsing: address), limits: limits, options: options, makeHandler: makeHandler)
    }

    /// As ``listen(on:limits:options:makeHandler:)``, for handlers that are to be reached by others than their peer: the
    /// closure is given each one's connection, to keep where others find it.
    @discardableResult
    public func listen<Handler: ConnectionHandler & ~Copyable>(
        on address: SocketAddress, limits: ConnectionLimits = .default, options: ListenOptions = .default,
        makeHandler: @escaping (LoopConnection<Handler>) -> Handler
    ) throws(SystemError) -> Listener {
        let socket = try ListeningSocket(address, options)
        return start(socket, limits, options) { [unowned self] in
            let connection = LoopConnection<Handler>(loop: self)
            let box = TypedHandlerBox(makeHandler(connection))
            return NewHandler(box: box) { connection.open($0, box) }
        }
    }

    /// Serves a socket that listens already, such as one that a service manager handed over (see ``ActivatedSocket``).
    ///
    /// - Throws: ``SystemError`` if the descriptor is no listening socket.
    @discardableResult
    public func listen<Handler: ConnectionHandler & ~Copyable>(
        adopting descriptor: consuming Descriptor, limits: ConnectionLimits = .default,
        options: ListenOptions = .default, makeHandler: @escaping () -> Handler
    ) throws(SystemError) -> Listener {
        let socket = try ListeningSocket(adopting: descriptor)
        return start(socket, limits, options) { NewHandler(box: TypedHandlerBox(makeHandler())) }
    }

    /// As ``listen(adopting:limits:options:makeHandler:)``, for servers whose loops share an admission.
    @discardableResult
    package func listen(
        adopting descriptor: consuming Descriptor, limits: ResolvedLimits, admission: Admission, isLent: Bool,
        makeHandler: @escaping () -> HandlerBox
    ) throws(SystemError) -> Listener {
        var socket = try ListeningSocket(adopting: descriptor)
        socket.isLent = isLent
        return start(socket, limits, admission) { NewHandler(box: makeHandler()) }
    }

    private func start(
        _ socket: consuming ListeningSocket, _ limits: ConnectionLimits, _ options: ListenOptions,
        _ makeHandler: @escaping () -> NewHandler
    ) -> Listener {
        let admission = Admission(maxConnections: options.maxConnections, maxPerPeer: options.maxConnectionsPerPeer)
        return start(socket, ResolvedLimits(limits), admission, makeHandler)
    }

    private func start(
        _ socket: consuming ListeningSocket, _ limits: ResolvedLimits, _ admission: Admission,
        _ makeHandler: @escaping () -> NewHandler
    ) -> Listener {
        let accepting = AcceptingSocket(
            loop: self, socket: socket, limits: limits, admission: admission, makeHandler: makeHandler)
        return Listener(accepting)
    }

    /// Serves a connection that is there already: one end of a socketpair(2), an inherited descriptor.
    ///
    /// - Throws: ``SystemError`` if the descriptor cannot be used.
    @discardableResult
    public func adopt<Handler: ConnectionHandler & ~Copyable>(
        _ descriptor: consuming Descriptor, limits: ConnectionLimits = .default, _ handler: consuming Handler
    ) throws(SystemError) -> LoopConnection<Handler> {
        guard SocketAddress.local(of: descriptor.number) != nil else {
            throw SystemError("adopt descriptor \(descriptor.number) as a connection", errno: ENOTSOCK)
        }
        try setNonBlocking(descriptor.number, true)
        neverWaitOnClose(descriptor.number)
        let peer = SocketAddress.peer(of: descriptor.number)?.unmapped ?? .unix(path: "")
        let connection = LoopConnection<Handler>(loop: self)
        connection.serve(descriptor, peer: peer, limits: ResolvedLimits(limits), TypedHandlerBox(handler))
        return connection
    }
}
