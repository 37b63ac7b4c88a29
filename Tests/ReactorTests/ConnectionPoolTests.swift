import ConnectionHandling
import Glibc
import TestSupport
import Testing

@testable import Reactor

/// The pool on a loop, against servers that behave, and that do not.
@Suite(.timeLimit(.minutes(40))) struct ConnectionPoolTests {
    /// A pool and its loop, which runs until a test says that it is done.
    private final class Bench {
        let loop: EventLoop
        let server: ThreadedServer
        let counter = LiveCounter()
        var pool: ConnectionPool<LineCaller>?
        var failures: [PoolError] = []

        init(_ change: (inout PoolLimits) -> Void = { _ in }, options: ConnectOptions = .default) throws {
            loop = try EventLoop()
            server = try ThreadedServer()
            var limits = PoolLimits()
            change(&limits)
            let counter = counter
            pool = ConnectionPool(on: loop, limits: limits, options: options) { _ in LineCaller(countedBy: counter) }
        }

        var statistics: PoolStatistics { pool?.statistics ?? PoolStatistics() }

        func acquire(
            _ address: SocketAddress? = nil, within time: Duration? = nil,
            _ body: @escaping (consuming PoolLease<LineCaller>) -> Void
        ) {
            pool?.acquire(
                address ?? server.address, within: time, onFailure: { [unowned self] in failures.append($0) }, onLease: body)
        }

        /// Sends a line on a connection of the pool; the answer is empty if the connection closes first.
        func ask(_ line: String, then: @escaping (String) -> Void) {
            acquire { lease in
                let held = Held(lease)
                held.use { caller, connection in
                    caller.ask(line, on: &connection)
                    caller.onAnswer = { answer in
                        // In the middle of the handler's own call, as users will.
                        held.release()
                        then(answer)
                    }
                }
            }
        }

        /// Runs the loop until the condition holds.
        func run(until condition: @escaping () -> Bool) {
            let ticks = loop.every(.milliseconds(1)) { [loop] in if condition() { loop.stop() } }
            let limit = loop.after(.seconds(30)) { [loop] in
                Issue.record("the condition never held")
                loop.stop()
            }
            loop.run()
            ticks.cancel()
            limit.cancel()
        }

        deinit { loop.close() }
    }

    private final class Held {
        private var lease: PoolLease<LineCaller>?
        init(_ lease: consuming PoolLease<LineCaller>) { self.lease = consume lease }
        var isOpen: Bool {
            let isOpen = lease?.isOpen
            return isOpen ?? false
        }
        @discardableResult
        func use<Result>(_ body: (inout LineCaller, inout Connection) -> Result) -> Result? {
            lease?.withHandler(body) ?? nil
        }
        func release() { if let lease = lease.take() { lease.release() } }
        func drop() { lease = nil }
    }

    @Test func aConnectionIsUsedAgain() throws {
        let bench = try Bench()
        var answers: [String] = []
        for index in 0..<5 {
            bench.ask("line \(index)") { answers.append($0) }
            bench.run { answers.count == index + 1 && bench.statistics.idle == 1 }
        }
        #expect(answers == (0..<5).map { "line \($0)" })
        #expect(bench.statistics.connected == 1 && bench.statistics.reused == 4)
    }

    @Test func thoseBeyondTheLimitWaitInTurn() throws {
        let bench = try Bench { $0.maxConnectionsPerDestination = 2 }
        var answers: [String] = []
        for index in 0..<20 { bench.ask("\(index)") { answers.append($0) } }
        bench.run { answers.count == 20 }
        #expect(Set(answers).count == 20)
        #expect(bench.statistics.connected == 2)
        #expect(descriptorsConnected(to: bench.server.address) == 2)
    }

    @Test func aDroppedLeaseIsDiscarded() throws {
        let bench = try Bench { $0.maxConnectionsPerDestination = 1 }
        var answer: String?
        bench.acquire { _ in }
        bench.ask("next") { answer = $0 }
        bench.run { answer != nil }
        #expect(bench.statistics.connected == 2 && bench.statistics.lost == 1)
    }

    @Test func whatIsNotReusableIsClosed() throws {
        let bench = try Bench()
        var wasLeased = false
        bench.acquire { lease in
            _ = lease.withHandler { $0.ask("stall", on: &$1) }
            lease.release()
            wasLeased = true
        }
        bench.run { wasLeased && bench.statistics.leased == 0 }
        #expect(bench.statistics.idle == 0 && bench.statistics.lost == 1)
        #expect(bench.counter.alive == 0)
    }

    @Test(arguments: ["answer and close", "answer and speak"])
    func whatAnIdlePeerDoesEndsItsConnectionAtOnce(_ line: String) throws {
        let bench = try Bench()
        var answers: [String] = []
        bench.ask(line) { answers.append($0) }
        bench.run { answers == [line] && bench.statistics.lost == 1 }
        #expect(bench.statistics.idle == 0)
        bench.ask("next") { answers.append($0) }
        bench.run { answers.count == 2 }
        #expect(answers == [line, "next"], "nobody gets what was meant for another")
        #expect(bench.statistics.connected == 2)
    }

    @Test(arguments: ["vanish", "last"])
    func aConnectionThatEndsInUseIsGoneForItsUser(_ line: String) throws {
        let bench = try Bench()
        var held: Held?
        bench.acquire { lease in
            held = Held(lease)
            held?.use { $0.ask(line, on: &$1) }
        }
        bench.run { held != nil && held?.isOpen == false }
        #expect(held?.use { _, _ in true } == nil)
        held?.release()
        bench.run { bench.statistics.leased == 0 }
        #expect(bench.statistics.idle == 0 && bench.statistics.lost == 1)
    }

    @Test func aRefusalIsReported() throws {
        let bench = try Bench()
        let socket = try ListeningSocket(.loopback(port: 0))
        let address = socket.address
        _ = consume socket
        bench.acquire(address) { _ in Issue.record("nobody listens") }
        bench.run { !bench.failures.isEmpty }
        guard case .connectFailed(.system(let error)) = bench.failures.first else { return #expect(bench.failures == []) }
        #expect(error.errno == ECONNREFUSED && error.address == address)
        #expect(bench.statistics.connectFailures == 2)
    }

    @Test func waitingHasADeadline() throws {
        let bench = try Bench { $0.maxConnectionsPerDestination = 1 }
        var held: Held?
        bench.acquire { held = Held($0) }
        bench.acquire(within: .milliseconds(50)) { _ in Issue.record("there is only one") }
        bench.run { !bench.failures.isEmpty }
        #expect(bench.failures == [.waitedTooLong(lastFailure: nil)])
        held?.release()
    }

    @Test func theQueueIsBoundedAndSaysSoLater() throws {
        let bench = try Bench { $0.maxWaitingPerDestination = 2 }
        var leases = 0
        for _ in 0..<3 { bench.acquire { _ in leases += 1 } }
        #expect(bench.failures.isEmpty, "never from within the call")
        bench.run { leases == 2 }
        #expect(bench.failures == [.queueFull])
    }

    @Test func idleConnectionsExpire() throws {
        let bench = try Bench { $0.idleTime = .milliseconds(30) }
        var answer: String?
        bench.ask("once") { answer = $0 }
        bench.run { answer != nil && bench.statistics.retired == 1 }
        #expect(bench.counter.alive == 0)
        #expect(descriptorsConnected(to: bench.server.address) == 0)
    }

    @Test func aCancelledRequestHearsNothing() throws {
        let bench = try Bench()
        let ticket = bench.pool?.acquire(
            bench.server.address, onFailure: { _ in Issue.record("cancelled") }, onLease: { _ in Issue.record("cancelled") })
        if let ticket { bench.pool?.cancel(ticket) }
        var answer: String?
        bench.ask("another") { answer = $0 }
        bench.run { answer != nil }
    }

    @Test func aClosedPoolSaysSo() throws {
        let bench = try Bench { $0.maxConnectionsPerDestination = 1 }
        var held: Held?
        bench.acquire { held = Held($0) }
        bench.run { held != nil }
        bench.acquire { _ in Issue.record("closed") }
        bench.pool?.close()
        bench.acquire { _ in Issue.record("closed") }
        bench.run { bench.failures.count == 2 }
        #expect(bench.failures == [.closed, .closed])
        #expect(held?.isOpen == true, "what is in use is left alone")
        held?.release()
        bench.run { bench.counter.alive == 0 }
    }

    @Test func aPoolThatIsDroppedLeavesItsLeases() throws {
        let bench = try Bench()
        var held: Held?
        var answer: String?
        bench.acquire { held = Held($0) }
        bench.run { held != nil }
        bench.acquire { _ in }
        bench.pool = nil
        held?.use { caller, connection in
            caller.onAnswer = { answer = $0 }
            caller.ask("still here", on: &connection)
        }
        bench.run { answer != nil && bench.failures == [.closed] }
        held?.drop()
        bench.run { bench.counter.alive == 0 }
        #expect(descriptorsConnected(to: bench.server.address) == 0)
    }

    @Test(arguments: [true, false])
    func aLoopMayGoBeforeItsPoolAndLeases(_ closesFirst: Bool) throws {
        let counter = LiveCounter()
        let server = try ThreadedServer()
        var pool: ConnectionPool<LineCaller>?
        var held: [Held] = []
        do {
            let loop = try EventLoop()
            let made = ConnectionPool(on: loop) { _ in LineCaller(countedBy: counter) }
            pool = made
            for _ in 0..<3 {
                made.acquire(server.address, onFailure: { _ in }) { lease in
                    held.append(Held(lease))
                    if held.count == 3 { loop.stop() }
                }
            }
            loop.run()
            held[0].release()
            if closesFirst { loop.close() }
        }
        #expect(pool?.acquire(server.address, onFailure: { _ in }, onLease: { _ in }) == nil)
        #expect(held[1].use { _, _ in true } == nil)
        held.removeAll()
        pool = nil
        #expect(counter.alive == 0)
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    @Test func aLoopThatGoesWhileItsPoolConnectsLeavesNothing() throws {
        final class Probe {}
        weak var probe: Probe?
        // A Unix-domain listener whose backlog is full: the attempt stays under way.
        var options = ListenOptions()
        options.backlog = 0
        let socket = try ListeningSocket(.unix(path: "\0pool-\(getpid())"), options)
        let filling = try ConnectingSocket(socket.address, .default)
        try #require(filling.connect() == 0)
        do {
            let loop = try EventLoop()
            let object = Probe()
            probe = object
            let pool = ConnectionPool(on: loop) { [object] _ in
                _ = object
                return LineCaller()
            }
            pool.acquire(socket.address, onFailure: { _ in }, onLease: { _ in })
            loop.after(.milliseconds(20)) { loop.stop() }
            loop.run()
            #expect(pool.statistics.connecting == 1)
            loop.close()
        }
        #expect(probe == nil)
        _ = consume filling
    }

    @Test func tenThousandAcquisitionsLeaveNothing() throws {
        let bench = try Bench {
            $0.maxConnectionsPerDestination = 8
            $0.maxUses = 100
        }
        var done = 0
        var started = 0
        func next() {
            if started == 10_000 { return }
            started += 1
            let isDropped = started % 50 == 0
            if isDropped {
                bench.acquire { _ in
                    done += 1
                    next()
                }
            } else {
                bench.ask(started % 70 == 0 ? "last" : "line") { _ in
                    done += 1
                    next()
                }
            }
        }
        for _ in 0..<16 { next() }
        bench.run { done == 10_000 }
        #expect(bench.failures.isEmpty)
        #expect(bench.statistics.handedOut == 10_000)
        bench.pool = nil
        bench.run { bench.counter.alive == 0 }
        #expect(descriptorsConnected(to: bench.server.address) == 0)
    }
}
