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
    /// What went wrong, each reason once, and in how many rounds.
    package let failures: [String]
    package let failedRuns: Int
    /// Why it was left out here.
    package let leftOut: String?
    package let doubts: [String]
    /// Runs that the load generator does not vouch for. They count as the others do: which of them it doubts has to do with
    /// how fast they were.
    package let unvouched: Int
    /// All doubts are about the generator itself.
    let blamesGenerator: Bool
    /// Runs in which nothing was answered.
    package let silentRuns: Int
    /// Of all that was asked for: what went wrong, and what was not answered in time.
    package let errorShare, unansweredShare: Double
    /// What went wrong in all runs together, by kind.
    package let errors: [String: Double]

    package struct Second: Sendable {
        let second: Double
        let answered, p99: Estimate?
    }

    /// - Parameter countsConnections: what is varied is how many connections there are.
    init(subject: String, swept: Int, lines: [ResultLine], countsConnections: Bool) {
        self.subject = subject
        self.swept = swept
        leftOut = lines.lazy.compactMap(\.leftOut).first
        let failed = lines.filter { $0.failure != nil && $0.leftOut == nil }
        failures = failed.compactMap(\.failure).uniqued()
        failedRuns = failed.count
        let used = lines.filter { $0.failure == nil }
        runs = used.count
        let doubted = used.filter { !$0.vouched }
        unvouched = doubted.count
        // 96 % of a core and 97 % of it are one reason.
        var known: Set<String> = []
        doubts = doubted.flatMap { $0.doubts.isEmpty ? ["no reason given"] : $0.doubts }
            .filter { known.insert($0.filter { !$0.isNumber }).inserted }
        blamesGenerator = doubts.allSatisfy { $0.contains("the generator") }
        silentRuns = used.count { $0.answered == 0 }
        errors = used.reduce(into: [:]) { all, line in all.merge(line.errors, uniquingKeysWith: +) }
        let counted = used.filter { $0.answered != nil }
        let answered = counted.compactMap(\.answered).reduce(0, +)
        let wrong = counted.flatMap(\.errors.values).reduce(0, +), late = counted.map(\.unanswered).reduce(0, +)
        errorShare = wrong > 0 ? wrong / (answered + wrong + late) : 0
        unansweredShare = late > 0 ? late / (answered + late) : 0
        var estimates: [String: Estimate] = [:]
        for key in Set(used.flatMap(\.metrics.keys)) { estimates[key] = Self.estimate(used) { $0.metrics[key] } }
        estimates[Self.worstSecond] = Self.estimate(used) { $0.timeline.map { $0[3] }.filter(\.isFinite).max() }
        estimates[Self.againstWrk] = Self.estimate(used) { line in
            let own = line.metrics["requests_per_second"], wrk = line.metrics["wrk_requests_per_second"]
            guard let own, let wrk, wrk > 0 else { return nil }
            return own / wrk
        }
        percentiles = Self.percentiles(used.filter { !$0.latency.isEmpty })
        for point in percentiles { estimates[Self.percentile(point.percentile)] = point.latency }
        self.estimates = estimates
        timeline = Self.timeline(used)
        served = countsConnections ? used.compactMap { $0.metrics["connections_served"] }.min() : nil
    }

    package subscript(key: String) -> Estimate? { estimates[key] }

    /// All connections were being served, as far as the run says.
    package var servesAll: Bool { served.map { $0 >= Double(swept) } ?? true }
    package let served: Double?

    /// Keys of what is reckoned here and is no metric of a run.
    static let worstSecond = "worst second's p99_us"
    static let againstWrk = "requests by our generator for each by wrk"
    static let percentile = "percentile "
    static func percentile(_ percentile: Double) -> String { "\(Self.percentile)\(percentile)" }
    static func isMetric(_ key: String) -> Bool { key != worstSecond && key != againstWrk && !key.hasPrefix(percentile) }

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
