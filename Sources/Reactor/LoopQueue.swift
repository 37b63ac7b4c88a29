import CReactorSystem
import ConnectionHandling
import DequeModule
import Dispatch
import Glibc
import Synchronization

/// What waits to be run on a loop's thread: work that was submitted, and steps of tasks and actors, in one line.
final class LoopQueue: SerialExecutor {
    private enum Job: Sendable {
        case call(@Sendable (EventLoop) -> Void)
        case task(UnownedJob, UnownedTaskExecutor)
        /// Of an actor that is pinned to the loop.
        case actor(UnownedJob)
    }

    private struct State {
        var jobs: Deque<Job> = []
        var accepts = true
        var isClosed = false
        var stopRequested = false
        /// Jobs are being taken: nobody need wake the loop.
        var isDraining = false
        /// The thread that is starting a task, and the task's first step.
        var starter: pthread_t?
        var firstStep: UnownedJob?
        /// Runs tasks when the loop is closed.
        var afterlife: DispatchQueue?
    }

    private let state = Mutex(State())
    /// The thread that runs jobs now.
    private let owner = Atomic<UInt>(0)
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

    // MARK: From any thread

    func submit(_ job: @escaping @Sendable (EventLoop) -> Void) -> Bool { append(.call(job), where: { $0.accepts }) }
    func deliver(_ job: @escaping @Sendable (EventLoop) -> Void) { _ = append(.call(job), where: { !$0.isClosed }) }

    func requestStop() {
        state.withLock { $0.stopRequested = true }
        creactor_eventfd_signal(wakeDescriptor)
    }

    private func append(_ job: Job, where condition: (borrowing State) -> Bool) -> Bool {
        let (accepted, mustWake) = state.withLock { state -> (Bool, Bool) in
            guard condition(state) else { return (false, false) }
            state.jobs.append(job)
            return (true, state.jobs.count == 1 && !state.isDraining)
        }
        // Later ones ride on the first one's wake-up.
        if mustWake { creactor_eventfd_signal(wakeDescriptor) }
        return accepted
    }

    // MARK: Tasks and actors

    func enqueue(_ job: consuming ExecutorJob) { appendOrRunElsewhere(.actor(UnownedJob(job))) }

    func enqueue(_ job: UnownedJob, of executor: UnownedTaskExecutor) {
        let isFirstStep = state.withLock { state in
            guard let starter = state.starter, pthread_equal(starter, pthread_self()) != 0 else { return false }
            state.firstStep = job
            state.starter = nil
            return true
        }
        if !isFirstStep { appendOrRunElsewhere(.task(job, executor)) }
    }

    func isIsolatingCurrentContext() -> Bool? { isOwner }
    func checkIsolated() { precondition(isOwner, "not on the event loop's thread") }
    private var isOwner: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// The next job that this thread hands in for a task is its first step.
    func catchFirstStep() { state.withLock { $0.starter = pthread_self() } }

    func takeFirstStep() -> UnownedJob? {
        state.withLock { state in
            state.starter = nil
            return state.firstStep.take()
        }
    }

    private func appendOrRunElsewhere(_ job: Job) {
        if !append(job, where: { !$0.isClosed }) { runElsewhere(job) }
    }

    /// The loop is closed. Still a task must end, and an actor's steps must not overlap.
    private func runElsewhere(_ job: Job) {
        let queue = state.withLock { state in
            let queue = state.afterlife ?? DispatchQueue(label: "closed event loop")
            state.afterlife = queue
            return queue
        }
        queue.async {
            self.owner.store(UInt(pthread_self()), ordering: .relaxed)
            self.run(job, on: nil)
            self.owner.store(0, ordering: .relaxed)
        }
    }

    // MARK: For the loop, on its thread

    /// How many jobs run between two looks at the descriptors.
    private static let jobsPerTurn = 64

    /// Runs what was handed in, up to a limit: the rest comes in the next turn.
    func runJobs(on loop: EventLoop) {
        creactor_eventfd_clear(wakeDescriptor)
        state.withLock { $0.isDraining = true }
        for _ in 0..<Self.jobsPerTurn {
            guard let job = next() else { break }
            run(job, on: loop)
        }
        let more = state.withLock { state in
            state.isDraining = false
            return !state.jobs.isEmpty
        }
        if more { creactor_eventfd_signal(wakeDescriptor) }
    }

    private func next() -> Job? { state.withLock { $0.jobs.popFirst() } }

    private func run(_ job: Job, on loop: EventLoop?) {
        switch job {
        case .call(let body): if let loop { body(loop) }
        case .task(let job, let executor): job.runSynchronously(on: executor)
        case .actor(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    func takeStopRequest() -> Bool {
        state.withLock { state in
            defer { state.stopRequested = false }
            return state.stopRequested
        }
    }

    func runBegins() {
        owner.store(UInt(pthread_self()), ordering: .relaxed)
        state.withLock { $0.accepts = true }
    }

    /// Accepts no more, and runs what waits by now. What tasks hand in meanwhile waits for the next run.
    func runEnds(of loop: EventLoop) {
        let waiting = state.withLock { state in
            state.accepts = false
            return state.jobs.count
        }
        for _ in 0..<waiting {
            guard let job = next() else { break }
            run(job, on: loop)
        }
        // In the next run nobody else might wake the loop for them.
        if state.withLock({ !$0.jobs.isEmpty }) { creactor_eventfd_signal(wakeDescriptor) }
        owner.store(0, ordering: .relaxed)
    }

    func close() {
        // Let go of outside the lock: what the jobs captured may have destructors that submit.
        let left = state.withLock { state in
            state.accepts = false
            state.isClosed = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in left {
            if case .call = job { continue }
            runElsewhere(job)
        }
    }
}
