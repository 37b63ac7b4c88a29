import ConnectionHandling
public import Reactor
public import ReactorDNS

/// Looks names up on a loop, without blocking it.
///
/// It belongs to the loop's thread, as everything of the loop does. Keep it as long as answers are wanted: when it goes, or
/// the loop, its look-ups are cancelled.
public final class Resolver {
    /// Weak: what is on the loop may hold the resolver, and would otherwise keep the loop.
    private weak var loop: EventLoop?
    private let core: ResolverCore
    private let sockets: LoopSockets
    private var timer: Watcher?
    private var timerExpires = MonotonicTime.distantFuture
    private var delivery: Watcher?

    public var statistics: ResolverStatistics { core.statistics }

    /// - Throws: ``SystemError`` if the options cannot be met: a server that is no IP address or a search domain that is no
    ///   name (`EINVAL`), a configuration file that cannot be read, no memory.
    public init(loop: EventLoop, options: ResolverOptions = .init()) throws(SystemError) {
        self.loop = loop
        let sockets = LoopSockets(loop: loop)
        self.sockets = sockets
        core = try ResolverCore(options: options) { sockets.watch($0, readable: $1, writable: $2) }
        sockets.ready = { [weak self] socket, readable, writable in
            Self.perform(self) { $0.core.ready(socket, readable: readable, writable: writable, at: $0.now) }
        }
    }

    deinit { close() }

    /// Asks for the records of `type` that `name` has. The completion is called once, later in the loop, never from within
    /// this call; not at all if the look-up is cancelled, or the resolver or its loop goes before.
    ///
    /// A name that ends in a dot is taken as it is; others may be completed by a search domain. A literal address has itself
    /// as its record; its PTR records are those of its ``IPAddress/reverseName``.
    @discardableResult
    public func lookUp(
        _ name: String, _ type: RecordType, completion: @escaping (Result<Answer, ResolutionError>) -> Void
    ) -> Lookup {
        guard let loop else {
            // Nobody would tell the result.
            let lookup = Lookup(name, type, deadline: .distantFuture, core: core, completion: completion)
            lookup.settle()
            return lookup
        }
        loop.updateTimeOutsideTurns()
        let lookup = core.start(name, type, at: now, completion: completion)
        if core.hasFinished { deliverSoon() }
        arm(core.soonestExpiry(at: now))
        return lookup
    }

    /// Cancels every look-up, and closes the sockets. Later look-ups fail with `ECANCELED`.
    public func close() {
        timer?.cancel()
        timer = nil
        timerExpires = .distantFuture
        core.close()
    }

    private var now: MonotonicTime { loop?.clock.now ?? .distantFuture }

    /// Does what an event asks for, and tells what has ended. Nothing of c-ares is under way while that is told, nor is the
    /// resolver held: a completion may close it, or let it go, and the rest is not told.
    private static func perform(_ event: @autoclosure () -> Resolver?, _ body: (Resolver) -> Void) {
        weak let resolver = event()
        resolver.map(body)
        let core = resolver?.core
        core?.deliver()
        resolver?.delivered()
    }

    /// What ends within a call of the user's is told in a turn of its own.
    private func deliverSoon() {
        if delivery != nil { return }
        delivery = loop?.after(.zero) { [weak self] in Self.perform(self) { $0.delivery = nil } }
    }

    private func delivered() {
        if core.hasFinished { deliverSoon() }
        if !core.isIdle { return }
        timer?.cancel()
        timer = nil
        timerExpires = .distantFuture
    }

    /// The timer may be early, and then looks again, but is never late: a query more costs no change of it.
    private func arm(_ moment: MonotonicTime) {
        guard moment < timerExpires, !core.isIdle else { return }
        timer?.cancel()
        timerExpires = moment
        // c-ares counts in microseconds: a little late finds more that has expired.
        let delay = now.nanoseconds(until: moment).addingReportingOverflow(1_000_000).partialValue
        timer = loop?.after(.nanoseconds(Int64(clamping: delay))) { [weak self] in Self.perform(self) { $0.expire() } }
    }

    private func expire() {
        timer = nil
        timerExpires = .distantFuture
        core.expire(at: now)
        if let next = core.nextExpiry(at: now) { arm(next) }
    }
}
