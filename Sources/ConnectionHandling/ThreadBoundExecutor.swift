import Dispatch
import Synchronization

/// Runs asynchronous work on the thread that waits for it. To wait for another thread instead could wait for ever:
/// enough waiters use up Swift's own pool, and in a forked process the pool may be gone.
final class ThreadBoundExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    /// Signalled for each job, and once more at the end.
    private let available = DispatchSemaphore(value: 0)

    /// Runs `work` on this thread, and returns when it is done.
    func run(_ work: @escaping @Sendable () async -> Void) {
        Task.detached(executorPreference: self) {
            await work()
            self.available.signal()
        }
        while true {
            available.wait()
            guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        available.signal()
    }
}
