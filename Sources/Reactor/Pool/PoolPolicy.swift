package import ConnectionHandling
import DequeModule
import HeapModule

/// Who gets which connection, when one is made, and when it is closed: the rules of a pool, with no I/O and no clock.
///
/// A driver reports what happened, with the time, and then performs what ``nextAction(at:)`` says until it says nothing
/// more; it comes back at the ``deadline``. The state is the three tables below; what must be done next is always derived
/// from them, so that nothing decided earlier can have become wrong.
package struct PoolPolicy: Sendable {
    package enum Action: Equatable, Sendable {
        case connect(PoolPlace, SocketAddress)
        case handOut(PoolPlace, PoolTicket)
        /// Close the connection, or give up the attempt to make it. The pool has forgotten it.
        case close(PoolPlace)
        case fail(PoolTicket, PoolError)
    }

    struct Place {
        enum Phase { case connecting, idle, leased }
        let destination: SocketAddress
        var phase = Phase.connecting
        /// The destination's ``Destination/round`` when the attempt began.
        let round: Int
        var opened = MonotonicTime.distantFuture
        var idleSince = MonotonicTime.distantFuture
        var uses = 0
        /// The moment for which a timer is set. A later deadline leaves it alone: it is set again when it passes.
        var timer = MonotonicTime.distantFuture
    }

    struct Waiter {
        let destination: SocketAddress
        let deadline: MonotonicTime
        /// The destination's ``Destination/round`` when it began to wait.
        let round: Int
    }

    struct Destination {
        /// In the order of their tickets.
        var waiting: Deque<PoolTicket> = []
        /// The most recently used last.
        var idle: Deque<PoolPlace> = []
        var connecting = 0
        var leased = 0
        /// Counts failures to connect; attempts that ran at the same time count as one.
        var round = 0
        /// Of these, how many since the last success.
        var failures = 0
        var lastFailure: ConnectFailure?
        var notBefore = MonotonicTime(nanoseconds: 0)
        var forgetAt = MonotonicTime(nanoseconds: 0)
        /// It is in ``attention``.
        var isListed = false

        var places: Int { connecting + idle.count + leased }
    }

    package let limits: PoolLimits
    package internal(set) var statistics = PoolStatistics()
    var now = MonotonicTime(nanoseconds: 0)
    var places: [PoolPlace: Place] = [:]
    var waiters: [PoolTicket: Waiter] = [:]
    var destinations: [SocketAddress: Destination] = [:]
    /// Destinations where something has changed.
    var attention: Deque<SocketAddress> = []
    /// Destinations that wait for a place, all being taken.
    var starved: Set<SocketAddress> = []
    /// Decided, and about what the tables no longer hold.
    var due: Deque<Action> = []
    var timers = Heap<PoolTimer>()
    private var isClosed = false
    private var lastNumber: UInt64 = 0

    package init(_ limits: PoolLimits) {
        limits.check()
        self.limits = limits
    }

    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    // MARK: What happened

    /// Somebody wants a connection. Its ticket comes back in one ``Action/handOut(_:_:)`` or ``Action/fail(_:_:)``.
    package mutating func acquire(
        _ destination: SocketAddress, until deadline: MonotonicTime
    ) throws(PoolError) -> PoolTicket {
        if isClosed { throw .closed }
        let ahead = destinations[destination]?.waiting.count ?? 0
        guard waiters.count < limits.maxWaiting, ahead < limits.maxWaitingPerDestination else {
            statistics.refused += 1
            throw .queueFull
        }
        let ticket = PoolTicket(number: nextNumber())
        enqueue(ticket, destination, deadline)
        return ticket
    }

    /// Who drew the ticket wants nothing more.
    package mutating func cancel(_ ticket: PoolTicket) { removeWaiter(ticket) }

    /// The attempt succeeded. False if it is no longer wanted: the connection is the driver's to close.
    package mutating func connected(_ place: PoolPlace, at time: MonotonicTime) -> Bool {
        advance(to: time)
        guard let entry = places[place], entry.phase == .connecting else { return false }
        places[place]?.opened = now
        statistics.connected += 1
        makeIdle(place)
        return true
    }

    package mutating func connectFailed(_ place: PoolPlace, _ error: ConnectFailure, at time: MonotonicTime) {
        advance(to: time)
        guard let entry = places[place], entry.phase == .connecting else { return }
        statistics.connectFailures += 1
        remove(place)
        backOff(entry.destination, round: entry.round, error)
    }

    /// Given back, and fit to be used again.
    package mutating func released(_ place: PoolPlace, at time: MonotonicTime) {
        advance(to: time)
        guard let entry = places[place], entry.phase == .leased else { return }
        if isClosed || entry.uses >= limits.maxUses || expiry(entry.opened, limits.lifetime) <= now {
            retire(place)
        } else {
            makeIdle(place)
        }
    }

    /// The connection is gone, or is no longer fit to be used; the driver closes it.
    package mutating func closed(_ place: PoolPlace) {
        guard let entry = places[place], entry.phase != .connecting else { return }
        statistics.lost += 1
        remove(place)
        // Gone before its first use: a server that accepts and closes is no better than one that refuses.
        let isUseless = entry.uses == 0 && destinations[entry.destination]?.waiting.isEmpty == false
        if isUseless { backOff(entry.destination, round: entry.round, .lostAtOnce(entry.destination)) }
    }

    /// What was handed out turned out to be closed already: its ticket is back where it was.
    package mutating func takeBack(
        _ ticket: PoolTicket, for destination: SocketAddress, until deadline: MonotonicTime, insteadOf place: PoolPlace
    ) {
        if let entry = places[place], entry.phase == .leased {
            statistics.handedOut -= 1
            if entry.uses > 1 { statistics.reused -= 1 }
            if entry.uses == 1 { backOff(entry.destination, round: entry.round, .lostAtOnce(entry.destination)) }
        }
        closed(place)
        if isClosed { due.append(.fail(ticket, .closed)) } else { enqueue(ticket, destination, deadline) }
    }

    /// No more connections: those that wait hear of it, those that nobody uses are closed, and those in use when they are
    /// given back.
    package mutating func close() {
        isClosed = true
        for ticket in waiters.keys.sorted() { fail(ticket, .closed) }
        for (place, entry) in places where entry.phase != .leased { retire(place) }
    }

    /// Closed, and nothing is left.
    package var isDrained: Bool { isClosed && places.isEmpty && due.isEmpty }

    // MARK: What to do next

    /// When to come back although nothing has happened.
    package var deadline: MonotonicTime { timers.min?.at ?? .distantFuture }

    package mutating func nextAction(at time: MonotonicTime) -> Action? {
        advance(to: time)
        expireTimers()
        while true {
            if let action = due.popFirst() { return action }
            while let destination = attention.first {
                if let action = attend(to: destination) { return action }
                attention.removeFirst()
                destinations[destination]?.isListed = false
                forgetIfUnused(destination)
            }
            // Idle now means that nobody waits for it where it leads.
            let hasRoom = places.count < limits.maxConnections || statistics.idle > 0
            guard hasRoom, let destination = takeLongestStarved() else { return nil }
            list(destination)
        }
    }

    mutating func advance(to time: MonotonicTime) { now = max(now, time) }
}
