import Dispatch
import Synchronization

/// Threads for work that blocks, so that a loop need not: started one by one as work waits, at most ``maxThreads``.
/// `Sendable`: several loops may share one pool.
public final class OffloadPool: Sendable {
    /// The most threads it runs. Four by default: enough to overlap disk waits, few enough not to crowd the loops.
    public let maxThreads: Int

    private let queue: Queue

    private final class Queue: Sendable {
        struct State {
            var jobs: [@Sendable () -> Void] = []
            var next = 0
            var threads = 0
            var idle = 0
            var closed = false
        }
        let state = Mutex(State())
        let available = DispatchSemaphore(value: 0)

        func serve() {
            while true {
                available.wait()
                let job = state.withLock { state -> (@Sendable () -> Void)? in
                    guard state.next < state.jobs.count else { return nil }
                    let job = state.jobs[state.next]
                    state.next += 1
                    if state.next == state.jobs.count {
                        state.jobs.removeAll(keepingCapacity: true)
                        state.next = 0
                    }
                    state.idle -= 1
                    return job
                }
                guard let job else { return }
                job()
                state.withLock { $0.idle += 1 }
            }
        }
    }

    public init(maxThreads: Int = 4) {
        precondition(maxThreads > 0, "an offload pool needs a thread")
        self.maxThreads = maxThreads
        queue = Queue()
    }

    /// Ends the threads once the work handed in is done.
    deinit {
        let threads = queue.state.withLock { state in
            state.closed = true
            return state.threads
        }
        for _ in 0..<threads { queue.available.signal() }
    }

    /// Runs `job` on one of the pool's threads.
    public func run(_ job: @escaping @Sendable () -> Void) {
        let grows = queue.state.withLock { state in
            state.jobs.append(job)
            let waiting = state.jobs.count - state.next
            guard waiting > state.idle, state.threads < maxThreads else { return false }
            state.threads += 1
            state.idle += 1
            return true
        }
        if grows {
            let queue = queue
            do {
                try startThread { queue.serve() }
            } catch {
                // The others serve the job; with none at all the caller's thread must.
                let alone = queue.state.withLock { state in
                    state.threads -= 1
                    state.idle -= 1
                    return state.threads == 0
                }
                if alone {
                    let job = queue.state.withLock { $0.jobs.popLast() }
                    job?()
                    return
                }
            }
        }
        queue.available.signal()
    }
}
