import Glibc
import Reactor
import Synchronization

/// The threads that serve connections now, and the sockets they serve.
private final class ServingThreads: Sendable {
    private struct State {
        var serving: [Int: (thread: pthread_t, fd: CInt)] = [:]
        var lastKey = 0
        var running = 0
    }
    private let state = Mutex(State())

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
    func serve(_ accepted: Acceptor.Accepted, stopSignal: StopSignal) {
        let thread = pthread_self()
        let key = state.withLock { state in
            state.lastKey += 1
            state.serving[state.lastKey] = (thread, accepted.fd)
            return state.lastKey
        }
        accepted.serve(stopSignal: stopSignal) { state.withLock { $0.serving[key] = nil } }
    }

    /// Waits until every thread has ended: `grace` at most, then their sockets are shut down, and a second more.
    func finish(within grace: Duration) {
        let end = ContinuousClock.now + grace
        while running > 0 && ContinuousClock.now < end { interrupt() }
        state.withLock { state in
            for (_, fd) in state.serving.values { shutdown(fd, CInt(SHUT_RDWR)) }
        }
        let last = ContinuousClock.now + .seconds(1)
        while running > 0 && ContinuousClock.now < last { interrupt() }
    }

    private func interrupt() {
        state.withLock { state in
            for (thread, _) in state.serving.values { pthread_kill(thread, Interruption.signal) }
        }
        usleep(UInt32(Interruption.interval) * 1_000)
    }
}

extension Server {
    /// A thread for each connection: this one accepts.
    func runThreadPerConnection() throws(SystemError) {
        try Interruption.enable()
        let threads = ServingThreads()
        try startCompanionThreads(threads)
        var acceptor = try Acceptor(self)
        let stopSignal = stopSignal
        serving: while true {
            while threads.running >= options.maxPerConnectionWorkers && !stopSignal.wait(milliseconds: 10) {}
            switch acceptor.next() {
            case .timedOut: continue
            case .stopped: break serving
            case .accepted(let accepted):
                do {
                    try threads.start { threads.serve(accepted, stopSignal: stopSignal) }
                } catch {
                    // No thread can be had now: this peer sees its connection closed, those being served go on.
                    close(accepted.fd)
                }
            }
        }
        closeListeners()
        threads.finish(within: options.grace)
    }

    /// `threads` threads, each of which accepts and serves one connection after another; this one waits to stop them.
    /// With one thread that is the iterative server.
    func runThreadPool(threads count: Int) throws(SystemError) {
        try Interruption.enable()
        let threads = ServingThreads()
        try startCompanionThreads(threads)
        for _ in 0..<count {
            try threads.start {
                do throws(SystemError) {
                    var acceptor = try Acceptor(self)
                    acceptor.acceptAll { threads.serve($0, stopSignal: self.stopSignal) }
                } catch {
                    self.fail(error)
                }
            }
        }
        while !stopSignal.wait(milliseconds: -1) {}
        threads.finish(within: options.grace)
        closeListeners()
    }

    private func startCompanionThreads(_ threads: ServingThreads) throws(SystemError) {
        let descriptor = stopSignal.descriptor
        for companion in companions { try threads.start { companion.run(descriptor) } }
    }
}
