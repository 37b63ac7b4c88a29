import AllocationCounter

/// A piece of what a server does, as often as asked: what `instruction-counts` counts, and what `Benchmarks/Micro` times.
public struct Work: Sendable {
    public let name: String
    /// What one round of it is.
    public let round: String
    /// Makes what the rounds need. What it returns does that many rounds each time it is called, on the thread that made it.
    public let prepare: @Sendable () throws -> (Int) -> Void

    init(_ name: String, _ round: String, prepare: @escaping @Sendable () throws -> (Int) -> Void) {
        self.name = name
        self.round = round
        self.prepare = prepare
    }

    /// Bytes first, then what handlers do with them, then loops.
    public static let all: [Work] = [queue, framing, parse, route, answer, request, mail, timers, expiry, submit, turn]

    /// What `rounds` work in turns is a divisor of this: so many rounds, or a multiple, do the same work each time.
    public static let cycle = 44
}

/// How often this thread has allocated memory; -1 where a sanitizer counts nothing.
public func allocations() -> Int { allocation_count() }

/// Work that does something else than it should is no measure of anything.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError("measured work: \(what())") }
}
