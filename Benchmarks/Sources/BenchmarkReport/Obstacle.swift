import Foundation

/// Why a value is drawn hollow and set beside nobody's.
package enum Obstacle: Equatable, Sendable {
    /// In one round or more.
    case failed
    /// So many connections are more than it can have.
    case leftOut
    /// No request was answered, in one run or more.
    case silent
    /// Only some of the connections were being served: it is fast for those few.
    case partial
    /// More than 1 % of what was asked for went wrong.
    case errors
    /// The load generator may have been what was measured.
    case unvouched
    /// More requests than the percentile leaves over were not answered by the end, and are not in it.
    case bound
}

extension Measure {
    /// A generator that is at its limit, or late, tells nothing of how fast a server could be. What a request cost the server,
    /// and its memory, are the same for all that.
    static func dependsOnGenerator(_ key: String) -> Bool {
        percentile(key) != nil || key.hasSuffix("_per_second")
            || [Cell.worstSecond, Sentences.recovery, Cell.burst, "fairness_jain"].contains(key)
    }

    static func isMemory(_ key: String) -> Bool { key.contains("pss_") }

    /// Of latency: which percentile of it; nil of all else.
    static func percentile(_ key: String) -> Double? {
        switch key {
        case "p50_us": 50
        case "p90_us": 90
        case "p99_us", Cell.worstSecond: 99
        case "p999_us": 99.9
        case "max_us": 100
        default: key.hasPrefix(Cell.percentile) ? Double(key.dropFirst(Cell.percentile.count)) : nil
        }
    }
}

extension Measure {
    /// Of a list of percentiles.
    init(percentile: Double, named key: String) {
        let label = "p" + String(format: "%g", percentile)
        self.init(
            key: key, label: label, title: "latency", unit: .microseconds,
            lead: .least(first: "has the lowest \(label)", last: "the highest"))
    }

    static func percentileName(_ key: String) -> String {
        percentile(key).map { $0 < 100 ? "p" + String(format: "%g", $0) : "greatest latency" } ?? Measure(key).label
    }
}

extension Cell {
    /// Nil where the value can be set beside others'.
    package func obstacle(_ key: String) -> Obstacle? {
        if runs == 0, leftOut != nil { return .leftOut }
        if failedRuns > 0 || runs == 0 { return .failed }
        if silentRuns > 0, !Measure.isMemory(key) { return .silent }
        if !servesAll { return .partial }
        // An overload is made to have errors, and its recovery ends only where there are none.
        if hasErrors(key), !Measure.isMemory(key), key != Sentences.recovery { return .errors }
        if !isVouched(key) { return .unvouched }
        return isBound(key) ? .bound : nil
    }

    package func isComparable(_ key: String) -> Bool { obstacle(key) == nil }

    func isVouched(_ key: String) -> Bool { unvouched == 0 || (blamesGenerator && !Measure.dependsOnGenerator(key)) }

    /// The percentile is of what was answered; so many requests weren't that it can only be higher.
    package func isBound(_ key: String) -> Bool {
        guard let percentile = Measure.percentile(key), unansweredShare > 0 else { return false }
        return unansweredShare > 1 - percentile / 100 + 1e-9
    }

    /// A burst is over when all are answered: what never was is an error of it.
    private func hasErrors(_ key: String) -> Bool {
        errorShare > Self.tolerated || (key == Self.burst && unansweredShare > Self.tolerated)
    }

    /// `†` for not vouched for, `‡` for not all connections served, `§` for errors.
    package var marks: String {
        (unvouched > 0 ? "†" : "") + (servesAll ? "" : "‡") + (errorShare > Self.tolerated ? "§" : "")
    }

    /// The same, as far as they matter to one measure.
    func marks(_ key: String) -> String {
        switch obstacle(key) {
        case .unvouched: "†"
        case .partial: "‡"
        case .errors: "§"
        default: ""
        }
    }

    /// The median as it is shown: a lower bound as one.
    func text(_ estimate: Estimate, _ measure: Measure) -> String {
        (isBound(measure.key) ? "> " : "") + measure.text(estimate.median)
    }

    static let tolerated = 0.01
    static let burst = "burst_seconds"
}

extension ResultLine {
    /// Left out because so many connections are out of reach, with what stands behind.
    var leftOut: String? {
        failure.flatMap { $0.hasPrefix("left out") ? String($0.dropFirst("left out".count).trimmingPrefix { ": ".contains($0) }) : nil }
    }

    /// Requests that were answered; nil where they were not counted.
    var answered: Double? {
        if let requests = metrics["requests"] { return requests }
        guard let speed = Measure.speeds.lazy.compactMap({ metrics[$0] }).first else { return nil }
        return speed == 0 ? 0 : duration.map { speed * $0 }
    }

    /// By kind, without those that were not answered in time: those are counted apart.
    var errors: [String: Double] {
        metrics.filter { ($0.key.hasPrefix("errors_") && !Self.late.contains($0.key) || Self.wrkErrors.contains($0.key)) && $0.value > 0 }
    }

    var unanswered: Double { Self.late.compactMap { metrics[$0] }.reduce(0, +) }

    private static let late = ["errors_unanswered", "errors_timeout"]
    private static let wrkErrors = ["socket_errors", "timeouts", "bad_statuses"]
}
