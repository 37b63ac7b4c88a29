/// One question put to several servers. An experiment says what a run measures and how the results are shown; starting
/// subjects, interleaving, medians, tables and raw results are the same for all.
package protocol Experiment: Sendable {
    /// What one types after `bench run`.
    var name: String { get }
    /// One line for `bench list`.
    var summary: String { get }
    /// What the reader is looking at, printed under the table.
    var reading: String { get }
    var defaults: Plan { get }
    /// Behind the subject, which every table begins with.
    var columns: [Column] { get }
    /// wrk makes the load.
    var needsWrk: Bool { get }
    /// What a subject must offer to take part.
    var service: Service { get }
    /// What the plan's numbers of connections count, and more than one of them.
    var peer: String { get }
    var peers: String { get }
    /// How many connections there are at one of the plan's numbers; and so many workers, unless the plan says otherwise.
    func clients(_ connections: Int) -> Int
    /// By which subjects are compared first of all.
    var mainMetric: Metric { get }
    /// The number of connections, and whatever else, at which each subject is run once before all others, to find what it
    /// can do at most; nil where that isn't asked.
    var calibration: Int? { get }
    /// How long the load of a run lasts.
    func seconds(_ plan: Plan) -> Int
    /// How much longer a run of the first round takes.
    func secondsOnce(_ plan: Plan) -> Int
    /// The plan once ``Plan/capacities`` are known.
    func settled(_ plan: Plan) -> Plan

    /// Makes one run, on a server of its own.
    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run
}

extension Experiment {
    package var needsWrk: Bool { false }
    package var service: Service { .http }
    package var peer: String { "connection" }
    package var peers: String { peer + "s" }
    package func clients(_ connections: Int) -> Int { connections }
    package var mainMetric: Metric { .cpuPerRequest }
    package var calibration: Int? { nil }
    package func seconds(_ plan: Plan) -> Int { plan.duration }
    package func secondsOnce(_ plan: Plan) -> Int { 0 }
    package func settled(_ plan: Plan) -> Plan { plan }

    /// By what subjects are told apart: first of all, and in the columns of the table.
    package var comparedMetrics: [Metric] {
        columns.compactMap(\.compared).reduce(into: [mainMetric]) { metrics, metric in
            if !metrics.contains(metric) { metrics.append(metric) }
        }
    }
}

/// How much of an experiment is run.
package struct Plan: Sendable {
    package var subjects: [Subject]
    package var connections: [Int]
    /// Seconds of load in each run; 0 in experiments without load.
    package var duration: Int
    package var rounds: Int
    /// Workers of the subjects that have a fixed number of them; nil for as many as there are connections.
    package var workers: Int?
    /// Requests a second that each subject managed when it was calibrated, by name.
    package var capacities: [String: Double] = [:]
    /// Which round is being made, from 0.
    package var round = 0

    package init(subjects: [Subject], connections: [Int], duration: Int, rounds: Int = 3) {
        self.subjects = subjects
        self.connections = connections
        self.duration = duration
        self.rounds = rounds
    }

    package func workers(for connections: Int) -> Int { workers ?? connections }
    package var runCount: Int { subjects.count * connections.count * rounds }
}

/// What one run measured, and the command that started the server.
package struct Run: Sendable {
    package var sample: Sample
    package let command: [String]
    /// [percentile, µs] each.
    package var latency: [[Double]]?
    /// [second, answered, p50 in µs, p99 in µs, errors] each.
    package var timeline: [[Double?]]?
    /// The load says that what it measured was the server, and not itself.
    package var isVouched = true
    /// Why it doesn't.
    package var doubts: [String] = []

    package init(sample: Sample, command: [String]) {
        self.sample = sample
        self.command = command
    }

    /// What this is a part of is vouched for as far as its parts are.
    package mutating func doubt(_ part: Run) {
        isVouched = isVouched && part.isVouched
        doubts += part.doubts.filter { !doubts.contains($0) }
    }
}

/// One column of an experiment's table.
package struct Column: Sendable {
    let heading: String
    /// By which it tells subjects apart.
    package var compared: Metric?
    /// The cell for a subject, given the results of all at the same number of connections.
    let cell: @Sendable (_ result: Series, _ all: [Series]) -> String?

    init(
        heading: String, compared: Metric? = nil,
        cell: @escaping @Sendable (_ result: Series, _ all: [Series]) -> String?
    ) {
        (self.heading, self.compared, self.cell) = (heading, compared, cell)
    }

    package static func median(
        _ metric: Metric, _ heading: String, _ format: @escaping @Sendable (Double) -> String
    ) -> Column {
        Column(heading: heading) { result, _ in result.median(metric).map(format) }
    }

    /// The median as a multiple of another subject's.
    package static func ratio(_ metric: Metric, to other: Subject = .floor) -> Column {
        let name = other.name
        return Column(heading: "× \(name)") { result, all in
            guard let value = result.median(metric), let base = all.first(where: { $0.subject == name })?.median(metric),
                base > 0
            else { return nil }
            return Format.ratio(value / base)
        }
    }

    /// The median as a multiple of the median of another metric of the same subject.
    package static func ratio(_ metric: Metric, toOwn other: Metric, _ heading: String) -> Column {
        Column(heading: heading) { result, _ in
            guard let value = result.median(metric), let base = result.median(other), base > 0 else { return nil }
            return Format.ratio(value / base)
        }
    }

    /// The greatest value of all rounds.
    package static func greatest(
        _ metric: Metric, _ heading: String, _ format: @escaping @Sendable (Double) -> String
    ) -> Column {
        Column(heading: heading) { result, _ in result.values(metric).max().map(format) }
    }

    /// The sum of all rounds.
    package static func total(_ metric: Metric, _ heading: String) -> Column {
        Column(heading: heading) { result, _ in Format.count(result.values(metric).reduce(0, +)) }
    }

    /// Whether the value of every round is within a limit.
    package static func verdict(_ metric: Metric, atMost limit: Double) -> Column {
        Column(heading: "within") { result, _ in
            result.values(metric).max().map { $0 <= limit ? "yes" : "NO" }
        }
    }

    /// Whether the ratio of a median to that of another metric of the same subject is within limits.
    package static func verdict(
        _ metric: Metric, toOwn other: Metric, within limits: ClosedRange<Double>, _ heading: String
    ) -> Column {
        Column(heading: heading) { result, _ in
            guard let value = result.median(metric), let base = result.median(other), base > 0 else { return nil }
            return limits.contains(value / base) ? "yes" : "NO"
        }
    }

    /// The same for every subject, such as a limit.
    package static func constant(_ value: String, _ heading: String) -> Column {
        Column(heading: heading) { _, _ in value }
    }

    /// Between which values the median lies, with a confidence of 95 %.
    package static func interval(
        _ metric: Metric, _ heading: String = "95 %", _ format: @escaping @Sendable (Double) -> String = Format.cost
    ) -> Column {
        Column(heading: heading) { result, _ in
            Resampling.interval(ofMedian: result.values(metric)).map { "\(format($0.low))–\(format($0.high))" }
        }
    }

    /// The median as a multiple of another subject's, if they differ by more than chance and noise; "same" otherwise. Nothing
    /// of a single round, and "(?)" where the load doesn't vouch for one of both.
    ///
    /// - Parameter beyondNoise: false where noise itself is looked at.
    package static func difference(
        _ metric: Metric, from other: Subject = .reactor, beyondNoise: Bool = true
    ) -> Column {
        let name = other.name
        return Column(heading: "is × \(name)", compared: metric) { result, all in
            guard result.subject != name, let base = all.first(where: { $0.subject == name }) else { return nil }
            guard result.vouches(for: metric), base.vouches(for: metric) else { return "(?)" }
            guard
                let comparison = Comparison(paired: result.pairs(metric, with: base), noise: beyondNoise ? result.noise[metric] ?? 0 : 0),
                comparison.interval != nil
            else { return nil }
            return comparison.verdict == .significant ? Format.ratio(comparison.ratio) : "same"
        }
    }

    package static func spread(_ metric: Metric) -> Column {
        Column(heading: "spread") { result, _ in Statistics.spread(result.values(metric)).map(Format.percent) }
    }

    /// How many of the connections were served; the least of all rounds.
    package static let served = Column(heading: "served") { result, _ in
        result.values(.served).min().map {
            Int($0) == result.connections ? "all" : "\(Format.count($0)) of \(result.connections)"
        }
    }

    /// What went wrong in all rounds together.
    package static let errors = Column(heading: "errors") { result, _ in
        let kinds: [(Metric, String)] = [
            (.socketErrors, "socket"), (.timeouts, "late"), (.badStatuses, "status"), (.connectErrors, "refused"),
            (.closedErrors, "closed"), (.timeoutErrors, "late"), (.statusErrors, "status"), (.protocolErrors, "no HTTP"),
            (.unanswered, "unanswered"),
        ]
        let found = kinds.compactMap { metric, name in
            let total = result.values(metric).reduce(0, +)
            return total > 0 ? "\(Format.count(total)) \(name)" : nil
        }
        return found.isEmpty ? "0" : found.joined(separator: ", ")
    }
}
