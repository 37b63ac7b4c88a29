import ConnectionHandling
import DequeModule
import HeapModule

/// A moment at which to look at something again.
struct PoolTimer: Comparable {
    enum Subject: Hashable {
        case waiter(PoolTicket)
        case place(PoolPlace)
        case destination(SocketAddress)
    }

    let at: MonotonicTime
    let subject: Subject

    static func < (left: Self, right: Self) -> Bool { left.at < right.at }
}

/// The tables, kept in step with each other.
extension PoolPolicy {
    func expiry(_ start: MonotonicTime, _ duration: Duration) -> MonotonicTime { start.advanced(by: duration) }

    // MARK: Waiters

    mutating func enqueue(_ ticket: PoolTicket, _ address: SocketAddress, _ deadline: MonotonicTime) {
        var destination = destinations.removeValue(forKey: address) ?? Destination()
        waiters[ticket] = Waiter(destination: address, deadline: deadline, round: destination.round)
        destination.waiting.insert(ticket, at: destination.index(of: ticket))
        destinations[address] = destination
        statistics.waiting += 1
        timers.insert(PoolTimer(at: deadline, subject: .waiter(ticket)))
        list(address)
    }

    mutating func removeWaiter(_ ticket: PoolTicket) {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return }
        statistics.waiting -= 1
        if let index = destinations.index(forKey: waiter.destination) {
            let position = destinations.values[index].index(of: ticket)
            destinations.values[index].waiting.remove(at: position)
        }
        list(waiter.destination)
    }

    mutating func fail(_ ticket: PoolTicket, _ error: PoolError) {
        removeWaiter(ticket)
        due.append(.fail(ticket, error))
    }

    // MARK: Places

    mutating func makeIdle(_ place: PoolPlace) {
        guard let entry = places[place], let index = destinations.index(forKey: entry.destination) else { return }
        leave(entry.phase, at: index)
        destinations.values[index].idle.append(place)
        statistics.idle += 1
        places[place]?.phase = .idle
        places[place]?.idleSince = now
        setTimer(place)
        list(entry.destination)
    }

    /// Closes a connection of which nobody has more to expect.
    mutating func retire(_ place: PoolPlace) {
        statistics.retired += 1
        remove(place)
        due.append(.close(place))
    }

    mutating func remove(_ place: PoolPlace) {
        guard let entry = places.removeValue(forKey: place), let index = destinations.index(forKey: entry.destination) else {
            return
        }
        if entry.phase == .idle, let position = destinations.values[index].idle.firstIndex(of: place) {
            destinations.values[index].idle.remove(at: position)
            statistics.idle -= 1
        } else {
            leave(entry.phase, at: index)
        }
        list(entry.destination)
    }

    private mutating func leave(_ phase: Place.Phase, at index: Dictionary<SocketAddress, Destination>.Index) {
        switch phase {
        case .connecting:
            destinations.values[index].connecting -= 1
            statistics.connecting -= 1
        case .leased:
            destinations.values[index].leased -= 1
            statistics.leased -= 1
        case .idle: break
        }
    }

    // MARK: Destinations

    mutating func list(_ address: SocketAddress, first: Bool = false) {
        guard let index = destinations.index(forKey: address) else { return }
        if destinations.values[index].isListed {
            if !first { return }
            attention.removeAll { $0 == address }
        }
        destinations.values[index].isListed = true
        if first { attention.prepend(address) } else { attention.append(address) }
    }

    mutating func forgetIfUnused(_ address: SocketAddress) {
        guard let destination = destinations[address], destination.places == 0, destination.waiting.isEmpty else { return }
        if destination.failures > 0 && destination.forgetAt > now { return }
        destinations[address] = nil
        starved.remove(address)
    }

    // MARK: Timers

    private func idleDeadline(_ entry: Place) -> MonotonicTime {
        min(expiry(entry.idleSince, limits.idleTime), expiry(entry.opened, limits.lifetime))
    }

    private mutating func setTimer(_ place: PoolPlace) {
        guard let entry = places[place] else { return }
        let deadline = idleDeadline(entry)
        if entry.timer <= deadline { return }
        places[place]?.timer = deadline
        timers.insert(PoolTimer(at: deadline, subject: .place(place)))
    }

    var timerCount: Int { timers.count }

    mutating func expireTimers() {
        dropStaleTimers()
        while let timer = timers.min, timer.at <= now {
            timers.removeMin()
            switch timer.subject {
            case .waiter(let ticket):
                guard let waiter = waiters[ticket], waiter.deadline <= now else { continue }
                statistics.timedOut += 1
                fail(ticket, .waitedTooLong(lastFailure: destinations[waiter.destination]?.recentFailure))
            case .place(let place):
                guard let entry = places[place], entry.timer == timer.at else { continue }
                places[place]?.timer = .distantFuture
                if entry.phase != .idle { continue }
                if idleDeadline(entry) <= now { retire(place) } else { setTimer(place) }
            case .destination(let address):
                list(address)
            }
        }
    }

    /// Timers of what has gone are left where they are, until they are the greater part.
    private mutating func dropStaleTimers() {
        guard timers.count > 64 + 2 * (waiters.count + places.count + 2 * destinations.count) else { return }
        timers = Heap(
            timers.unordered.filter { timer in
                switch timer.subject {
                case .waiter(let ticket): waiters[ticket] != nil
                case .place(let place): places[place]?.timer == timer.at
                case .destination(let address): destinations[address].map { $0.failures > 0 && timer.at <= $0.forgetAt } ?? false
                }
            })
    }
}

extension PoolPolicy.Destination {
    /// Where the ticket is, or belongs, in the order of tickets.
    func index(of ticket: PoolTicket) -> Int {
        // Nearly always the last, when it comes.
        if waiting.last.map({ $0 < ticket }) ?? true { return waiting.count }
        var (low, high) = (0, waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if waiting[middle] < ticket { low = middle + 1 } else { high = middle }
        }
        return low
    }

    var recentFailure: ConnectFailure? { failures > 0 ? lastFailure : nil }
}
