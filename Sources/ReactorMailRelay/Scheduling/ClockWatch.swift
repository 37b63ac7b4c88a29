import ConnectionHandling

/// Notices that the wall clock was set, by the clock that only runs.
struct ClockWatch {
    /// What the wall clock is ahead, in seconds.
    private var lead: Int64?

    /// Less is not worth the trouble: clocks are brought right by the second all the time.
    static let least: Int64 = 30

    /// By how many seconds the wall clock was set since the last look, if it was; less than 0: back.
    mutating func step(unixSeconds: Int64, now: MonotonicTime) -> Int64? {
        let running = Int64(clamping: MonotonicTime(nanoseconds: 0).nanoseconds(until: now) / 1_000_000_000)
        let current = unixSeconds.subtractingReportingOverflow(running).partialValue
        defer { lead = current }
        guard let lead else { return nil }
        let (step, isTooMuch) = current.subtractingReportingOverflow(lead)
        if isTooMuch || step.magnitude < Self.least { return nil }
        return step
    }
}
