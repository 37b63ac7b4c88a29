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

/// Accepts connections and gives each a handler.
final class AcceptingSocket: LoopOwned {
    let address: SocketAddress

    private var socket: ListeningSocket?
    private let watcher: UnsafeMutablePointer<ev_io>
    private let limits: ResolvedLimits
    private let makeHandler: () -> HandlerBox

    /// Connections accepted in one turn, so that a burst of them does not starve those already there.
    private static let batch = 64
    /// How long to wait for a descriptor to become free before trying again.
    private static let pause = Duration.milliseconds(100)

    init(
        loop: EventLoop, socket: consuming ListeningSocket, limits: ResolvedLimits,
        makeHandler: @escaping () -> HandlerBox
    ) {
        address = socket.address
        let fd = socket.descriptor.number
        self.socket = consume socket
        self.limits = limits
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
        var promised = ListeningSocket.backlog
        while promised > 0 && accept() { promised -= 1 }
        end()
    }

    override func end() {
        guard isOwned else { return }
        ev_io_stop(loop.ev, watcher)
        if case .unix(let path) = address, !address.isAbstract { unlink(path) }
        socket = nil
        loop.disown(self)
    }

    private func acceptBatch() {
        for _ in 0..<Self.batch where !accept() { return }
    }

    /// Accepts one connection; false if none waits, or none can be taken now.
    private func accept() -> Bool {
        guard let fd = socket?.descriptor.number else { return false }
        var storage = sockaddr_storage()
        var length = socklen_t()
        let accepted = creactor_accept(fd, 1, &storage, &length)
        if accepted >= 0 {
            loop.statistics.acceptedConnections &+= 1
            _ = StreamConnection(
                loop: loop, fd: accepted, peer: SocketAddress(system: storage, length: length),
                handler: makeHandler(), limits: limits)
            return true
        }
        switch AcceptFailure(errno: -accepted) {
        case .ofOneConnection: return true
        case .exhausted:
            pauseAccepting()
            return false
        case .other: return false
        }
    }

    /// Out of descriptors. The socket would stay readable and the loop would spin, so it looks away for a moment.
    private func pauseAccepting() {
        loop.statistics.acceptPauses &+= 1
        ev_io_stop(loop.ev, watcher)
        let identity = identity
        loop.after(Self.pause) { [unowned loop, watcher] in
            if loop.owned(identity) != nil { ev_io_start(loop.ev, watcher) }
        }
    }
}

/// Why accept(2) gave no connection.
package enum AcceptFailure {
    /// Its peer gave up, or the network did: others may wait.
    case ofOneConnection
    /// No descriptor or memory is left. The socket stays readable: without a pause, whoever waits for it would spin.
    case exhausted
    /// Most often that none waits.
    case other

    package init(errno: CInt) {
        switch errno {
        case ECONNABORTED, EINTR, EPERM, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: self = .ofOneConnection
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: self = .exhausted
        default: self = .other
        }
    }
}

extension EventLoop {
    /// Listens on `address` and makes a handler, on this loop's thread, for each connection.
    ///
    /// - Throws: ``SystemError`` if the address cannot be listened on.
    @discardableResult
    public func listen<Handler: ConnectionHandler & ~Copyable>(
        on address: SocketAddress, limits: ConnectionLimits = .default, makeHandler: @escaping () -> Handler
    ) throws(SystemError) -> Listener {
        let socket = try ListeningSocket(address)
        return start(socket, ResolvedLimits(limits)) { TypedHandlerBox(makeHandler()) }
    }

    /// As ``listen(on:limits:makeHandler:)``, with the address as text; see ``SocketAddress/init(parsing:)``.
    @discardableResult
    public func listen<Handler: ConnectionHandler & ~Copyable>(
        on address: String, limits: ConnectionLimits = .default, makeHandler: @escaping () -> Handler
    ) throws -> Listener {
        try listen(on: SocketAddress(parsing: address), limits: limits, makeHandler: makeHandler)
    }

    /// Serves a socket that already listens, which the loop now owns.
    @discardableResult
    package func listen(
        adopting number: CInt, limits: ResolvedLimits, makeHandler: @escaping () -> HandlerBox
    ) -> Listener {
        start(ListeningSocket(adopting: number), limits, makeHandler)
    }

    private func start(
        _ socket: consuming ListeningSocket, _ limits: ResolvedLimits, _ makeHandler: @escaping () -> HandlerBox
    ) -> Listener {
        let accepting = AcceptingSocket(loop: self, socket: socket, limits: limits, makeHandler: makeHandler)
        return Listener(accepting)
    }
}
