import CReactorSystem
import Glibc
import Synchronization

/// A thread of its own that takes jobs in batches: whatever came while it worked on those before.
///
/// The thread starts with the first job, so that processes may be forked before, and ends when it is stopped and has
/// nothing left. Any thread may submit; that costs a system call only if the thread sleeps.
final class JobQueue<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job] = []
        var isAsleep = false
        var isStopped = false
        /// An eventfd of this process; negative before the first job.
        var wake: CInt = -1
    }

    private let state = Mutex(State())
    /// The process whose thread it is; 0 before the first job.
    private let process = Atomic<pid_t>(0)

    enum Refusal: Error {
        /// The queue was in use when this process was forked: its thread is not in this process.
        case forked
        case system(CInt)
    }

    /// - Parameter work: what the thread does: takes jobs by ``next(_:weight:maximum:)`` until there are no more.
    func submit(_ job: Job, work: @escaping @Sendable () -> Void) throws(Refusal) {
        // Asked before the lock, which a thread that is not in this process may have held.
        let owner = process.load(ordering: .acquiring)
        if owner != 0, owner != getpid() { throw .forked }
        let wake = try state.withLock { state throws(Refusal) -> CInt in
            if owner == 0, state.wake < 0 { state.wake = try start(work) }
            state.jobs.append(job)
            defer { state.isAsleep = false }
            return state.isAsleep ? state.wake : -1
        }
        if wake >= 0 { creactor_eventfd_signal(wake) }
    }

    /// Waits for jobs, and takes `count` of them at most, and no more than weigh `maximum` together; one in any case. Nil
    /// when it is stopped and there are none left. For the queue's own thread.
    func next(_ count: Int, weight: (Job) -> Int, maximum: Int) -> [Job]? {
        while true {
            let (batch, isOver, wake) = state.withLock { state -> ([Job], Bool, CInt) in
                state.isAsleep = state.jobs.isEmpty && !state.isStopped
                return (Self.take(&state.jobs, count, weight, maximum), state.isStopped, state.wake)
            }
            if !batch.isEmpty { return batch }
            if isOver {
                close(wake)
                return nil
            }
            var poll = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
            _ = Glibc.poll(&poll, 1, -1)
            creactor_eventfd_clear(wake)
        }
    }

    private static func take(_ jobs: inout [Job], _ count: Int, _ weight: (Job) -> Int, _ maximum: Int) -> [Job] {
        var sum = 0
        let end = jobs.prefix(count).firstIndex { job in
            sum = sum.addingReportingOverflow(weight(job)).partialValue
            return sum > maximum
        }
        let taken = min(max(end ?? jobs.count, 1), count, jobs.count)
        if taken == jobs.count {
            defer { jobs = [] }
            return jobs
        }
        defer { jobs.removeFirst(taken) }
        return Array(jobs[..<taken])
    }

    /// Its thread is there, in this process.
    var isRunning: Bool { process.load(ordering: .acquiring) == getpid() }

    /// The thread ends once it has done what was submitted.
    func stop() {
        guard isRunning else { return }
        let wake = state.withLock { state in
            state.isStopped = true
            defer { state.isAsleep = false }
            return state.isAsleep ? state.wake : -1
        }
        if wake >= 0 { creactor_eventfd_signal(wake) }
    }

    /// Under the lock, once a process.
    private func start(_ work: @escaping @Sendable () -> Void) throws(Refusal) -> CInt {
        let wake = creactor_eventfd()
        if wake < 0 { throw .system(-wake) }
        let result = startDetachedThread(work)
        if result < 0 {
            close(wake)
            throw .system(-result)
        }
        process.store(getpid(), ordering: .releasing)
        return wake
    }
}

/// Runs `body` on a thread of its own. Returns a negative error number if there can be none.
private func startDetachedThread(_ body: @escaping @Sendable () -> Void) -> CInt {
    final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let handed = Unmanaged.passRetained(Body(body))
    let result = creactor_start_thread(
        1 << 20,
        { argument in
            // Never nil: it is what was passed below.
            if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, handed.toOpaque())
    if result < 0 { handed.release() }
    return result
}
