import ConnectionHandling

/// Which destination is worked on next. A value without I/O or clock.
///
/// It knows of each destination that somebody waits for when the first of them is due, and nothing of messages: those are in
/// the queue. New mail goes first: destinations from the backlog, most of which are there because they were dead, have only
/// a part of the places, so that however many they are, they don't hold up a live one.
struct DeliverySchedule {
    struct Entry {
        /// As the queue has it, in seconds since 1970; nil while it is worked on.
        fileprivate(set) var due: Int64?
        fileprivate var at = MonotonicTime.distantFuture
        /// It was heard of just now, and is not known to be dead.
        fileprivate(set) var isFresh: Bool
        /// Not before this, whoever is due.
        fileprivate var rests = MonotonicTime(nanoseconds: 0)
        /// What is known of it; nil if nothing that matters.
        var health: DestinationHealth?

        var isActive: Bool { due == nil }
    }

    /// A destination that is to be worked on now.
    struct Turn: Equatable {
        var name: String
        /// The queue is to be asked as of this moment at least: where the wall clock was set back, it is later than that.
        var due: Int64
        var health: DestinationHealth?
    }

    private var entries: [String: Entry] = [:]
    private var fresh = DueHeap()
    private var backlog = DueHeap()
    private(set) var active = 0
    private var activeBacklog = 0
    private let limits: DeliveryLimits

    init(_ limits: DeliveryLimits) { self.limits = limits }

    /// All that somebody waits for, those being worked on among them.
    var count: Int { entries.count }
    func isActive(_ name: String) -> Bool { entries[name]?.isActive ?? false }

    /// Somebody waits for `name`.
    ///
    /// - Parameters:
    ///   - due: in seconds since 1970, as `unixSeconds`, which is now.
    ///   - isFresh: a message has just arrived for it.
    /// - Returns: it is being worked on, and whoever does so is to look again.
    @discardableResult
    mutating func note(_ name: String, due: Int64, unixSeconds: Int64, now: MonotonicTime, isFresh: Bool) -> Bool {
        let at = moment(of: due, unixSeconds: unixSeconds, now: now)
        guard var entry = entries[name] else {
            put(name, Entry(due: due, at: at, isFresh: isFresh))
            return false
        }
        guard let known = entry.due else { return true }
        let isFresh = entry.isFresh || isFresh && entry.health == nil
        // Kept in the heap as it is where nothing gets earlier.
        if max(at, entry.rests) >= entry.at, isFresh == entry.isFresh { return false }
        entry.due = min(due, known)
        entry.at = min(entry.at, max(at, entry.rests))
        entry.isFresh = isFresh
        put(name, entry)
        return false
    }

    /// An operator has changed something: `waiting` is all that there is now. Who was resting need not any more.
    ///
    /// - Returns: all that are being worked on, also those for which nobody waits any more: whoever does so is to forget
    ///   what was read before.
    mutating func replace(by waiting: [WaitingEntry], unixSeconds: Int64, now: MonotonicTime) -> [String] {
        let old = entries
        entries = old.filter { $0.value.isActive }
        fresh = DueHeap()
        backlog = DueHeap()
        let poked = Array(entries.keys)
        for destination in waiting where entries[destination.name] == nil {
            let before = old[destination.name]
            let at = moment(of: destination.due, unixSeconds: unixSeconds, now: now)
            put(destination.name, Entry(due: destination.due, at: at, isFresh: before?.isFresh ?? false, health: before?.health))
        }
        return poked
    }

    typealias WaitingEntry = (name: String, due: Int64)

    /// The destination to work on next, if one is due and there is a place for it.
    mutating func next(at now: MonotonicTime) -> Turn? {
        if active >= limits.activeDestinations { return nil }
        if let turn = take(from: \.fresh, now) { return turn }
        if activeBacklog >= limits.backlogDestinations { return nil }
        return take(from: \.backlog, now)
    }

    private mutating func take(from heap: WritableKeyPath<DeliverySchedule, DueHeap>, _ now: MonotonicTime) -> Turn? {
        while let first = self[keyPath: heap].first {
            guard isCurrent(first, in: heap) else {
                self[keyPath: heap].removeFirst()
                continue
            }
            guard first.at <= now, var entry = entries[first.name], let due = entry.due else { return nil }
            self[keyPath: heap].removeFirst()
            active += 1
            if !entry.isFresh { activeBacklog += 1 }
            entry.due = nil
            let health = entry.health
            entry.health = nil
            entries[first.name] = entry
            return Turn(name: first.name, due: due, health: health)
        }
        return nil
    }

    /// The one who worked on it is done for now.
    ///
    /// - Parameters:
    ///   - due: when the next of those who wait is due, in seconds since 1970; nil if nobody does.
    ///   - rest: it is dead: not before this.
    mutating func retire(
        _ name: String, due: Int64?, rest: MonotonicTime?, health: DestinationHealth?, unixSeconds: Int64, now: MonotonicTime
    ) {
        guard let entry = entries[name], entry.isActive else { return }
        active -= 1
        if !entry.isFresh { activeBacklog -= 1 }
        entries[name] = nil
        guard let due else { return }
        let rests = rest ?? MonotonicTime(nanoseconds: 0)
        put(
            name,
            Entry(
                due: due, at: max(rests, moment(of: due, unixSeconds: unixSeconds, now: now)), isFresh: false, rests: rests,
                health: rest == nil ? nil : health))
    }

    /// When ``next(at:)`` may have something that it has not now; nil: when somebody retires, or is noted.
    mutating func nextMoment() -> MonotonicTime? {
        if active >= limits.activeDestinations { return nil }
        var moment: MonotonicTime?
        for heap in activeBacklog < limits.backlogDestinations ? [\DeliverySchedule.fresh, \.backlog] : [\.fresh] {
            while let first = self[keyPath: heap].first {
                if isCurrent(first, in: heap) {
                    moment = min(moment ?? .distantFuture, first.at)
                    break
                }
                self[keyPath: heap].removeFirst()
            }
        }
        return moment
    }

    // MARK: Entries and heaps

    /// On the monotonic clock, so that a wall clock that is set does not move it; and not further away than any retry is.
    private func moment(of due: Int64, unixSeconds: Int64, now: MonotonicTime) -> MonotonicTime {
        let wait = due.subtractingReportingOverflow(unixSeconds)
        let seconds = wait.overflow ? (due < unixSeconds ? 0 : .max) : max(0, wait.partialValue)
        return now.advanced(by: min(.seconds(min(seconds, 1 << 40)), limits.lastRetry * 1.2))
    }

    private mutating func put(_ name: String, _ entry: Entry) {
        entries[name] = entry
        if entry.isFresh { fresh.insert(entry.at, name) } else { backlog.insert(entry.at, name) }
        // What is out of date goes when it comes to the top, which is late where somebody comes and goes all the time.
        if fresh.count + backlog.count > 2 * entries.count + 1000 { tidy() }
    }

    private mutating func tidy() {
        fresh = DueHeap()
        backlog = DueHeap()
        for (name, entry) in entries where !entry.isActive {
            if entry.isFresh { fresh.insert(entry.at, name) } else { backlog.insert(entry.at, name) }
        }
    }

    private func isCurrent(_ item: DueHeap.Item, in heap: KeyPath<DeliverySchedule, DueHeap>) -> Bool {
        guard let entry = entries[item.name], !entry.isActive else { return false }
        return entry.at == item.at && entry.isFresh == (heap == \DeliverySchedule.fresh)
    }
}

/// Names by moment, the earliest first. Items that are out of date are for its owner to tell.
struct DueHeap {
    struct Item {
        var at: MonotonicTime
        var name: String
        /// Equal moments keep their order.
        var order: UInt64
    }

    private var items: [Item] = []
    private var inserted: UInt64 = 0

    var first: Item? { items.first }
    var count: Int { items.count }

    mutating func insert(_ at: MonotonicTime, _ name: String) {
        inserted &+= 1
        items.append(Item(at: at, name: name, order: inserted))
        var child = items.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = items.popLast(), !items.isEmpty else { return }
        items[0] = last
        var parent = 0
        while true {
            let children = (2 * parent + 1..<2 * parent + 3).filter { $0 < items.count }
            guard let least = children.min(by: { precedes($0, $1) }), precedes(least, parent) else { return }
            items.swapAt(least, parent)
            parent = least
        }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (items[left].at, items[left].order) < (items[right].at, items[right].order)
    }
}
