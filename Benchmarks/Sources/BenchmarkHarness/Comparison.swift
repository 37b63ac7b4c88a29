import Foundation

/// Two subjects, or one at two times, by one metric.
package struct Comparison: Equatable, Sendable {
    package enum Verdict: String, Sendable, Codable {
        /// 1 lies outside the interval, and the difference is greater than the noise.
        case significant
        /// 1 lies outside the interval, but the same subject measured twice differs as much.
        case withinNoise = "within noise"
        /// 1 lies in the interval, or there are too few runs for one.
        case noDifference = "no difference"
    }

    /// Of the medians: the first as a multiple of the second.
    package let ratio: Double
    package let interval: Interval?
    /// What the same subject, measured twice, differed by: 0.03 is 3 % more or less.
    package let noise: Double
    package let verdict: Verdict

    /// Runs that were made in the same rounds.
    package init?(paired pairs: [(Double, Double)], noise: Double) {
        self.init(pairs.map(\.0), pairs.map(\.1), noise: noise, interval: Resampling.interval(ofPairedRatio: pairs))
    }

    /// Runs that have nothing to do with each other.
    package init?(_ first: [Double], _ second: [Double], noise: Double) {
        self.init(first, second, noise: noise, interval: Resampling.interval(ofRatio: first, second))
    }

    private init?(_ first: [Double], _ second: [Double], noise: Double, interval: Interval?) {
        guard let one = Statistics.median(first), let two = Statistics.median(second), one > 0, two > 0 else { return nil }
        ratio = one / two
        self.interval = interval
        self.noise = noise
        if let interval, !interval.contains(1) {
            verdict = abs(log(ratio)) > log(1 + noise) ? .significant : .withinNoise
        } else {
            verdict = .noDifference
        }
    }
}

/// How much the same subject, measured as two, differs from itself.
package enum Noise {
    /// The subject, and the one that is the same under another name.
    package static let pair = (Subject.reactor.name, "reactor-again")

    /// The distance of the ratio of the two medians from 1, and of the ratio in half of the rounds; nil where there aren't
    /// both. A single ratio may happen to be 1.00: what the rounds differ by tells more, and the greater of the two counts.
    package static func of(_ pairs: [(Double, Double)]) -> Double? {
        guard !pairs.isEmpty, pairs.allSatisfy({ $0.0 > 0 && $0.1 > 0 }), let one = Statistics.median(pairs.map(\.0)),
            let two = Statistics.median(pairs.map(\.1)),
            let typical = Statistics.median(pairs.map { abs(log($0.0 / $0.1)) })
        else { return nil }
        // Medians of n rounds scatter less than single rounds do, by the square root of n.
        let scatter = typical / Double(pairs.count).squareRoot()
        return exp(max(abs(log(one / two)), scatter)) - 1
    }
}
