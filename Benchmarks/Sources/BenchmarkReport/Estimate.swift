import BenchmarkHarness

/// A median and how far it can be trusted. All statistics of a report are made here and from here.
package struct Estimate: Sendable, Equatable, Encodable {
    package let median: Double
    package let low: Double
    package let high: Double
    /// How many runs it is from. One run has no interval.
    package let count: Int

    /// What the low and the high end are, for the reader.
    package static let interval = "the least and the greatest of the rounds"

    package init?(_ values: [Double]) {
        let values = values.filter(\.isFinite)
        guard let median = Statistics.median(values), let low = values.min(), let high = values.max() else { return nil }
        self.init(median: median, low: low, high: high, count: values.count)
    }

    package init(median: Double, low: Double, high: Double, count: Int) {
        (self.median, self.low, self.high, self.count) = (median, low, high, count)
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
