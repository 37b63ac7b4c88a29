import Histogram

/// Durations in nanoseconds, to three digits, from one nanosecond to an hour.
struct Latencies {
    private var histogram: Histogram<UInt64>
    private var sum: UInt64 = 0
    private var least = UInt64.max
    private var greatest: UInt64 = 0

    private static let longest: UInt64 = 3_600_000_000_000

    init() { histogram = Histogram(highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three) }

    var count: UInt64 { histogram.totalCount }

    @inline(__always) mutating func record(_ nanoseconds: UInt64) {
        histogram.record(Swift.min(nanoseconds, Self.longest))
        sum &+= nanoseconds
        if nanoseconds < least { least = nanoseconds }
        if nanoseconds > greatest { greatest = nanoseconds }
    }

    // In microseconds; 0 if nothing was recorded.

    var min: Double { count == 0 ? 0 : Double(least) / 1000 }
    var max: Double { Double(greatest) / 1000 }
    var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) / 1000 }

    /// Slow: tens of microseconds, so not while a load runs.
    func percentile(_ percentile: Double) -> Double {
        if count == 0 { return 0 }
        let value = histogram.valueAtPercentile(percentile)
        return Double(Swift.max(Swift.min(value, greatest), least)) / 1000
    }

    /// Percentiles with what they are, denser towards the end: three in each half of what is left, to 99.999.
    var distribution: [[Double]] {
        var points: [[Double]] = []
        var rest = 100.0
        while rest > 0.0007 {
            for third in 0..<3 {
                let point = 100 - rest + rest / 2 * Double(third) / 3
                points.append([point, percentile(point)])
            }
            rest /= 2
        }
        return points + [[100, max]]
    }
}

/// The durations of a second, to one part in 128: what is told while a load runs has to cost next to nothing, and the
/// histogram's percentiles, which another module compiled for any type of counts, take milliseconds.
struct CoarseLatencies {
    private static let magnitude = 7
    private var counts = [UInt32](repeating: 0, count: (64 - magnitude + 1) << magnitude)
    private(set) var count: UInt64 = 0

    @inline(__always) mutating func record(_ nanoseconds: UInt64) {
        let slot = Self.slot(nanoseconds)
        counts[slot] &+= 1
        count &+= 1
    }

    mutating func removeAll() {
        for slot in counts.indices { counts[slot] = 0 }
        count = 0
    }

    /// In microseconds: the middle of the slot that has the percentile.
    func percentile(_ percentile: Double) -> Double {
        let wanted = max(UInt64((Double(count) * percentile / 100).rounded(.up)), 1)
        var sum: UInt64 = 0
        for slot in counts.indices where counts[slot] > 0 {
            sum += UInt64(counts[slot])
            if sum >= wanted { return Double(Self.middle(slot)) / 1000 }
        }
        return 0
    }

    /// Exact below 128; then 128 slots for each doubling.
    @inline(__always) private static func slot(_ value: UInt64) -> Int {
        let shift = max(63 - (value | 127).leadingZeroBitCount - magnitude, 0)
        return value < 128 ? Int(value) : ((shift + 1) << magnitude) + Int(value >> UInt64(shift)) - 128
    }

    private static func middle(_ slot: Int) -> UInt64 {
        if slot < 128 { return UInt64(slot) }
        let shift = UInt64(slot >> magnitude) - 1
        return (UInt64(slot & 127) + 128) << shift + (1 << shift) >> 1
    }
}

/// Jain's index of fairness: 1 if all got the same, 1/n if one got everything.
func jainIndex(_ shares: some Collection<UInt64>) -> Double {
    let sum = shares.reduce(0.0) { $0 + Double($1) }
    let squares = shares.reduce(0.0) { $0 + Double($1) * Double($1) }
    return squares == 0 ? 0 : sum * sum / (Double(shares.count) * squares)
}
