/// A bounded dictionary that knows which of its entries was used least recently: what a peer can fill, and must not fill
/// for ever. Every operation takes constant time.
package struct RecencyTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var key: Key
        var value: Value
        /// Places of the neighbours in the order of use; -1 at the ends.
        var older: Int
        var newer: Int
    }

    package let capacity: Int
    private var places: [Key: Int] = [:]
    private var entries: [Entry?] = []
    private var free: [Int] = []
    private var oldestPlace = -1
    private var newestPlace = -1

    package init(capacity: Int) {
        precondition(capacity > 0, "a table has room for one entry at least")
        self.capacity = capacity
    }

    package var count: Int { places.count }

    /// The entry that was used least recently.
    package var oldest: (key: Key, value: Value)? {
        guard oldestPlace >= 0, let entry = entries[oldestPlace] else { return nil }
        return (entry.key, entry.value)
    }

    /// The value, which is not used by this.
    package func peek(_ key: Key) -> Value? { places[key].flatMap { entries[$0]?.value } }

    /// Sets the value and makes it the one used last.
    ///
    /// - Returns: the entry that had to go to make room.
    @discardableResult
    package mutating func set(_ key: Key, _ value: Value) -> (key: Key, value: Value)? {
        if let place = places[key] {
            unlink(place)
            entries[place]?.value = value
            link(place)
            return nil
        }
        var evicted: (key: Key, value: Value)?
        if count == capacity, let oldest {
            evicted = oldest
            remove(oldest.key)
        }
        let entry = Entry(key: key, value: value, older: -1, newer: -1)
        let place: Int
        if let reused = free.popLast() {
            entries[reused] = entry
            place = reused
        } else {
            entries.append(entry)
            place = entries.count - 1
        }
        places[key] = place
        link(place)
        return evicted
    }

    @discardableResult
    package mutating func remove(_ key: Key) -> Value? {
        guard let place = places.removeValue(forKey: key) else { return nil }
        unlink(place)
        let value = entries[place]?.value
        entries[place] = nil
        free.append(place)
        return value
    }

    private mutating func link(_ place: Int) {
        entries[place]?.older = newestPlace
        entries[place]?.newer = -1
        if newestPlace >= 0 { entries[newestPlace]?.newer = place } else { oldestPlace = place }
        newestPlace = place
    }

    private mutating func unlink(_ place: Int) {
        guard let entry = entries[place] else { return }
        if entry.older >= 0 { entries[entry.older]?.newer = entry.newer } else { oldestPlace = entry.newer }
        if entry.newer >= 0 { entries[entry.newer]?.older = entry.older } else { newestPlace = entry.older }
    }
}
