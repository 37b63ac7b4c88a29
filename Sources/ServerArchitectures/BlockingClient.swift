import CReactorSystem
public import ConnectionHandling
import Glibc
public import Reactor

/// Why ``BlockingClient/serve(until:within:)`` returned.
public enum ServeOutcome: Equatable, Sendable {
    /// The condition holds.
    case satisfied
    /// The time ran out first; the connection can still be used.
    case timedOut
    /// The connection is closed.
    case closed(CloseReason)
}

/// An outgoing connection for the calling thread: the handler is of the same kind as on a loop or in a server, and nothing
/// happens but in the calls below.
///
/// Dropped while it is open, the connection is aborted.
public struct BlockingClient<Handler: ConnectionHandler & ~Copyable>: ~Copyable {
    private let box: TypedHandlerBox<Handler>
    private var connection: BlockingConnection

    /// Connects, and tells the handler. Blocks for ``ConnectOptions/timeout`` at most.
    ///
    /// - Throws: ``SystemError``, with `ETIMEDOUT` if the time ran out.
    public init(
        connectingTo address: SocketAddress, limits: ConnectionLimits = .default, options: ConnectOptions = .default,
        makeHandler: () -> Handler
    ) throws(SystemError) {
        let fd = try ConnectingSocket(address, options).connectBlocking(to: address, within: options.timeout)
        self.init(connected: Descriptor(owning: fd), to: address, limits: limits, makeHandler())
    }

    /// Takes over a socket that is connected, and blocks.
    package init(
        connected descriptor: consuming Descriptor, to address: SocketAddress, limits: ConnectionLimits,
        _ handler: consuming Handler
    ) {
        box = TypedHandlerBox(handler)
        connection = BlockingConnection(
            fd: descriptor.release(), peer: address, handler: box, limits: ResolvedLimits(limits), stopSignal: nil)
        connection.perform()
    }

    /// Serves the connection to its end, and says why it ended.
    public mutating func serve() -> CloseReason { connection.serve() }

    /// Serves the connection until `condition` holds, which is asked whenever all that can be sent has been. The connection
    /// stays as it is, and can be served on.
    ///
    /// - Parameter time: how long to wait at most. The connection's own limits count beside it.
    public mutating func serve(
        until condition: (borrowing Handler) -> Bool, within time: Duration? = nil
    ) -> ServeOutcome {
        let box = box
        switch connection.serve(until: { condition(box.handler) }, within: time) {
        case .closed(let reason): return .closed(reason)
        case .paused: return condition(box.handler) ? .satisfied : .timedOut
        }
    }

    /// Calls `body` with the handler and its connection, and performs what was decided as far as that needs no waiting for
    /// the peer. Nil if the connection is closed, or closing.
    public mutating func withHandler<Result>(_ body: (inout Handler, inout Connection) -> Result) -> Result? {
        connection.withHandler(in: box, body)
    }

    /// The handler, whether or not the connection is still open: to read what it has received.
    public var handler: Handler {
        _read { yield box.handler }
    }

    /// Why the connection closed; nil while it is open.
    public var closeReason: CloseReason? { connection.closeReason }

    /// Ends the connection, and serves it until its output is written.
    @discardableResult
    public mutating func close(_ closing: Connection.Closing = .flushing) -> CloseReason {
        _ = withHandler { $1.close(closing) }
        return serve()
    }
}

extension ConnectingSocket {
    /// Waits until the socket is connected, and makes it a blocking one, which the caller then owns.
    consuming func connectBlocking(to address: SocketAddress, within time: Duration) throws(SystemError) -> CInt {
        let end = MonotonicTime(nanoseconds: creactor_monotonic_ns()).advanced(by: time)
        var error = connect()
        while error != 0 {
            let left = MonotonicTime(nanoseconds: creactor_monotonic_ns()).nanoseconds(until: end)
            if left == 0 { error = ETIMEDOUT }
            var entry = pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)
            switch error {
            case EINPROGRESS, EINTR:
                if poll(&entry, 1, CInt(min(left / 1_000_000 + 1, 1_000))) > 0 { error = outcome }
            case EAGAIN:
                // A Unix-domain listener's backlog is full, which nothing tells the end of.
                poll(nil, 0, 10)
                error = connect()
            default:
                throw SystemError(Self.operation(address), errno: error, address: address)
            }
        }
        try setNonBlocking(descriptor.number, false)
        return release()
    }
}
