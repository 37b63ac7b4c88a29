import ConnectionHandling
import DequeModule
import Glibc
import HeapModule

/// The rules for one destination, of which each call performs one.
extension PoolPolicy {
    /// The next thing to do at a destination; nil if it must wait for something to happen.
    mutating func attend(to address: SocketAddress) -> Action? {
        guard let index = destinations.index(forKey: address), let ticket = destinations.values[index].waiting.first else {
            return nil
        }
        if let oldest = destinations.values[index].idle.first {
            guard let overtaken = overtaken(by: ticket) else { return handOut(at: index, ticket) }
            starved.remove(overtaken)
            list(overtaken, first: true)
            retire(oldest)
            return due.popLast()
        }
        if let error = hopeless(at: index, ticket) {
            removeWaiter(ticket)
            return .fail(ticket, .connectFailed(error))
        }
        return connect(to: address, at: index)
    }

    private mutating func handOut(at index: Dictionary<SocketAddress, Destination>.Index, _ ticket: PoolTicket) -> Action? {
        // The most recently used, so that those not needed become idle for long.
        guard let place = destinations.values[index].idle.popLast() else { return nil }
        statistics.idle -= 1
        destinations.values[index].leased += 1
        destinations.values[index].failures = 0
        statistics.leased += 1
        statistics.handedOut += 1
        if places[place]?.uses != 0 { statistics.reused += 1 }
        places[place]?.phase = .leased
        places[place]?.uses += 1
        removeWaiter(ticket)
        return .handOut(place, ticket)
    }

    /// A destination that has no place at all, all being taken, and has waited longer: otherwise the busy destinations
    /// would pass their places on among their own for ever.
    private func overtaken(by ticket: PoolTicket) -> SocketAddress? {
        guard places.count >= limits.maxConnections else { return nil }
        var longest = ticket
        var found: SocketAddress?
        for address in starved {
            guard let destination = destinations[address], destination.places == 0, destination.mayConnect(at: now),
                let first = destination.waiting.first, first < longest
            else { continue }
            (longest, found) = (first, address)
        }
        return found
    }

    /// It has seen enough attempts fail, and nothing under way or in use could serve it.
    private func hopeless(at index: Dictionary<SocketAddress, Destination>.Index, _ ticket: PoolTicket) -> ConnectFailure? {
        let destination = destinations.values[index]
        guard destination.failures > 0, destination.connecting == 0, destination.leased == 0, let waiter = waiters[ticket],
            destination.round - waiter.round >= limits.connectAttempts
        else { return nil }
        return destination.lastFailure
    }

    private mutating func connect(
        to address: SocketAddress, at index: Dictionary<SocketAddress, Destination>.Index
    ) -> Action? {
        let destination = destinations.values[index]
        guard destination.waiting.count > destination.connecting, destination.mayConnect(at: now),
            destination.places < limits.maxConnectionsPerDestination
        else { return nil }
        if places.count >= limits.maxConnections {
            guard let victim = leastRecentlyUsed() else {
                starved.insert(address)
                return nil
            }
            // The place is taken when this destination is attended to again.
            retire(victim)
            return due.popLast()
        }
        let place = PoolPlace(number: nextNumber())
        places[place] = Place(destination: address, round: destination.round)
        destinations.values[index].connecting += 1
        statistics.connecting += 1
        return .connect(place, address)
    }

    /// Of the connections that nobody uses or is about to use.
    private func leastRecentlyUsed() -> PoolPlace? {
        if statistics.idle == 0 { return nil }
        var found: PoolPlace?
        var since = MonotonicTime.distantFuture
        for destination in destinations.values where destination.waiting.isEmpty {
            guard let oldest = destination.idle.first, let entry = places[oldest], entry.idleSince < since else { continue }
            (found, since) = (oldest, entry.idleSince)
        }
        return found
    }

    mutating func takeLongestStarved() -> SocketAddress? {
        var longest: (ticket: PoolTicket, address: SocketAddress)?
        for address in starved {
            guard let first = destinations[address]?.waiting.first else { continue }
            if longest.map({ first < $0.ticket }) ?? true { longest = (first, address) }
        }
        guard let longest else {
            starved.removeAll()
            return nil
        }
        starved.remove(longest.address)
        return longest.address
    }

    mutating func backOff(_ address: SocketAddress, round: Int, _ error: ConnectFailure) {
        guard let index = destinations.index(forKey: address) else { return }
        destinations.values[index].lastFailure = error
        // Others that were under way together with one that failed say nothing new.
        if destinations.values[index].round != round { return }
        destinations.values[index].round += 1
        let failures = destinations.values[index].failures
        destinations.values[index].failures += 1
        let most = limits.maxBackOff.wholeNanoseconds
        let (pause, overflow) = limits.backOff.wholeNanoseconds.multipliedReportingOverflow(by: 1 << UInt64(min(failures, 32)))
        let notBefore = now.advanced(byNanoseconds: overflow ? most : min(pause, most))
        // Remembered for a while, so that rare users do not begin from the shortest pause each time.
        let forgetAt = notBefore.advanced(byNanoseconds: most)
        destinations.values[index].notBefore = notBefore
        destinations.values[index].forgetAt = forgetAt
        timers.insert(PoolTimer(at: notBefore, subject: .destination(address)))
        timers.insert(PoolTimer(at: forgetAt, subject: .destination(address)))
    }
}

extension PoolPolicy.Destination {
    /// After a failure there is a pause, and then one attempt at a time.
    func mayConnect(at now: MonotonicTime) -> Bool { failures == 0 || connecting == 0 && notBefore <= now }
}

extension ConnectFailure {
    static func lostAtOnce(_ address: SocketAddress) -> ConnectFailure {
        .system(SystemError(ConnectingSocket.operation(address), errno: ECONNRESET, address: address))
    }
}
