import Foundation

/// The runs of one subject at one value of what an experiment varies.
package struct Cell: Sendable {
    package let subject: String
    /// Connections, or what else the experiment counts.
    package let swept: Int
    package let runs: Int
    /// By the metric's key.
    package let estimates: [String: Estimate]
    package let percentiles: [(percentile: Double, latency: Estimate)]
    package let timeline: [Second]
    /// What went wrong, each reason once.
    package let failures: [String]
    package let doubts: [String]
    /// Runs that the load generator does not vouch for. They count only where there are no others.
    package let unvouched: Int
    package let isVouched: Bool

    package struct Second: Sendable {
        let second: Double
        let answered, p99: Estimate?
    }

    /// - Parameter countsConnections: what is varied is how many connections there are.
    init(subject: String, swept: Int, lines: [ResultLine], countsConnections: Bool) {
        self.subject = subject
        self.swept = swept
        failures = lines.compactMap(\.failure).uniqued()
        let measured = lines.filter { $0.failure == nil }
        let good = measured.filter(\.vouched)
        let used = good.isEmpty ? measured : good
        runs = used.count
        unvouched = measured.count - good.count
        isVouched = !good.isEmpty
        doubts = measured.filter { !$0.vouched }.flatMap { $0.doubts.isEmpty ? ["no reason given"] : $0.doubts }.uniqued()
        var estimates: [String: Estimate] = [:]
        for key in Set(used.flatMap(\.metrics.keys)) { estimates[key] = Self.estimate(used) { $0.metrics[key] } }
        estimates[Self.worstSecond] = Self.estimate(used) { $0.timeline.map { $0[3] }.filter(\.isFinite).max() }
        percentiles = Self.percentiles(used.filter { !$0.latency.isEmpty })
        for point in percentiles { estimates[Self.percentile(point.percentile)] = point.latency }
        self.estimates = estimates
        timeline = Self.timeline(used)
        served = countsConnections ? used.compactMap { $0.metrics["connections_served"] }.min() : nil
    }

    package subscript(key: String) -> Estimate? { estimates[key] }

    /// All connections were being served, as far as the run says. One that serves a few of many is not compared: it is fast
    /// for those few.
    package var servesAll: Bool { served.map { $0 >= Double(swept) } ?? true }
    package let served: Double?
    /// Its results can be set beside others'.
    package var isComparable: Bool { isVouched && servesAll && runs > 0 }

    /// `†` for not vouched for, `‡` for not all connections served.
    package var marks: String { (unvouched > 0 ? "†" : "") + (servesAll ? "" : "‡") }

    /// Keys of what is reckoned here and is no metric of a run.
    static let worstSecond = "worst second's p99_us"
    static func percentile(_ percentile: Double) -> String { "percentile \(percentile)" }
    static func isMetric(_ key: String) -> Bool { key != worstSecond && !key.hasPrefix("percentile ") }

    /// The latencies at the percentiles of the run that has the fewest, from 50 on: the longer a run, the further its list goes.
    private static func percentiles(_ lines: [ResultLine]) -> [(percentile: Double, latency: Estimate)] {
        guard let grid = lines.map(\.latency).min(by: { $0.count < $1.count }) else { return [] }
        return grid.map { $0[0] }.filter { (50..<100).contains($0) }.compactMap { wanted in
            estimate(lines) { line in line.latency.first { $0[0] >= wanted }?[1] }.map { (wanted, $0) }
        }
    }

    private static func timeline(_ lines: [ResultLine]) -> [Second] {
        Set(lines.map(\.timeline).joined().map { $0[0] }).filter(\.isFinite).sorted().map { second in
            func column(_ index: Int) -> Estimate? {
                estimate(lines) { line in line.timeline.first { $0[0] == second }?[index] }
            }
            return Second(second: second, answered: column(1), p99: column(3))
        }
    }

    private static func estimate(_ lines: [ResultLine], _ value: (ResultLine) -> Double?) -> Estimate? {
        Estimate(lines.enumerated().compactMap { index, line in value(line).map { (line.round ?? index + 1, $0) } })
    }
}

extension Sequence where Element: Hashable {
    package func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
