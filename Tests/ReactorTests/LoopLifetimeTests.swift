import ConnectionHandling
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Reactor

/// What callbacks may do to the loop that calls them.
@Suite(.timeLimit(.minutes(40))) struct LoopLifetimeTests {
    /// Runs its closure when bytes come.
    private struct Calling: ConnectionHandler {
        let body: (inout Connection) -> Void
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            body(&connection)
            return bytes.byteCount
        }
    }

    private final class Cancels {
        let timer: Watcher
        init(_ timer: Watcher) { self.timer = timer }
        deinit { timer.cancel() }
    }

    private struct Owning: ConnectionHandler {
        let cancels: Cancels
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    /// Runs the loop until a client thread, given the address, has returned.
    private func run(_ loop: EventLoop, _ address: SocketAddress, _ client: @escaping @Sendable (SocketAddress) throws -> Void) {
        let handle = loop.handle
        pthreadRun {
            try? client(address)
            handle.stop()
        }
        loop.run()
    }

    /// Its callback holds the loop; between two runs no turn ends that would let go of it.
    @Test func aWatcherThatIsCancelledBetweenRunsIsGone() throws {
        weak var gone: EventLoop?
        do {
            let loop = try EventLoop()
            gone = loop
            let timer = loop.every(.milliseconds(1)) { [loop] in loop.stop() }
            loop.run()
            timer.cancel()
        }
        #expect(gone == nil)
    }

    @Test func aHandlerMayOwnWhatCancelsAWatcher() throws {
        let loop = try EventLoop()
        let listener = try loop.listen(on: "127.0.0.1:0") { Owning(cancels: Cancels(loop.every(.seconds(60)) {})) }
        run(loop, listener.address) { address in
            for _ in 0..<20 {
                let client = try TestClient(address)
                client.send("x")
                client.endOutput()
                _ = client.receiveToEnd()
            }
            usleep(20_000)
        }
        loop.close()
    }

    @Test func aHandlerMayCloseItsLoop() throws {
        let loop = try EventLoop()
        let listener = try loop.listen(on: "127.0.0.1:0") {
            Calling { connection in
                connection.write("bye")
                loop.close()
            }
        }
        let received = Mutex("")
        run(loop, listener.address) { address in
            let client = try TestClient(address)
            client.send("x")
            let text = client.receiveToEnd().text
            received.withLock { $0 = text }
        }
        for _ in 0..<500 where received.withLock({ $0.isEmpty }) { usleep(10_000) }
        #expect(received.withLock { $0 } == "bye")
        #expect(loop.statistics.openConnections == 0)
    }

    @Test func aHandlerMayShutItsLoopDown() throws {
        let loop = try EventLoop()
        let listener = try loop.listen(on: "127.0.0.1:0") {
            Calling { connection in
                connection.write("bye")
                loop.shutDown(within: .seconds(5))
            }
        }
        let received = Mutex("")
        let started = ContinuousClock.now
        run(loop, listener.address) { address in
            let client = try TestClient(address)
            client.send("x")
            let text = client.receiveToEnd().text
            received.withLock { $0 = text }
        }
        #expect(ContinuousClock.now - started < .seconds(4), "it ends with the last connection, not with the grace period")
        for _ in 0..<500 where received.withLock({ $0.isEmpty }) { usleep(10_000) }
        #expect(received.withLock { $0 } == "bye")
        loop.close()
    }

    @Test func theGracePeriodOfOneRunDoesNotReachTheNext() throws {
        let loop = try EventLoop()
        loop.shutDown(within: .milliseconds(50))
        loop.run()
        let listener = try loop.listen(on: "127.0.0.1:0") { EchoHandler() }
        let answered = Mutex(false)
        run(loop, listener.address) { address in
            let client = try TestClient(address)
            usleep(150_000)
            client.send("x")
            let text = client.receive(count: 1)
            answered.withLock { $0 = text == "x" }
        }
        #expect(answered.withLock { $0 })
        loop.close()
    }

    /// Awaits an answer that comes while the loop does not run.
    private struct Awaiting: ConnectionHandler {
        let loop: EventLoop
        var answer: Awaited<String>?
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            answer = connection.perform {
                usleep(50_000)
                return "answer"
            }
            loop.stop()
            return bytes.byteCount
        }
        mutating func answered(on connection: inout Connection) {
            if case .success(let text) = answer?.take() { connection.write(text) }
        }
    }

    @Test func anAnswerThatComesBetweenTwoRunsIsKept() throws {
        let loop = try EventLoop()
        let listener = try loop.listen(on: "127.0.0.1:0") { Awaiting(loop: loop) }
        let client = try TestClient(listener.address)
        client.send("x")
        loop.run()
        usleep(150_000)
        loop.after(.milliseconds(100)) { loop.stop() }
        loop.run()
        #expect(client.receive(count: 6) == "answer")
        loop.close()
    }

    @Test func offloadedWorkMaySubmitMoreAsItIsLetGo() throws {
        final class Submits: Sendable {
            let pool: OffloadPool
            let done: Mutex<Bool>
            init(_ pool: OffloadPool) {
                self.pool = pool
                done = Mutex(false)
            }
            deinit { pool.run {} }
        }
        let pool = OffloadPool(maxThreads: 1)
        let ran = Mutex(0)
        for _ in 0..<100 {
            let submits = Submits(pool)
            pool.run {
                _ = submits.done.withLock { $0 }
                ran.withLock { $0 += 1 }
            }
        }
        for _ in 0..<500 where ran.withLock({ $0 }) < 100 { usleep(10_000) }
        #expect(ran.withLock { $0 } == 100)
    }

    @Test func closedLoopsLeaveNothingBehind() throws {
        final class Probe: Sendable {}
        weak var probe: Probe?
        do {
            let loop = try EventLoop()
            let object = Probe()
            probe = object
            loop.every(.seconds(60)) { _ = (loop, object) }
            loop.offload({ usleep(20_000) }) { _ in _ = (loop, object) }
            try loop.listen(on: "127.0.0.1:0") { [object] in Calling { _ in _ = (loop, object) } }
            loop.close()
        }
        for _ in 0..<100 where probe != nil { usleep(10_000) }
        #expect(probe == nil)
    }
}
