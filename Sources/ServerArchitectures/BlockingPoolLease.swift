public import ConnectionHandling
import Reactor
import Synchronization

/// A connection of a ``BlockingConnectionPool``, for as long as this is kept. Give it back with ``release()``; one that is
/// dropped otherwise is discarded.
///
/// Different threads use a pooled connection one after another, so its handler stays behind a lock, from which the
/// compiler lets nothing escape that is not `Sendable`: what is called with the handler is `@Sendable`.
public struct BlockingPoolLease<Handler: ReusableConnectionHandler & ~Copyable>: ~Copyable, Sendable {
    private let pool: BlockingConnectionPool<Handler>
    private let client: PooledClient<Handler>
    private var forReuse = false

    init(_ pool: BlockingConnectionPool<Handler>, _ client: PooledClient<Handler>) {
        self.pool = pool
        self.client = client
    }

    /// As ``BlockingClient/withHandler(_:)``.
    public mutating func withHandler<Result: Sendable>(
        _ body: @Sendable (inout Handler, inout Connection) -> Result
    ) -> Result? {
        client.withHandler(body)
    }

    /// As ``BlockingClient/serve(until:within:)``.
    public mutating func serve(
        until condition: @Sendable (borrowing Handler) -> Bool, within time: Duration? = nil
    ) -> ServeOutcome {
        client.serve(until: condition, within: time)
    }

    /// Gives the connection back, for the next user if its handler says that it ``ReusableConnectionHandler/isReusable``.
    public consuming func release() { forReuse = true }

    /// Closes the connection.
    public consuming func discard() {}

    deinit { pool.giveBack(client, forReuse: forReuse) }
}

/// A client that goes from thread to thread; one at a time uses it.
final class PooledClient<Handler: ReusableConnectionHandler & ~Copyable>: Sendable {
    let place: PoolPlace
    private let client: Mutex<BlockingClient<PooledHandler<Handler>>?>

    init(_ place: PoolPlace, _ client: consuming sending BlockingClient<PooledHandler<Handler>>) {
        self.place = place
        self.client = Mutex(client)
    }

    func withHandler<Result: Sendable>(_ body: @Sendable (inout Handler, inout Connection) -> Result) -> Result? {
        client.withLock { client in client?.withHandler { body(&$0.handler, &$1) } ?? nil }
    }

    func serve(until condition: @Sendable (borrowing Handler) -> Bool, within time: Duration?) -> ServeOutcome {
        client.withLock { client in client?.serve(until: { condition($0.handler) }, within: time) ?? .closed(.aborted) }
    }

    /// True if it is fit for the next user.
    func giveBack() -> Bool {
        client.withLock { client in client?.withHandler { $0.giveBack(on: $1) } ?? false }
    }

    /// True if it is as it was given back.
    func handOut() -> Bool {
        client.withLock { client in client?.withHandler { $0.handOut(on: $1) } ?? false }
    }

    /// Without waiting for the peer: what is not closed by then is aborted.
    func close(_ closing: Connection.Closing) {
        client.withLock { client in
            _ = client?.withHandler { $1.close(closing) }
            client = nil
        }
    }
}
