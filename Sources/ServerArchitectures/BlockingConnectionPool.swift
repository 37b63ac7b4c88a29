import CReactorSystem
public import ConnectionHandling
import Dispatch
import Glibc
public import Reactor
import Synchronization

/// Connections that threads share: at most so many, handed out in turn. Any thread may use it.
///
/// A connection is made on a short-lived thread of its own, so that whoever waits may also get one that is given back
/// meanwhile. What expires is closed when the pool is next used; between two uses nothing runs. That an idle connection's
/// peer has closed it, or has said something, is seen when it would be handed out.
public final class BlockingConnectionPool<Handler: ReusableConnectionHandler & ~Copyable>: Sendable {
    private struct State: Sendable {
        var policy: PoolPolicy
        var clients: [PoolPlace: PooledClient<Handler>] = [:]
        var waiters: [PoolTicket: PoolWaiter<Handler>] = [:]
    }

    private let state: Mutex<State>
    private let limits: PoolLimits
    private let connectionLimits: ConnectionLimits
    private let options: ConnectOptions
    private let makeHandler: @Sendable (SocketAddress) -> Handler

    /// - Parameters:
    ///   - connectionLimits: for each connection.
    ///   - makeHandler: called for each connection that is made, with its destination.
    public init(
        limits: PoolLimits = .default, connectionLimits: ConnectionLimits = .default, options: ConnectOptions = .default,
        makeHandler: @escaping @Sendable (SocketAddress) -> Handler
    ) {
        state = Mutex(State(policy: PoolPolicy(limits)))
        self.limits = limits
        self.connectionLimits = connectionLimits
        self.options = options
        self.makeHandler = makeHandler
    }

    /// Waits for a connection to `destination`.
    ///
    /// - Parameter time: how long to wait; nil for ``PoolLimits/waitingTime``.
    public func acquire(_ destination: SocketAddress, within time: Duration? = nil) throws(PoolError) -> BlockingPoolLease<Handler> {
        let deadline = MonotonicTime(nanoseconds: creactor_monotonic_ns()).advanced(by: time ?? limits.waitingTime)
        let waiter = PoolWaiter<Handler>()
        let drawn: Result<PoolTicket, PoolError> = update { state in
            do throws(PoolError) {
                let ticket = try state.policy.acquire(destination, until: deadline)
                state.waiters[ticket] = waiter
                return .success(ticket)
            } catch {
                return .failure(error)
            }
        }
        let ticket = try drawn.get()
        while true {
            guard let outcome = waiter.take() else {
                waiter.wait(until: min(deadline, nextDeadline))
                update { _ in }
                continue
            }
            let client = try outcome.get()
            if client.handOut() { return BlockingPoolLease(self, client) }
            update { state in
                state.clients[client.place] = nil
                state.waiters[ticket] = waiter
                state.policy.takeBack(ticket, for: destination, until: deadline, insteadOf: client.place)
            }
        }
    }

    /// Hands out no more: those that wait get ``PoolError/closed``, idle connections are closed at once, those in use when
    /// they are given back.
    public func close() { update { $0.policy.close() } }

    /// Closes what has been idle for too long, for a program that uses the pool seldom.
    public func closeExpired() { update { _ in } }

    public var statistics: PoolStatistics { state.withLock { $0.policy.statistics } }

    func giveBack(_ client: PooledClient<Handler>, forReuse: Bool) {
        let isFit = forReuse && client.giveBack()
        update { state in
            if isFit {
                state.policy.released(client.place, at: now)
            } else {
                state.clients[client.place] = nil
                state.policy.closed(client.place)
            }
        }
        if !isFit { client.close(.aborting) }
    }

    // MARK: Work

    private var now: MonotonicTime { MonotonicTime(nanoseconds: creactor_monotonic_ns()) }
    private var nextDeadline: MonotonicTime { state.withLock { $0.policy.deadline } }

    /// What is done outside the lock: it takes time, or calls handlers.
    private struct Chores: Sendable {
        var connects: [(PoolPlace, SocketAddress)] = []
        var closed: [PooledClient<Handler>] = []
    }

    /// Changes the state, and does what follows from that.
    private func update<Result: Sendable>(_ change: (inout State) -> Result) -> Result {
        let (result, chores) = state.withLock { state in
            let result = change(&state)
            return (result, decide(&state))
        }
        for client in chores.closed { client.close(.flushing) }
        for (place, destination) in chores.connects { startConnecting(place, to: destination) }
        return result
    }

    private func decide(_ state: inout State) -> Chores {
        var chores = Chores()
        while let action = state.policy.nextAction(at: now) {
            switch action {
            case .connect(let place, let destination):
                chores.connects.append((place, destination))
            case .handOut(let place, let ticket):
                if let client = state.clients[place] { state.waiters.removeValue(forKey: ticket)?.settle(.success(client)) }
            case .close(let place):
                if let client = state.clients.removeValue(forKey: place) { chores.closed.append(client) }
            case .fail(let ticket, let error):
                state.waiters.removeValue(forKey: ticket)?.settle(.failure(error))
            }
        }
        return chores
    }

    private func startConnecting(_ place: PoolPlace, to destination: SocketAddress) {
        do throws(SystemError) {
            try startThread(stack: 256 << 10) { self.connect(place, to: destination) }
        } catch {
            failed(place, .system(error))
        }
    }

    private func connect(_ place: PoolPlace, to destination: SocketAddress) {
        do throws(ConnectFailure) {
            let client = PooledClient(place, try makeClient(destination))
            let isWanted = update { state in
                guard state.policy.connected(place, at: now) else { return false }
                state.clients[place] = client
                return true
            }
            if !isWanted { client.close(.flushing) }
        } catch {
            failed(place, error)
        }
    }

    /// Connects, and serves the connection until it can be used.
    private func makeClient(_ destination: SocketAddress) throws(ConnectFailure) -> BlockingClient<PooledHandler<Handler>> {
        let makeHandler = makeHandler
        let made: BlockingClient<PooledHandler<Handler>>
        do {
            made = try BlockingClient(connectingTo: destination, limits: connectionLimits, options: options) {
                PooledHandler(makeHandler(destination)) { _ in }
            }
        } catch {
            throw .system(error)
        }
        var client = made
        if case .closed(let reason) = client.serve(until: { $0.isReady }), !client.handler.isReady { throw .handshake(reason) }
        return client
    }

    private func failed(_ place: PoolPlace, _ error: ConnectFailure) {
        let sleepers = update { state in
            state.policy.connectFailed(place, error, at: now)
            return Array(state.waiters.values)
        }
        // There may be a pause now, behind which one of them has to make the pool go on.
        for waiter in sleepers { waiter.wake() }
    }

    deinit { close() }
}

/// One thread that waits.
private final class PoolWaiter<Handler: ReusableConnectionHandler & ~Copyable>: Sendable {
    private let outcome = Mutex<Result<PooledClient<Handler>, PoolError>?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    func settle(_ result: Result<PooledClient<Handler>, PoolError>) {
        outcome.withLock { $0 = result }
        wake()
    }

    func wake() { semaphore.signal() }

    func take() -> Result<PooledClient<Handler>, PoolError>? {
        outcome.withLock { stored in
            defer { stored = nil }
            return stored
        }
    }

    func wait(until moment: MonotonicTime) {
        let nanoseconds = MonotonicTime(nanoseconds: creactor_monotonic_ns()).nanoseconds(until: moment)
        _ = semaphore.wait(timeout: .now() + .nanoseconds(Int(clamping: nanoseconds)))
    }
}
