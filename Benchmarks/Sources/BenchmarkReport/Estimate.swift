import BenchmarkHarness

/// A median and how far it can be trusted. All statistics of a report are made here and from here.
package struct Estimate: Sendable, Equatable {
    package let median: Double
    package let low: Double
    package let high: Double
    /// How many runs it is from. One run has no interval.
    package let count: Int
    /// What each round found: two subjects are compared within rounds.
    package let rounds: [Int: Double]

    /// What the low and the high end are, for the reader.
    package static let interval = "intervals of 95 %, by the bootstrap and by Student's t, whichever reaches further"

    /// - Parameter runs: the number of the round and what it found.
    package init?(_ runs: [(round: Int, value: Double)]) {
        let runs = runs.filter(\.value.isFinite)
        let values = runs.map(\.value)
        guard let median = Statistics.median(values), let least = values.min(), let greatest = values.max() else { return nil }
        // Nothing, as the memory of a connection can be, has no logarithm: then the rounds' extremes have to do.
        let interval = Resampling.interval(ofMedian: values) ?? Interval(least, greatest)
        (self.median, low, high, count) = (median, interval.low, interval.high, values.count)
        rounds = Dictionary(runs.map { ($0.round, $0.value) }) { _, later in later }
    }

    /// Of the rounds that both were in.
    package func pairs(with other: Estimate) -> [(Double, Double)] {
        rounds.keys.sorted().compactMap { round in
            guard let own = rounds[round], let others = other.rounds[round] else { return nil }
            return (own, others)
        }
    }

    package enum Verdict: Sendable, Equatable {
        case differs, same
        /// Too few runs, or none in the same rounds: neither equal nor apart.
        case unknown
    }

    /// Two differ if the interval of their ratio, round by round, does not hold 1, and the ratio is further from 1 than the
    /// noise: what the same subject differed by from itself. Of single runs nothing can be said.
    package func compared(with other: Estimate, noise: Double) -> Verdict {
        guard count > 1, other.count > 1 else { return .unknown }
        let pairs = pairs(with: other)
        guard pairs.count > 1 else { return .unknown }
        if let comparison = Comparison(paired: pairs, noise: noise), comparison.interval != nil {
            return comparison.verdict == .significant ? .differs : .same
        }
        // One of them is nothing in some round, which has no ratio.
        return high < other.low || other.high < low ? .differs : .same
    }
}
