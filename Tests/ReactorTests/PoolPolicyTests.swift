import ConnectionHandling
import Glibc
import Testing

@testable import Reactor

/// A policy on a virtual clock, with a driver that performs nothing and remembers all.
struct PolicyBench {
    var policy: PoolPolicy
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var connecting: [(place: PoolPlace, to: SocketAddress)] = []
    var handedOut: [(place: PoolPlace, to: PoolTicket)] = []
    var closed: [PoolPlace] = []
    var failed: [(ticket: PoolTicket, error: PoolError)] = []

    init(_ change: (inout PoolLimits) -> Void = { _ in }) {
        var limits = PoolLimits()
        change(&limits)
        policy = PoolPolicy(limits)
    }

    mutating func drain() {
        while let action = policy.nextAction(at: now) {
            switch action {
            case .connect(let place, let address): connecting.append((place, address))
            case .handOut(let place, let ticket): handedOut.append((place, ticket))
            case .close(let place): closed.append(place)
            case .fail(let ticket, let error): failed.append((ticket, error))
            }
        }
    }

    mutating func acquire(_ address: SocketAddress, within time: Duration = .seconds(10)) throws -> PoolTicket {
        defer { drain() }
        return try policy.acquire(address, until: now.advanced(by: time))
    }

    /// The oldest attempt succeeds.
    mutating func connect() throws -> PoolPlace {
        let place = try #require(connecting.first).place
        connecting.removeFirst()
        let isWanted = policy.connected(place, at: now)
        #expect(isWanted)
        drain()
        return place
    }

    mutating func refuse() throws {
        let place = try #require(connecting.first).place
        connecting.removeFirst()
        policy.connectFailed(place, refusal, at: now)
        drain()
    }

    /// A connection that was acquired.
    mutating func lease(_ address: SocketAddress) throws -> PoolPlace {
        _ = try acquire(address)
        if !connecting.isEmpty { _ = try connect() }
        let last = handedOut.popLast()
        return try #require(last).place
    }

    mutating func release(_ place: PoolPlace) {
        policy.released(place, at: now)
        drain()
    }

    mutating func lose(_ place: PoolPlace) {
        policy.closed(place)
        drain()
    }

    mutating func advance(by duration: Duration) {
        let end = now.advanced(by: duration)
        while policy.deadline <= end {
            now = max(now, policy.deadline)
            drain()
        }
        now = end
        drain()
    }
}

let refusal = ConnectFailure.system(SystemError("connect", errno: ECONNREFUSED))
private let here = SocketAddress.loopback(port: 1)
private let there = SocketAddress.loopback(port: 2)
private let elsewhere = SocketAddress.loopback(port: 3)

@Suite struct PoolPolicyTests {
    @Test(arguments: [1, 2, 3, 16])
    func aDestinationHasItsLimitAndNoMore(_ limit: Int) throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = limit }
        for _ in 0..<limit + 1 { _ = try bench.acquire(here) }
        #expect(bench.connecting.count == limit, "attempts count as connections")
        for _ in 0..<limit { _ = try bench.connect() }
        #expect(bench.handedOut.count == limit)
        #expect(bench.connecting.isEmpty)
        bench.release(bench.handedOut[0].place)
        #expect(bench.handedOut.count == limit + 1, "who waited has the one that was given back")
        #expect(bench.policy.statistics.reused == 1)
    }

    @Test(arguments: [1, 2, 5])
    func allDestinationsShareALimit(_ limit: Int) throws {
        var bench = PolicyBench { $0.maxConnections = limit }
        let destinations = (0...limit).map { SocketAddress.loopback(port: UInt16($0 + 1)) }
        for destination in destinations { _ = try bench.acquire(destination) }
        #expect(bench.connecting.map(\.to) == Array(destinations.prefix(limit)))
        for _ in 0..<limit { _ = try bench.connect() }
        bench.lose(bench.handedOut[0].place)
        #expect(bench.connecting.map(\.to) == [destinations[limit]], "the place that was left goes to who waited longest")
    }

    @Test func anIdleConnectionMakesRoomForAnotherDestination() throws {
        var bench = PolicyBench { $0.maxConnections = 2 }
        let first = try bench.lease(here)
        let second = try bench.lease(there)
        bench.release(second)
        bench.advance(by: .seconds(1))
        bench.release(first)
        _ = try bench.acquire(elsewhere)
        #expect(bench.closed == [second], "the least recently used")
        #expect(bench.connecting.map(\.to) == [elsewhere])
    }

    @Test func aDestinationWithoutAnyPlaceIsNotPassedByForEver() throws {
        var bench = PolicyBench { $0.maxConnections = 1 }
        var place = try bench.lease(here)
        _ = try bench.acquire(here)
        let late = try bench.acquire(there)
        _ = try bench.acquire(here)
        bench.release(place)
        place = try #require(bench.handedOut.last).place
        #expect(bench.connecting.isEmpty, "here waited longer than there")
        bench.release(place)
        #expect(bench.closed == [place], "now there has waited longer")
        #expect(bench.connecting.map(\.to) == [there])
        _ = try bench.connect()
        #expect(bench.handedOut.last?.to == late)
    }

    @Test func theMostRecentlyUsedIsHandedOutFirstAndTheRestExpire() throws {
        var bench = PolicyBench { $0.idleTime = .seconds(60) }
        let places = try (0..<3).map { _ in try bench.lease(here) }
        for place in places {
            bench.release(place)
            bench.advance(by: .seconds(1))
        }
        for _ in 0..<56 {
            let again = try bench.lease(here)
            #expect(again == places[2])
            bench.release(places[2])
            bench.advance(by: .seconds(1))
        }
        #expect(bench.closed == [])
        bench.advance(by: .seconds(1))
        #expect(bench.closed == [places[0]], "after sixty seconds, to the second")
        bench.advance(by: .seconds(1))
        #expect(bench.closed == [places[0], places[1]])
        #expect(bench.policy.statistics.idle == 1)
    }

    @Test func anOldConnectionIsClosedOnceNobodyUsesIt() throws {
        var bench = PolicyBench {
            $0.lifetime = .seconds(100)
            $0.idleTime = .seconds(1_000)
        }
        let idle = try bench.lease(here)
        let used = try bench.lease(here)
        bench.release(idle)
        bench.advance(by: .milliseconds(99_999))
        #expect(bench.closed == [])
        bench.advance(by: .milliseconds(1))
        #expect(bench.closed == [idle])
        bench.release(used)
        #expect(bench.closed == [idle, used])
    }

    @Test(arguments: [1, 2, 7])
    func aConnectionIsUsedSoOften(_ uses: Int) throws {
        var bench = PolicyBench { $0.maxUses = uses }
        let place = try bench.lease(here)
        for _ in 1..<uses {
            bench.release(place)
            let again = try bench.lease(here)
            #expect(again == place)
        }
        bench.release(place)
        #expect(bench.closed == [place])
        let fresh = try bench.lease(here)
        #expect(fresh != place)
    }

    @Test func thoseWhoWaitAreServedInTurn() throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = 1 }
        let place = try bench.lease(here)
        let tickets = try (0..<5).map { _ in try bench.acquire(here) }
        for ticket in tickets {
            bench.release(place)
            #expect(bench.handedOut.last?.to == ticket)
        }
    }

    @Test func whoGetsAConnectionIsNotWhoseAttemptItWas() throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = 2 }
        let place = try bench.lease(here)
        let ticket = try bench.acquire(here)
        bench.release(place)
        #expect(bench.handedOut.last?.to == ticket, "what is given back is there before the attempt ends")
        _ = try bench.connect()
        #expect(bench.policy.statistics.idle == 1)
    }

    @Test func aTakenBackTicketIsFirstAgain() throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = 1 }
        let place = try bench.lease(here)
        let first = try bench.acquire(here)
        let second = try bench.acquire(here)
        bench.release(place)
        #expect(bench.handedOut.last?.to == first)
        bench.policy.takeBack(first, for: here, until: bench.now.advanced(by: .seconds(10)), insteadOf: place)
        bench.drain()
        let next = try bench.connect()
        #expect(bench.handedOut.last?.to == first)
        bench.release(next)
        #expect(bench.handedOut.last?.to == second)
    }

    @Test(arguments: [1, 2, 3])
    func theQueueIsBounded(_ limit: Int) throws {
        var bench = PolicyBench { $0.maxWaitingPerDestination = limit }
        for _ in 0..<limit { _ = try bench.acquire(here) }
        #expect(throws: PoolError.queueFull) { try bench.acquire(here) }
        _ = try bench.acquire(there)
        #expect(bench.policy.statistics.refused == 1)
    }

    @Test func allQueuesTogetherAreBounded() throws {
        var bench = PolicyBench { $0.maxWaiting = 2 }
        _ = try bench.acquire(here)
        _ = try bench.acquire(there)
        #expect(throws: PoolError.queueFull) { try bench.acquire(elsewhere) }
        _ = try bench.connect()
        _ = try bench.acquire(elsewhere)
    }

    @Test func waitingEndsAtItsDeadline() throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = 1 }
        _ = try bench.lease(here)
        let patient = try bench.acquire(here, within: .seconds(3))
        let hasty = try bench.acquire(here, within: .seconds(1))
        bench.advance(by: .milliseconds(999))
        #expect(bench.failed.isEmpty)
        bench.advance(by: .milliseconds(1))
        #expect(bench.failed.map(\.ticket) == [hasty])
        bench.advance(by: .seconds(2))
        #expect(bench.failed.map(\.ticket) == [hasty, patient])
        #expect(bench.failed.allSatisfy { $0.error == .waitedTooLong(lastFailure: nil) })
        #expect(bench.policy.statistics.timedOut == 2)
    }

    @Test func aCancelledTicketIsForgotten() throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = 1 }
        let place = try bench.lease(here)
        let first = try bench.acquire(here)
        let second = try bench.acquire(here)
        bench.policy.cancel(first)
        bench.policy.cancel(first)
        bench.drain()
        bench.release(place)
        #expect(bench.handedOut.last?.to == second)
        #expect(bench.policy.statistics.waiting == 0)
    }

    // MARK: Failures

    @Test(arguments: [1, 2, 4])
    func whoWaitsGetsTheErrorAfterSoManyAttempts(_ attempts: Int) throws {
        var bench = PolicyBench {
            $0.connectAttempts = attempts
            $0.backOff = .milliseconds(100)
        }
        let ticket = try bench.acquire(here)
        for attempt in 1..<attempts {
            try bench.refuse()
            #expect(bench.failed.isEmpty && bench.connecting.isEmpty)
            bench.advance(by: .milliseconds(100 << (attempt - 1)))
            #expect(bench.connecting.count == 1)
        }
        try bench.refuse()
        #expect(bench.failed.map(\.ticket) == [ticket])
        #expect(bench.failed.first?.error == .connectFailed(refusal))
    }

    @Test func attemptsAtTheSameTimeFailAsOne() throws {
        var bench = PolicyBench()
        for _ in 0..<4 { _ = try bench.acquire(here) }
        for _ in 0..<4 { try bench.refuse() }
        #expect(bench.failed.isEmpty, "one round of two")
        bench.advance(by: .milliseconds(100))
        #expect(bench.connecting.count == 1, "one attempt at a time until one succeeds")
        _ = try bench.connect()
        #expect(bench.connecting.count == 3, "and then all that are needed")
    }

    @Test func thePauseDoublesUpToItsLimit() throws {
        var bench = PolicyBench {
            $0.backOff = .milliseconds(100)
            $0.maxBackOff = .milliseconds(350)
            $0.connectAttempts = 1
        }
        for pause in [100, 200, 350, 350] {
            _ = try bench.acquire(here)
            try bench.refuse()
            _ = try bench.acquire(here)
            bench.advance(by: .milliseconds(pause - 1))
            #expect(bench.connecting.isEmpty)
            bench.advance(by: .milliseconds(1))
            #expect(bench.connecting.count == 1)
        }
    }

    @Test func failuresAreForgotten() throws {
        var bench = PolicyBench { $0.connectAttempts = 1 }
        for _ in 0..<2 {
            _ = try bench.acquire(here)
            try bench.refuse()
            bench.advance(by: .seconds(11))
        }
        #expect(bench.policy.destinations.isEmpty)
        _ = try bench.acquire(here)
        try bench.refuse()
        _ = try bench.acquire(here)
        bench.advance(by: .milliseconds(100))
        #expect(bench.connecting.count == 1, "the shortest pause again")
    }

    @Test func connectionsInUseAreWaitedForThoughNoMoreCanBeMade() throws {
        var bench = PolicyBench { $0.connectAttempts = 1 }
        let place = try bench.lease(here)
        let ticket = try bench.acquire(here)
        try bench.refuse()
        #expect(bench.failed.isEmpty)
        bench.release(place)
        #expect(bench.handedOut.last?.to == ticket)
    }

    @Test func theLastConnectionToGoLeavesTheError() throws {
        var bench = PolicyBench { $0.connectAttempts = 1 }
        let place = try bench.lease(here)
        _ = try bench.acquire(here)
        try bench.refuse()
        bench.lose(place)
        #expect(bench.failed.map(\.error) == [.connectFailed(refusal)])
    }

    @Test func aTimeOutSaysWhatFailedBefore() throws {
        var bench = PolicyBench()
        _ = try bench.acquire(here, within: .milliseconds(50))
        try bench.refuse()
        bench.advance(by: .milliseconds(50))
        #expect(bench.failed.map(\.error) == [.waitedTooLong(lastFailure: refusal)])
    }

    @Test func aServerThatAcceptsAndClosesIsNotHammered() throws {
        var bench = PolicyBench()
        _ = try bench.acquire(here)
        for _ in 0..<2 {
            let attempt = bench.connecting.popLast()
            let place = try #require(attempt).place
            let isWanted = bench.policy.connected(place, at: bench.now)
            #expect(isWanted)
            bench.lose(place)
            #expect(bench.connecting.isEmpty)
            bench.advance(by: .milliseconds(100))
        }
        #expect(bench.failed.map(\.error) == [.connectFailed(.lostAtOnce(here))])
    }

    @Test func oneDestinationsPauseIsNotAnothers() throws {
        var bench = PolicyBench { $0.maxConnections = 1 }
        _ = try bench.acquire(here)
        try bench.refuse()
        _ = try bench.acquire(there)
        #expect(bench.connecting.map(\.to) == [there])
    }

    // MARK: Ending

    @Test func closingTellsAllAndLeavesNothing() throws {
        var bench = PolicyBench { $0.maxConnectionsPerDestination = 2 }
        let used = try bench.lease(here)
        let idle = try bench.lease(there)
        bench.release(idle)
        _ = try bench.acquire(here)
        let waiting = try bench.acquire(here)
        let attempt = try #require(bench.connecting.first).place
        bench.policy.close()
        bench.drain()
        #expect(Set(bench.closed) == [idle, attempt])
        #expect(bench.failed.last?.ticket == waiting)
        #expect(bench.failed.allSatisfy { $0.error == .closed })
        let isWanted = bench.policy.connected(attempt, at: bench.now)
        #expect(!isWanted, "what comes too late is not taken")
        #expect(throws: PoolError.closed) { try bench.acquire(here) }
        #expect(!bench.policy.isDrained)
        bench.release(used)
        #expect(bench.closed.last == used)
        #expect(bench.policy.isDrained)
    }

    @Test func whatIsGoneCanBeReportedAgain() throws {
        var bench = PolicyBench()
        let place = try bench.lease(here)
        bench.lose(place)
        bench.lose(place)
        bench.release(place)
        bench.policy.connectFailed(place, refusal, at: bench.now)
        bench.drain()
        #expect(bench.policy.statistics.lost == 1)
        #expect(bench.policy.places.isEmpty && bench.policy.destinations.isEmpty)
    }

    @Test func timersOfWhatHasGoneDoNotPileUp() throws {
        var bench = PolicyBench { $0.maxUses = .max }
        for _ in 0..<10_000 { bench.release(try bench.lease(here)) }
        #expect(bench.policy.timerCount < 200)
        #expect(bench.handedOut.isEmpty && bench.policy.places.count == 1)
    }
}
