import DequeModule
import Dispatch
import Synchronization

/// Threads for work that blocks, so that a loop need not: started one by one as work waits, at most ``maxThreads``.
/// `Sendable`: several loops may share one pool.
public final class OffloadPool: Sendable {
    /// The most threads it runs. Four by default: enough to overlap disk waits, few enough not to crowd the loops.
    public let maxThreads: Int

    private let queue = Queue()

    private typealias Job = @Sendable () -> Void

    /// What the threads hold, so that they do not keep the pool.
    private final class Queue: Sendable {
        struct State {
            var jobs: Deque<Job> = []
            var threads = 0
            var idle = 0
        }
        let state = Mutex(State())
        /// Signalled for each job; with no job there, it tells a thread to end.
        let available = DispatchSemaphore(value: 0)

        /// The next job, for one of the pool's threads, which is idle no longer. With none there, the thread ends. The
        /// job is let go of outside the lock: what it captured may have a `deinit` that submits another.
        func take() -> Job? {
            state.withLock { state in
                state.idle -= 1
                if let job = state.jobs.popFirst() { return job }
                state.threads -= 1
                return nil
            }
        }

        func serve() {
            while true {
                available.wait()
                guard let job = take() else { return }
                job()
                state.withLock { $0.idle += 1 }
            }
        }
    }

    public init(maxThreads: Int = 4) {
        precondition(maxThreads > 0, "an offload pool needs a thread")
        self.maxThreads = maxThreads
    }

    /// Ends the threads once the work handed in is done.
    deinit {
        for _ in 0..<queue.state.withLock({ $0.threads }) { queue.available.signal() }
    }

    /// Runs `job` on one of the pool's threads.
    public func run(_ job: @escaping @Sendable () -> Void) {
        let grows = queue.state.withLock { state in
            state.jobs.append(job)
            guard state.jobs.count > state.idle, state.threads < maxThreads else { return false }
            state.threads += 1
            state.idle += 1
            return true
        }
        if grows {
            do {
                try startThread { [queue] in queue.serve() }
            } catch {
                let alone = queue.state.withLock { state in
                    state.threads -= 1
                    state.idle -= 1
                    return state.threads == 0
                }
                // The other threads serve what waits; with none at all this one must.
                if alone {
                    while let job = queue.state.withLock({ $0.jobs.popFirst() }) { job() }
                    return
                }
            }
        }
        queue.available.signal()
    }
}
