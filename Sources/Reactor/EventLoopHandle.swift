import CReactorSystem
public import ConnectionHandling

/// The loop has stopped, or is gone: what was submitted will not run.
public struct EventLoopStopped: Error, CustomStringConvertible, Sendable {
    public init() {}
    public var description: String { "the event loop has stopped" }
}

/// What other threads may hold of a loop: they can hand it work, and stop it. `Sendable`; outlives its loop safely.
///
/// It is a `TaskExecutor`: `Task(executorPreference: loop.handle) { … }` runs on the loop's thread, and so do its child
/// tasks. ``unownedSerialExecutor`` pins an actor to the loop. No task is ever lost: between two runs of the loop tasks wait
/// for the next one, and once the loop is closed they run on another thread, one step at a time.
public final class EventLoopHandle: Sendable {
    let queue: LoopQueue

    init() throws(SystemError) { queue = try LoopQueue() }

    /// Has `job` run on the loop's thread, in the order submitted. May be called from any thread, the loop's included,
    /// and before the loop runs. What was accepted runs, even if the loop stops at the same moment.
    ///
    /// - Throws: ``EventLoopStopped`` once the loop has stopped, until it runs again.
    public func submit(_ job: @escaping @Sendable (EventLoop) -> Void) throws(EventLoopStopped) {
        if !queue.submit(job) { throw EventLoopStopped() }
    }

    /// As ``submit(_:)`` for answers that connections wait for: kept between two runs, dropped only once the loop, and
    /// with it whoever waits, is gone.
    func deliver(_ job: @escaping @Sendable (EventLoop) -> Void) { queue.deliver(job) }

    /// Makes ``EventLoop/run()`` return. Before the loop runs, it makes the next run return at once.
    public func stop() { queue.requestStop() }

    /// Pins an actor to the loop: its code runs on the loop's thread. The actor must keep the handle.
    ///
    /// ```swift
    /// actor Counter {
    ///     let loop: EventLoopHandle
    ///     nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedSerialExecutor }
    ///     …
    /// }
    /// ```
    public var unownedSerialExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }
}

extension EventLoopHandle: TaskExecutor, TaskStarter {
    public func enqueue(_ job: consuming ExecutorJob) { queue.enqueue(UnownedJob(job), of: asUnownedTaskExecutor()) }

    /// On the loop's thread.
    ///
    /// `Task.immediate(executorPreference:)` would be this, but in Swift 6.3 every task that it starts leaks.
    @discardableResult
    package func start(_ operation: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        queue.catchFirstStep()
        let task = Task.detached(executorPreference: self, operation: operation)
        queue.takeFirstStep()?.runSynchronously(on: asUnownedTaskExecutor())
        return task
    }
}
