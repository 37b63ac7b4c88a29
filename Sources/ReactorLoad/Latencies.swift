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

    /// Takes over what `other` has, and empties it.
    mutating func absorb(_ other: inout Latencies) {
        if other.count == 0 { return }
        histogram.add(other.histogram)
        sum &+= other.sum
        least = Swift.min(least, other.least)
        greatest = Swift.max(greatest, other.greatest)
        other.histogram.reset()
        (other.sum, other.least, other.greatest) = (0, .max, 0)
    }

    // In microseconds; 0 if nothing was recorded.

    var min: Double { count == 0 ? 0 : Double(least) / 1000 }
    var max: Double { Double(greatest) / 1000 }
    var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) / 1000 }

    func percentile(_ percentile: Double) -> Double {
        if count == 0 { return 0 }
        let value = histogram.valueAtPercentile(percentile)
        return Double(Swift.max(Swift.min(value, greatest), least)) / 1000
    }

    /// Percentiles with what they are, denser towards the end: three in each half of what is left, to 99.999.
    var distribution: [[Double]] {
        var points: [[Double]] = []
        var rest = 100.0
        while rest > 0.001 {
            for third in 0..<3 {
                let point = 100 - rest + rest / 2 * Double(third) / 3
                points.append([point, percentile(point)])
            }
            rest /= 2
        }
        return points + [[100, max]]
    }
}

/// Jain's index of fairness: 1 if all got the same, 1/n if one got everything.
func jainIndex(_ shares: some Collection<UInt64>) -> Double {
    let sum = shares.reduce(0.0) { $0 + Double($1) }
    let squares = shares.reduce(0.0) { $0 + Double($1) * Double($1) }
    return squares == 0 ? 0 : sum * sum / (Double(shares.count) * squares)
}
