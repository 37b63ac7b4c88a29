import ConnectionHandling

/// The clock of a test's driver: it moves when it is told to.
struct TestClock {
    let clock: DriverClock
    private let unixStart: Int64
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

    init(unixSeconds: Int64) {
        unixStart = unixSeconds
        clock = DriverClock(now: Self.start, unixSeconds: unixSeconds)
    }

    /// Moves on by `duration`, with a stop at each deadline on the way.
    ///
    /// - Parameters:
    ///   - next: the deadline that is next, if there is one.
    ///   - expire: called with the clock at the deadline.
    func advance(by duration: Duration, next: () -> MonotonicTime?, expire: () -> Void) {
        let target = clock.now.advanced(by: duration)
        while let deadline = next(), deadline <= target {
            set(max(deadline, clock.now))
            expire()
        }
        set(target)
    }

    private func set(_ now: MonotonicTime) {
        clock.now = now
        clock.unixSeconds = unixStart + Int64(Self.start.nanoseconds(until: now) / 1_000_000_000)
    }
}
