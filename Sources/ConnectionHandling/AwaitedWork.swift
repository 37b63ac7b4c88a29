import Synchronization

/// Work that a handler waits for. The driver decides where it runs: a reactor runs what blocks on other threads and what
/// suspends on its own, the blocking architectures run both on the connection's.
package final class AwaitedWork: Sendable {
    package enum Body: Sendable {
        case blocking(@Sendable () -> Void)
        /// Begins what suspends. ``AwaitedWork/finish()`` says that it is done: before this returns, or later, on any thread.
        case suspending(@Sendable (AwaitedWork, any TaskStarter) -> Void)
    }

    private struct State {
        var isDone = false
        var notify: (@Sendable () -> Void)?
        var task: Task<Void, Never>?
    }

    package let body: Body
    private let state = Mutex(State())

    package init(_ body: Body) { self.body = body }

    /// A task that is started for the work, and ends with it.
    static func task(_ work: @escaping @Sendable () async -> Void) -> Body {
        .suspending { awaited, starter in
            let task = starter.start {
                await work()
                awaited.finish()
            }
            awaited.state.withLock { if !$0.isDone { $0.task = task } }
        }
    }

    /// The work is done. Called once.
    package func finish() {
        let notify = state.withLock { state in
            state.isDone = true
            state.task = nil
            return state.notify.take()
        }
        notify?()
    }

    package var isDone: Bool { state.withLock { $0.isDone } }

    /// Has `notify` called when the work is done, on whatever thread that is.
    ///
    /// - Returns: false if it is done already, and `notify` is not called.
    package func whenDone(_ notify: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.isDone { return false }
            state.notify = notify
            return true
        }
    }

    /// Nobody waits any more: a task is told so.
    package func cancel() { state.withLock { $0.task }?.cancel() }
}

/// Where a driver runs what suspends.
package protocol TaskStarter: Sendable {
    /// Starts a task and runs it here and now, as far as it goes without suspending. The rest runs where the driver runs its
    /// handlers, so that the task and its connection never run at once.
    @discardableResult
    func start(_ operation: @escaping @Sendable () async -> Void) -> Task<Void, Never>
}
