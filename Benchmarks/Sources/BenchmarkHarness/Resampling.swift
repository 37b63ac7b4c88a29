import Foundation

/// Between which values something lies, with a confidence of 95 %.
package struct Interval: Equatable, Sendable, Codable {
    package var low: Double
    package var high: Double

    package init(_ low: Double, _ high: Double) { (self.low, self.high) = (low, high) }

    package func contains(_ value: Double) -> Bool { low <= value && value <= high }
    /// The least that holds both.
    func union(_ other: Interval) -> Interval { Interval(min(low, other.low), max(high, other.high)) }
}

/// SplitMix64 (Steele, Lea, Flood 2014), from a fixed seed: the same results give the same intervals.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    package init(seed: UInt64 = 1) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

/// Intervals of 95 % from few runs. The percentile bootstrap alone promises too much of them: of five values, the resampled
/// medians hardly reach the outer two. Student's t on the logarithms is wide for few values and, with heavy tails, wider than
/// it need be. The interval is what holds both.
package enum Resampling {
    static let resamples = 1000

    /// Of the median of values of one subject; nil of fewer than two, or where one isn't positive.
    package static func interval(ofMedian values: [Double]) -> Interval? {
        guard values.count > 1, values.allSatisfy({ $0 > 0 }), let t = studentInterval(values.map(log)) else { return nil }
        var sampler = Resampler()
        return percentileInterval { sampler.median(of: values) }.union(t)
    }

    /// Of the ratio of the medians of two subjects whose runs are pairs: the same round, one beside the other. What slowed a
    /// round down slowed both.
    static func interval(ofPairedRatio pairs: [(Double, Double)]) -> Interval? {
        guard pairs.count > 1, pairs.allSatisfy({ $0.0 > 0 && $0.1 > 0 }),
            let t = studentInterval(pairs.map { log($0.0 / $0.1) })
        else { return nil }
        let (first, second) = (pairs.map(\.0), pairs.map(\.1))
        // Two that draw alike: the rounds of one are the rounds of the other.
        var one = Resampler(), two = Resampler()
        return percentileInterval { one.median(of: first) / two.median(of: second) }.union(t)
    }

    /// The same where the runs have nothing to do with each other, such as those of two days.
    static func interval(ofRatio first: [Double], _ second: [Double]) -> Interval? {
        guard first.count > 1, second.count > 1, (first + second).allSatisfy({ $0 > 0 }),
            let t = welchInterval(first.map(log), second.map(log))
        else { return nil }
        var one = Resampler(), two = Resampler(seed: 2)
        return percentileInterval { one.median(of: first) / two.median(of: second) }.union(t)
    }

    private static func percentileInterval(_ draw: () -> Double) -> Interval {
        let drawn = (0..<resamples).map { _ in draw() }.sorted()
        return Interval(drawn[resamples * 25 / 1000], drawn[resamples * 975 / 1000 - 1])
    }

    // MARK: Student's t, of logarithms

    private static func studentInterval(_ logs: [Double]) -> Interval? {
        let (mean, variance) = moments(logs)
        return interval(around: mean, error: (variance / Double(logs.count)).squareRoot(), freedom: Double(logs.count - 1))
    }

    private static func welchInterval(_ first: [Double], _ second: [Double]) -> Interval? {
        let (one, two) = (moments(first), moments(second))
        let a = one.variance / Double(first.count), b = two.variance / Double(second.count)
        guard a + b > 0 else { return interval(around: one.mean - two.mean, error: 0, freedom: 1) }
        let freedom = (a + b) * (a + b) / (a * a / Double(first.count - 1) + b * b / Double(second.count - 1))
        return interval(around: one.mean - two.mean, error: (a + b).squareRoot(), freedom: freedom)
    }

    private static func interval(around center: Double, error: Double, freedom: Double) -> Interval? {
        guard center.isFinite, error.isFinite else { return nil }
        let reach = studentQuantile(freedom) * error
        return Interval(exp(center - reach), exp(center + reach))
    }

    private static func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, squares / Double(values.count - 1))
    }

    /// The 97.5 % quantile of Student's t; between two whole degrees of freedom that of the lower.
    static func studentQuantile(_ freedom: Double) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
            2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
        ]
        return table[min(max(Int(min(freedom, 1000)), 1), table.count) - 1]
    }
}

/// Draws as many values as there are, again and again, and takes their median.
private struct Resampler {
    private var random: SeededGenerator
    private var drawn: [Double] = []

    init(seed: UInt64 = 1) { random = SeededGenerator(seed: seed) }

    mutating func median(of values: [Double]) -> Double {
        drawn.removeAll(keepingCapacity: true)
        // Sorted as they come: they are few.
        for _ in values.indices {
            let index = Int(random.next().multipliedFullWidth(by: UInt64(values.count)).high)
            let value = values[index]
            var place = drawn.count
            drawn.append(value)
            while place > 0, drawn[place - 1] > value {
                drawn[place] = drawn[place - 1]
                place -= 1
            }
            drawn[place] = value
        }
        let middle = drawn.count / 2
        return drawn.count % 2 == 1 ? drawn[middle] : (drawn[middle - 1] + drawn[middle]) / 2
    }
}
