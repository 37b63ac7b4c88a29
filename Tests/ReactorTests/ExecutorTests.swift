import ConnectionHandling
import Glibc
import ReactorWire
import Synchronization
import TestSupport
import Testing

@testable import Reactor

/// The loop's handle as a `TaskExecutor`, and actors pinned to the loop.
@Suite(.timeLimit(.minutes(40))) struct ExecutorTests {
    /// Somewhere for tasks to say what they saw.
    private final class Notes: Sendable {
        private let seen = Mutex<[String]>([])
        func add(_ note: String) { seen.withLock { $0.append(note) } }
        var all: [String] { seen.withLock { $0 } }
        func waitFor(_ count: Int) {
            for _ in 0..<10_000 where all.count < count { usleep(1_000) }
        }
    }

    private actor Pinned {
        let loop: EventLoopHandle
        private var threads: Set<UInt> = []
        private var inside = 0
        init(_ loop: EventLoopHandle) { self.loop = loop }
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.unownedSerialExecutor }
        func note() {
            inside += 1
            precondition(inside == 1)
            threads.insert(UInt(pthread_self()))
            inside -= 1
        }
        var seen: Set<UInt> { threads }
        /// Traps elsewhere.
        nonisolated func assertIsolation() { assumeIsolated { _ in } }
    }

    @concurrent private static func elsewhere() async -> UInt { UInt(pthread_self()) }

    /// What is suspended comes back to the loop's thread, and child tasks run there.
    @Test func tasksRunOnTheLoopsThread() throws {
        let loop = try EventLoop()
        let notes = Notes()
        let here = UInt(pthread_self())
        Task.detached(executorPreference: loop.handle) {
            notes.add("\(UInt(pthread_self()) == here)")
            try? await Task.sleep(for: .milliseconds(2))
            notes.add("\(UInt(pthread_self()) == here)")
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { await Self.elsewhere() == here } }
                for await result in group { notes.add("\(result)") }
            }
        }
        loop.run { notes.all.count == 6 }
        #expect(notes.all == Array(repeating: "true", count: 6))
    }

    @Test func anActorIsPinnedToTheLoop() throws {
        let loop = try EventLoop()
        // The callers' own thread: Swift's may all be in use by other tests.
        let elsewhere = try LoopThread { $0.handle }
        let actor = Pinned(loop.handle)
        let notes = Notes()
        for _ in 0..<4 {
            Task.detached(executorPreference: elsewhere.made) {
                for _ in 0..<100 { await actor.note() }
                notes.add("done")
            }
        }
        loop.run { notes.all.count == 4 }
        loop.after(.zero) { actor.assertIsolation() }
        let here = UInt(pthread_self())
        Task.detached(executorPreference: elsewhere.made) { notes.add("\(await actor.seen == [here])") }
        loop.run { notes.all.count == 5 }
        #expect(notes.all == ["done", "done", "done", "done", "true"])
    }

    /// A flood of tasks leaves the loop its timers: some run in each turn.
    @Test func tasksDoNotStarveTheLoop() throws {
        let loop = try EventLoop()
        let (enough, over) = (Notes(), Notes())
        Task.detached(executorPreference: loop.handle) {
            while enough.all.isEmpty { await Task.yield() }
            over.add("over")
        }
        var ticks = 0
        let timer = loop.every(.milliseconds(1)) {
            ticks += 1
            if ticks == 5 { enough.add("enough") }
        }
        loop.run { !over.all.isEmpty }
        timer.cancel()
        #expect(ticks >= 5 && over.all == ["over"])
    }

    /// Between two runs a task waits; it goes on in the next.
    @Test func aTaskWaitsForTheNextRun() throws {
        let loop = try EventLoop()
        let notes = Notes()
        let handle = loop.handle
        Task.detached(executorPreference: handle) {
            notes.add("first")
            handle.stop()
            await Task.yield()
            notes.add("second")
        }
        usleep(5_000)
        #expect(notes.all.isEmpty)
        loop.run()
        loop.run { notes.all.count == 2 }
        #expect(notes.all == ["first", "second"])
    }

    /// No task is lost with its loop: it ends elsewhere, and an actor's steps still do not overlap.
    @Test(arguments: [false, true])
    func tasksOutliveTheirLoop(hasRun: Bool) throws {
        let notes = Notes()
        var loop: EventLoop? = try EventLoop()
        let handle = try #require(loop).handle
        let actor = Pinned(handle)
        for _ in 0..<4 {
            Task.detached(executorPreference: handle) {
                await Task.yield()
                for _ in 0..<50 { await actor.note() }
                try? await Task.sleep(for: .milliseconds(1))
                notes.add("done")
            }
        }
        if hasRun {
            loop?.handle.stop()
            loop?.run()
        }
        loop = nil
        notes.waitFor(4)
        #expect(notes.all.count == 4)
        Task.detached(executorPreference: handle) { notes.add("late") }
        notes.waitFor(5)
        #expect(notes.all.count == 5)
    }

    /// Work that does not suspend is done when `start` returns; with what the compiler calls `@concurrent`, too.
    @Test func aTaskStartsHereAndNow() throws {
        let loop = try EventLoop()
        let notes = Notes()
        let here = UInt(pthread_self())
        loop.after(.zero) { [unowned loop] in
            loop.handle.start {
                let there = await Self.elsewhere()
                notes.add("\(there == here)")
            }
            notes.add("returned")
            loop.stop()
        }
        loop.run()
        #expect(notes.all == ["true", "returned"])
    }

    /// Nothing of a task that was started and has ended stays behind.
    @Test func startedTasksAreFreed() throws {
        final class Token: Sendable {
            let count: Notes
            init(_ count: Notes) { self.count = count }
            deinit { count.add("freed") }
        }
        let loop = try EventLoop()
        let notes = Notes()
        for _ in 0..<100 {
            let token = Token(notes)
            loop.handle.start { _ = token.count }
        }
        #expect(notes.all.count == 100)
    }
}
