public import ConnectionHandling

/// Connections that are kept for the next user, on a loop: at most so many, handed out in turn.
///
/// It belongs to its loop's thread. A connection is handed out as a ``PoolLease`` and never while anybody else has it; one
/// whose peer closes it, or says something that nobody asked for, while it is idle, is closed at once.
public final class ConnectionPool<Handler: ReusableConnectionHandler & ~Copyable> {
    private let core: PoolCore<Handler>

    /// - Parameters:
    ///   - connectionLimits: for each connection.
    ///   - makeHandler: called on the loop's thread for each connection that is made, with its destination.
    public init(
        on loop: EventLoop, limits: PoolLimits = .default, connectionLimits: ConnectionLimits = .default,
        options: ConnectOptions = .default, makeHandler: @escaping (SocketAddress) -> Handler
    ) {
        core = PoolCore(loop, limits, connectionLimits, options, makeHandler)
    }

    deinit { core.abandon() }

    /// Asks for a connection to `destination`. One of the two closures is called, once, later in the loop, never from
    /// within this call; neither if the loop goes before.
    ///
    /// - Parameters:
    ///   - time: how long to wait; nil for ``PoolLimits/waitingTime``.
    ///   - onLease: is given the connection. Keep the lease for as long as the connection is needed.
    /// - Returns: what ``cancel(_:)`` takes.
    @discardableResult
    public func acquire(
        _ destination: SocketAddress, within time: Duration? = nil, onFailure: @escaping (PoolError) -> Void,
        onLease: @escaping (consuming PoolLease<Handler>) -> Void
    ) -> PoolTicket? {
        core.acquire(destination, within: time, onFailure, onLease)
    }

    /// The connection is no longer wanted: neither closure will be called. Harmless when one was called already.
    public func cancel(_ ticket: PoolTicket) { core.cancel(ticket) }

    /// Hands out no more: those that wait get ``PoolError/closed``, idle connections are closed at once, those in use when
    /// they are given back. Done too when the pool goes.
    public func close() { core.close() }

    public var statistics: PoolStatistics { core.statistics }
}

/// A connection of a pool, for as long as this is kept. Give it back with ``release()``; one that is dropped otherwise is
/// discarded. It belongs to the loop's thread.
public struct PoolLease<Handler: ReusableConnectionHandler & ~Copyable>: ~Copyable {
    private let core: PoolCore<Handler>
    private let place: PoolPlace
    private var forReuse = false

    init(_ core: PoolCore<Handler>, _ place: PoolPlace) {
        self.core = core
        self.place = place
    }

    /// The connection can be used.
    public var isOpen: Bool { core.connection(place)?.isOpen ?? false }

    /// Calls `body` with the handler and its connection, and then performs what was decided. Nil if the connection is not
    /// open. Not from within one of the handler's own calls; the lease may be released there, or dropped.
    public func withHandler<Result>(_ body: (inout Handler, inout Connection) -> Result) -> Result? {
        core.connection(place)?.withHandler { body(&$0.handler, &$1) }
    }

    /// One of the handler's own calls is under way: ``withHandler(_:)`` must wait.
    public var isInCall: Bool { core.connection(place)?.isInCall ?? false }

    /// Gives the connection back, for the next user if its handler says that it ``ReusableConnectionHandler/isReusable``.
    public consuming func release() { forReuse = true }

    /// Closes the connection.
    public consuming func discard() {}

    deinit { core.giveBack(place, forReuse: forReuse) }
}
