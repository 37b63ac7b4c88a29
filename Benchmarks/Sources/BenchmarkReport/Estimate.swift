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
    package static let interval = "the least and the greatest of the rounds"

    /// - Parameter runs: the number of the round and what it found.
    package init?(_ runs: [(round: Int, value: Double)]) {
        let runs = runs.filter(\.value.isFinite)
        let values = runs.map(\.value)
        guard let median = Statistics.median(values), let low = values.min(), let high = values.max() else { return nil }
        (self.median, self.low, self.high, count) = (median, low, high, values.count)
        rounds = Dictionary(runs.map { ($0.round, $0.value) }) { _, later in later }
    }

    /// Two estimates differ if their intervals are apart and their medians are further from each other than the noise: what
    /// the same subject differed by from itself. Of single runs nothing can be said.
    ///
    /// - Parameter noise: relative to the median.
    package func differs(from other: Estimate, noise: Double) -> Bool {
        guard count > 1, other.count > 1 else { return false }
        guard high < other.low || other.high < low else { return false }
        return abs(median - other.median) > noise * max(abs(median), abs(other.median))
    }
}
