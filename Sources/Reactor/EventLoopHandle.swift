import CReactorSystem
import ConnectionHandling
import Synchronization

/// The loop has stopped, or is gone: what was submitted will not run.
public struct EventLoopStopped: Error, CustomStringConvertible, Sendable {
    public init() {}
    public var description: String { "the event loop has stopped" }
}

/// What other threads may hold of a loop: they can hand it work, and stop it. `Sendable`; outlives its loop safely.
public final class EventLoopHandle: Sendable {
    typealias Job = @Sendable (EventLoop) -> Void

    private struct State {
        var jobs: [Job] = []
        var accepts = true
        var isClosed = false
        var stopRequested = false
    }

    private let state = Mutex(State())
    /// Readable when there is something to do. An eventfd owned here rather than libev's `ev_async`, which belongs to
    /// the loop: a send to a loop just destroyed would write to freed memory.
    let wakeDescriptor: CInt
    private let wake: Descriptor

    init() throws(SystemError) {
        let number = creactor_eventfd()
        guard number >= 0 else { throw SystemError("make an event loop", errno: -number) }
        wakeDescriptor = number
        wake = Descriptor(owning: number)
    }

    /// Has `job` run on the loop's thread, in the order submitted. May be called from any thread, the loop's included,
    /// and before the loop runs. What was accepted runs, even if the loop stops at the same moment.
    ///
    /// - Throws: ``EventLoopStopped`` once the loop has stopped, until it runs again.
    public func submit(_ job: @escaping @Sendable (EventLoop) -> Void) throws(EventLoopStopped) {
        if !enqueue(job, where: { $0.accepts }) { throw EventLoopStopped() }
    }

    /// As ``submit(_:)`` for answers that connections wait for: kept between two runs, dropped only once the loop, and
    /// with it whoever waits, is gone.
    func deliver(_ job: @escaping Job) {
        _ = enqueue(job, where: { !$0.isClosed })
    }

    private func enqueue(_ job: @escaping Job, where condition: (borrowing State) -> Bool) -> Bool {
        let (accepted, isFirst) = state.withLock { state -> (Bool, Bool) in
            guard condition(state) else { return (false, false) }
            state.jobs.append(job)
            return (true, state.jobs.count == 1)
        }
        // Later ones ride on the first one's wake-up.
        if isFirst { creactor_eventfd_signal(wakeDescriptor) }
        return accepted
    }

    /// Makes ``EventLoop/run()`` return. Before the loop runs, it makes the next run return at once.
    public func stop() {
        state.withLock { $0.stopRequested = true }
        creactor_eventfd_signal(wakeDescriptor)
    }

    // MARK: For the loop

    func takeJobs() -> [Job] {
        creactor_eventfd_clear(wakeDescriptor)
        return state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
    }

    func takeStopRequest() -> Bool {
        state.withLock { state in
            defer { state.stopRequested = false }
            return state.stopRequested
        }
    }

    func setAccepts(_ accepts: Bool) {
        state.withLock { $0.accepts = accepts }
    }

    func close() {
        // Let go of outside the lock: what the jobs captured may have destructors that submit.
        let dropped = state.withLock { state in
            state.accepts = false
            state.isClosed = true
            defer { state.jobs = [] }
            return state.jobs
        }
        _ = consume dropped
    }
}
