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
    /// What the plan's numbers of connections count.
    var peer: String { get }

    /// Makes one run, on a server of its own.
    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run
}

extension Experiment {
    package var needsWrk: Bool { false }
    package var service: Service { .http }
    package var peer: String { "connection" }
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
    package let sample: Sample
    package let command: [String]
    package init(sample: Sample, command: [String]) {
        self.sample = sample
        self.command = command
    }
}

/// One column of an experiment's table.
package struct Column: Sendable {
    let heading: String
    /// The cell for a subject, given the results of all at the same number of connections.
    let cell: @Sendable (_ result: Series, _ all: [Series]) -> String?

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

    /// The same for every subject, such as a limit.
    package static func constant(_ value: String, _ heading: String) -> Column {
        Column(heading: heading) { _, _ in value }
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
        let kinds: [(Metric, String)] = [(.socketErrors, "socket"), (.timeouts, "late"), (.badStatuses, "status")]
        let found = kinds.compactMap { metric, name in
            let total = result.values(metric).reduce(0, +)
            return total > 0 ? "\(Format.count(total)) \(name)" : nil
        }
        return found.isEmpty ? "0" : found.joined(separator: ", ")
    }
}
