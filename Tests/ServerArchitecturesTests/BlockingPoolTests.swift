import ConnectionHandling
import Glibc
import Reactor
import ServerArchitectures
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(40))) struct BlockingPoolTests {
    private func pool(
        countedBy counter: LiveCounter? = nil, _ change: (inout PoolLimits) -> Void = { _ in }
    ) -> BlockingConnectionPool<LineCaller> {
        var limits = PoolLimits()
        change(&limits)
        return BlockingConnectionPool(limits: limits) { _ in LineCaller(countedBy: counter) }
    }

    /// Sends a line and waits for what comes back.
    private func ask(
        _ line: String, _ pool: BlockingConnectionPool<LineCaller>, _ server: ThreadedServer
    ) throws -> String? {
        var lease = try pool.acquire(server.address)
        _ = lease.withHandler { $0.ask(line, on: &$1) }
        guard lease.serve(until: { $0.owed == 0 }, within: .seconds(20)) == .satisfied else { return nil }
        let answer = lease.withHandler { caller, _ in caller.last } ?? nil
        lease.release()
        return answer
    }

    @Test func aConnectionIsUsedAgain() throws {
        let server = try ThreadedServer()
        let pool = pool()
        for index in 0..<5 { #expect(try ask("line \(index)", pool, server) == "line \(index)") }
        #expect(pool.statistics.connected == 1 && pool.statistics.reused == 4)
    }

    @Test func aDroppedLeaseIsDiscarded() throws {
        let server = try ThreadedServer()
        let pool = pool { $0.maxConnectionsPerDestination = 1 }
        for _ in 0..<2 { _ = try pool.acquire(server.address) }
        #expect(pool.statistics.connected == 2 && pool.statistics.lost == 2)
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    @Test func whatIsNotReusableIsClosed() throws {
        let server = try ThreadedServer()
        let pool = pool()
        var lease = try pool.acquire(server.address)
        _ = lease.withHandler { $0.ask("stall", on: &$1) }
        lease.release()
        #expect(pool.statistics.idle == 0 && pool.statistics.lost == 1)
    }

    @Test(arguments: ["answer and close", "answer and speak"])
    func whatAnIdlePeerDidIsSeenWhenItsConnectionIsAskedFor(_ line: String) throws {
        let server = try ThreadedServer()
        let pool = pool()
        #expect(try ask(line, pool, server) == line)
        usleep(100_000)
        #expect(try ask("next", pool, server) == "next")
        #expect(pool.statistics.connected == 2 && pool.statistics.lost == 1)
    }

    @Test func aServerThatVanishesIsReported() throws {
        let server = try ThreadedServer()
        let pool = pool()
        #expect(try ask("vanish", pool, server) == nil)
        #expect(try ask("next", pool, server) == "next")
        server.stop()
        while descriptorsConnected(to: server.address) > 0, (try? ask("next", pool, server)) != nil {}
        let error = #expect(throws: PoolError.self) { _ = try pool.acquire(server.address) }
        guard case .connectFailed(.system(let reason)) = error else { return #expect(error == nil) }
        #expect(reason.errno == ECONNREFUSED)
    }

    @Test func waitingHasADeadline() throws {
        let server = try ThreadedServer()
        let pool = pool { $0.maxConnectionsPerDestination = 1 }
        let lease = try pool.acquire(server.address)
        let started = ContinuousClock.now
        #expect(throws: PoolError.waitedTooLong(lastFailure: nil)) {
            _ = try pool.acquire(server.address, within: .milliseconds(50))
        }
        #expect(ContinuousClock.now - started >= .milliseconds(50))
        lease.release()
        #expect(try ask("next", pool, server) == "next")
    }

    @Test func whoWaitsGetsWhatIsGivenBack() throws {
        let server = try ThreadedServer()
        let pool = pool { $0.maxConnectionsPerDestination = 1 }
        let lease = try pool.acquire(server.address)
        let answer = SharedAnswer()
        try startThread {
            let received = try? self.ask("waited", pool, server)
            answer.value.withLock { $0 = received ?? "nothing" }
        }
        while pool.statistics.waiting == 0 { usleep(1_000) }
        lease.release()
        while answer.value.withLock({ $0 == nil }) { usleep(1_000) }
        #expect(answer.value.withLock { $0 } == "waited")
        #expect(pool.statistics.connected == 1)
    }

    @Test func closingWakesThoseWhoWait() throws {
        let server = try ThreadedServer()
        let pool = pool { $0.maxConnectionsPerDestination = 1 }
        let lease = try pool.acquire(server.address)
        try startThread {
            while pool.statistics.waiting == 0 { usleep(1_000) }
            pool.close()
        }
        #expect(throws: PoolError.closed) { _ = try pool.acquire(server.address) }
        #expect(throws: PoolError.closed) { _ = try pool.acquire(server.address) }
        lease.release()
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    @Test func idleConnectionsExpire() throws {
        let server = try ThreadedServer()
        let pool = pool { $0.idleTime = .milliseconds(20) }
        #expect(try ask("once", pool, server) == "once")
        usleep(40_000)
        pool.closeExpired()
        #expect(pool.statistics.retired == 1)
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    @Test func tenThousandAcquisitionsFromManyThreadsLeaveNothing() throws {
        let server = try ThreadedServer()
        let counter = LiveCounter()
        let tally = Tally()
        do {
            let pool = pool(countedBy: counter) {
                $0.maxConnectionsPerDestination = 4
                $0.maxUses = 100
            }
            for thread in 0..<8 {
                try startThread {
                    for index in 0..<1_250 {
                        if index % 50 == 0 {
                            if (try? pool.acquire(server.address)) != nil { tally.done.add(1, ordering: .relaxed) }
                        } else if (try? self.ask("\(thread)-\(index)", pool, server)) == "\(thread)-\(index)" {
                            tally.done.add(1, ordering: .relaxed)
                        }
                    }
                    tally.ended.add(1, ordering: .releasing)
                }
            }
            while tally.ended.load(ordering: .acquiring) < 8 { usleep(5_000) }
            #expect(tally.done.load(ordering: .relaxed) == 10_000)
            #expect(pool.statistics.handedOut == 10_000)
            pool.close()
        }
        for _ in 0..<1_000 where counter.alive > 0 { usleep(1_000) }
        #expect(counter.alive == 0)
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    private final class Tally: Sendable {
        let done = Atomic(0)
        let ended = Atomic(0)
    }

    private final class SharedAnswer: Sendable {
        let value = Mutex<String?>(nil)
    }
}
