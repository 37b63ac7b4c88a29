package enum Statistics {
    /// The middle value; of an even number of values, the mean of the middle two. Nil of none.
    package static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// Half the distance from the least to the greatest value, relative to the median: the ± of a handful of runs.
    /// Nil of fewer than two.
    package static func spread(_ values: [Double]) -> Double? {
        guard values.count > 1, let least = values.min(), let greatest = values.max(),
            let median = median(values), median != 0
        else { return nil }
        return (greatest - least) / 2 / abs(median)
    }
}
