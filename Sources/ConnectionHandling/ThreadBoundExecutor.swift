import Dispatch
import Synchronization

/// Runs asynchronous work on the thread that waits for it. To wait for another thread instead could wait for ever:
/// enough waiters use up Swift's own pool, and in a forked process the pool may be gone.
final class ThreadBoundExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isDone = false
    }

    private let state = Mutex(State())
    /// Signalled once for each job, and once when the work is done.
    private let changes = DispatchSemaphore(value: 0)

    /// Runs `work` on this thread, and returns when it is done.
    func run(_ work: @escaping @Sendable () async -> Void) {
        Task.detached(executorPreference: self) {
            await work()
            self.state.withLock { $0.isDone = true }
            self.changes.signal()
        }
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        changes.signal()
    }

    /// Waits for the next job; nil when the work is done. Nothing is left then: a job that were would be part of it.
    private func next() -> UnownedJob? {
        while true {
            changes.wait()
            let (job, isDone) = state.withLock { ($0.jobs.isEmpty ? nil : $0.jobs.removeFirst(), $0.isDone) }
            if job != nil || isDone { return job }
        }
    }
}
