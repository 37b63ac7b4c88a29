import Glibc
import Reactor
import Synchronization

/// The threads of a server, and which of them serve a connection now.
private final class ServingThreads: Sendable {
    private struct State {
        var serving: Set<pthread_t> = []
        var running = 0
    }
    private let state = Mutex(State())
    private let stopSignal: StopSignal

    init(_ stopSignal: StopSignal) { self.stopSignal = stopSignal }

    var running: Int { state.withLock { $0.running } }

    /// Starts a thread that counts as running until `body` returns.
    func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        state.withLock { $0.running += 1 }
        do {
            try startThread {
                body()
                self.state.withLock { $0.running -= 1 }
            }
        } catch {
            state.withLock { $0.running -= 1 }
            throw error
        }
    }

    /// Serves a connection on the calling thread, which can be interrupted meanwhile.
    func serve(_ accepted: Accepted) {
        let thread = pthread_self()
        state.withLock { _ = $0.serving.insert(thread) }
        accepted.serve(stopSignal: stopSignal)
        state.withLock { _ = $0.serving.remove(thread) }
    }

    /// Serves connections, one after another, on a thread of their own; drops them if there can be none.
    func start(serving connections: [Accepted]) {
        do {
            try start { connections.forEach(self.serve) }
        } catch {
            // These peers see their connections closed, those being served go on.
            for accepted in connections {
                accepted.drop()
                accepted.leave()
            }
        }
    }

    /// Waits until every thread has ended: `grace` at most, then their connections are cut off, and a second more.
    func finish(within grace: Duration) {
        let end = ContinuousClock.now + grace
        while running > 0 && ContinuousClock.now < end { interrupt() }
        stopSignal.cutOff()
        let last = ContinuousClock.now + .seconds(1)
        while running > 0 && ContinuousClock.now < last { interrupt() }
    }

    private func interrupt() {
        state.withLock { state in
            for thread in state.serving { pthread_kill(thread, Interruption.signal) }
        }
        usleep(UInt32(Interruption.interval) * 1_000)
    }
}

extension Server {
    /// A thread for each connection: this one accepts.
    func runThreadPerConnection() throws(SystemError) {
        try Interruption.enable()
        let threads = ServingThreads(stopSignal)
        let acceptor = try Acceptor(self, isMain: true)
        startBeside(threads)
        serving: while true {
            while threads.running >= options.maxPerConnectionWorkers && !waitForStop(milliseconds: 10) {}
            switch acceptor.next() {
            case .timedOut: continue
            case .stopped: break serving
            case .accepted(let accepted): threads.start(serving: [accepted])
            }
        }
        let room = options.maxPerConnectionWorkers - threads.running
        for share in shares(of: stopListening(), among: room) { threads.start(serving: share) }
        threads.finish(within: options.grace)
    }

    /// `count` threads, each of which accepts and serves one connection after another; this one waits to stop them.
    /// With one thread that is the iterative server.
    func runThreadPool(threads count: Int) throws(SystemError) {
        try Interruption.enable()
        let threads = ServingThreads(stopSignal)
        startBeside(threads)
        for _ in 0..<count {
            startOrFail(threads) {
                do throws(SystemError) { try Acceptor(self).acceptAll(threads.serve) } catch { self.fail(error) }
            }
        }
        while !waitForStop(milliseconds: -1) {}
        for share in shares(of: stopListening(), among: count) { threads.start(serving: share) }
        threads.finish(within: options.grace)
    }

    /// Starts what runs beside the connections: companions, and those who receive datagrams.
    private func startBeside(_ threads: ServingThreads) {
        let descriptor = stopSignal.descriptor
        for companion in companions { startOrFail(threads) { companion.run(descriptor) } }
        for receive in receivers { startOrFail(threads, receive) }
    }

    private func startOrFail(_ threads: ServingThreads, _ body: @escaping @Sendable () -> Void) {
        do throws(SystemError) { try threads.start(body) } catch { fail(error) }
    }
}
