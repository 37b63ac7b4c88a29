import CReactorSystem
import ConnectionHandling
import Glibc
public import Reactor
public import ReactorDNS

/// Looks names up on the calling thread, and waits for the answer: for the architectures that wait anyway. Never on a loop,
/// which has ``Resolver``.
///
/// It belongs to one thread at a time.
public final class BlockingResolver {
    /// The events that each socket is polled for.
    private final class Sockets {
        var events: [CInt: CShort] = [:]
    }

    private let core: ResolverCore
    private let sockets = Sockets()

    public var statistics: ResolverStatistics { core.statistics }

    /// - Throws: ``SystemError``, as ``Resolver/init(loop:options:)``.
    public init(options: ResolverOptions = .init()) throws(SystemError) {
        core = try ResolverCore(options: options) { [sockets] socket, readable, writable in
            let events = (readable ? CShort(POLLIN) : 0) | (writable ? CShort(POLLOUT) : 0)
            sockets.events[socket] = events == 0 ? nil : events
        }
    }

    deinit { core.close() }

    /// The records of `type` that `name` has; see ``Resolver/lookUp(_:_:completion:)``. Waits for at most
    /// ``ResolverOptions/deadline``.
    public func lookUp(_ name: String, _ type: RecordType) throws(ResolutionError) -> Answer {
        var result: Result<Answer, ResolutionError>?
        let lookup = start(name, type) { result = $0 }
        while true {
            deliver()
            if let result { return try result.get() }
            _ = wait(until: lookup.deadline)
        }
    }

    /// Begins a look-up, which goes on in ``wait(until:_:)`` and ends in ``deliver()``.
    func start(
        _ name: String, _ type: RecordType, completion: @escaping (Result<Answer, ResolutionError>) -> Void
    ) -> Lookup { core.start(name, type, at: Self.now, completion: completion) }

    /// Tells the results that are there.
    func deliver() {
        core.deliver()
    }

    /// Waits until something happens to a look-up, or to one of `others`, or the moment has come.
    ///
    /// - Returns: `others`, with what happened to them.
    func wait(until moment: MonotonicTime, _ others: [pollfd] = []) -> [pollfd] {
        var polled = others + sockets.events.map { pollfd(fd: $0.key, events: $0.value, revents: 0) }
        let moment = min(moment, core.nextExpiry(at: Self.now) ?? moment)
        // Rounded up: a moment that is not there yet would be waited for in circles.
        let milliseconds = Self.now.nanoseconds(until: moment) / 1_000_000 + 1
        let count = poll(&polled, nfds_t(polled.count), CInt(clamping: milliseconds))
        let now = Self.now
        if count > 0 {
            for entry in polled[others.count...] where entry.revents != 0 {
                // An error is read, or written to, for c-ares to find.
                let failed = entry.revents & CShort(POLLERR | POLLHUP | POLLNVAL) != 0
                core.ready(
                    entry.fd, readable: entry.events & CShort(POLLIN) != 0 && (failed || entry.revents & CShort(POLLIN) != 0),
                    writable: entry.events & CShort(POLLOUT) != 0 && (failed || entry.revents & CShort(POLLOUT) != 0), at: now)
            }
        }
        // A signal may have cut the wait short, which does no harm.
        core.expire(at: now)
        return Array(polled[..<others.count])
    }

    static var now: MonotonicTime { MonotonicTime(nanoseconds: creactor_monotonic_ns()) }
}
