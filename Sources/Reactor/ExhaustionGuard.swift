import CReactorSystem
import Glibc
import Synchronization

/// What an accepting socket does when descriptors have run out: it waits for some to become free, and where that takes
/// long it lets the peers that wait know.
///
/// The descriptor that it keeps in reserve makes that possible: given up for a moment, it lets one connection after
/// another be accepted and closed. Otherwise the peers would hang until their own patience ends, and each new one with
/// them.
package struct ExhaustionGuard: ~Copyable {
    private var spare: CInt
    private var since: UInt64?

    /// How long peers wait for a descriptor to become free before they are turned away.
    private static let patience: UInt64 = 1_000_000_000
    /// How many are turned away at a time.
    private static let batch = 256

    package init() { spare = Self.open() }

    deinit { if spare >= 0 { close(spare) } }

    private static func open() -> CInt { Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }

    /// To be asked before each attempt to accept; where it is false, descriptors count as exhausted. The reserve comes
    /// first: a connection that took it for itself would leave all others hanging. And while one socket of the process
    /// has given its reserve up, the others keep away from it.
    package var mayAccept: Bool {
        mutating get {
            if turningAway.load(ordering: .acquiring) { return false }
            if spare < 0 { spare = Self.open() }
            return spare >= 0
        }
    }

    /// A connection could be accepted.
    package mutating func accepted() { since = nil }

    /// None could be accepted on `listener`. Returns how many were turned away.
    package mutating func exhausted(_ listener: CInt) -> Int {
        let now = creactor_monotonic_ns()
        guard let since else {
            self.since = now
            return 0
        }
        if now - since < Self.patience { return 0 }
        if spare < 0 || turningAway.exchange(true, ordering: .acquiringAndReleasing) { return 0 }
        close(spare)
        defer {
            spare = Self.open()
            turningAway.store(false, ordering: .releasing)
        }
        var refused = 0
        while refused < Self.batch {
            var storage = sockaddr_storage()
            var length: UInt32 = 0
            let number = creactor_accept(listener, 1, &storage, &length)
            if number < 0 { break }
            close(number)
            refused += 1
        }
        return refused
    }
}

/// A socket of this process turns peers away.
private let turningAway = Atomic(false)
