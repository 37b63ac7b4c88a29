import Dispatch
import Synchronization

/// Runs tasks on the thread that waits for them. To wait for another thread instead could wait for ever: enough waiters
/// use up Swift's own pool, and in a forked process the pool may be gone.
///
/// It belongs to one connection and lives as long. Between two waits its tasks stand still; ``finish()`` runs them to
/// their end.
package final class ThreadBoundExecutor: TaskExecutor, TaskStarter {
    private struct State {
        var jobs: [UnownedJob] = []
        /// Tasks that were started and have not ended.
        var tasks = 0
        /// The thread waits, or is about to, and nobody has woken it.
        var isWaiting = false
    }
    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)

    package init() {}

    /// Runs `work`, whatever its kind, and returns when it is done.
    package func run(_ work: AwaitedWork) {
        switch work.body {
        case .blocking(let body):
            body()
        case .suspending(let begin):
            begin(work, self)
            if work.whenDone({ self.wake { _ in } }) { runJobs { work.isDone } }
        }
    }

    /// Runs what was started until the last task has ended. A task that nobody waits for should have been cancelled before.
    package func finish() { runJobs { self.state.withLock { $0.tasks == 0 } } }

    private func runJobs(until isOver: () -> Bool) {
        while !isOver() {
            if let job = nextJob() {
                job.runSynchronously(on: asUnownedTaskExecutor())
                continue
            }
            state.withLock { $0.isWaiting = true }
            // Said before this look, so that what happens behind it wakes the thread.
            let waits = !isOver() && state.withLock { $0.jobs.isEmpty }
            // Somebody may have woken it by now: that signal must be taken, too.
            if waits || !state.withLock({ $0.isWaiting.take() }) { changed.wait() }
        }
    }

    /// Changes what the thread may wait for.
    private func wake(_ change: (inout State) -> Void) {
        let waits = state.withLock { state in
            change(&state)
            return state.isWaiting.take()
        }
        if waits { changed.signal() }
    }

    private func nextJob() -> UnownedJob? { state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() } }

    @discardableResult
    package func start(_ operation: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        state.withLock { $0.tasks += 1 }
        let task = Task.detached(executorPreference: self) {
            await operation()
            self.wake { $0.tasks -= 1 }
        }
        // Its first job is behind those that wait already; none of them is on its way elsewhere.
        while let job = nextJob() { job.runSynchronously(on: asUnownedTaskExecutor()) }
        return task
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        wake { $0.jobs.append(job) }
    }
}

extension Bool {
    /// What it was; false from now on.
    fileprivate mutating func take() -> Bool {
        defer { self = false }
        return self
    }
}
