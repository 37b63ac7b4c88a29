package import Foundation

/// One run, with all that is needed to make it again: a line of the raw results.
package struct RunRecord: Codable, Sendable {
    /// Of these fields and their meaning.
    package static let schema = 1

    package var schema = RunRecord.schema
    package var experiment: String
    /// What `connections` counts, such as a connection.
    package var peer: String?
    package var subject: String
    package var connections: Int
    /// From 1; 0 is a calibration.
    package var round: Int
    /// Seconds of load.
    package var duration: Int
    package var workers: Int
    package var ended = Date()
    package var command: [String]?
    package var metrics: [String: Double]?
    /// [percentile, µs] each.
    package var latency: [[Double]]?
    /// [second, answered, p50 in µs, p99 in µs, errors] each; a second without answers has no percentiles.
    package var timeline: [[Double?]]?
    /// The load says that what it measured was the server, and not itself.
    package var vouched: Bool?
    package var doubts: [String]?
    /// Why there are no metrics.
    package var failure: String?
    package var machine: Machine

    package init(_ experiment: any Experiment, _ plan: Plan, _ machine: Machine, _ step: Step, _ outcome: Result<Run, Failure>) {
        self.experiment = experiment.name
        peer = experiment.peer
        subject = step.subject.name
        connections = step.connections
        round = step.round + 1
        duration = plan.duration
        workers = plan.workers(for: experiment.clients(step.connections))
        self.machine = machine
        switch outcome {
        case .success(let run):
            command = run.command
            // JSON has no infinity; such a value says nothing anyway.
            metrics = Dictionary(uniqueKeysWithValues: run.sample.filter(\.value.isFinite).map { ($0.key.rawValue, $0.value) })
            (latency, timeline) = (run.latency, run.timeline)
            (vouched, doubts) = (run.isVouched, run.doubts)
        case .failure(let error): failure = error.description
        }
    }

    /// What was found, as when it was found.
    package var outcome: Result<Run, Failure> {
        guard let metrics else { return .failure(Failure(recorded: failure ?? "the results hold no metrics")) }
        let known = metrics.compactMap { key, value in Metric(rawValue: key).map { ($0, value) } }
        var run = Run(sample: Dictionary(uniqueKeysWithValues: known), command: command ?? [])
        (run.latency, run.timeline) = (latency, timeline)
        (run.isVouched, run.doubts) = (vouched ?? true, doubts ?? [])
        return .success(run)
    }
}

/// Which run it is, among those of one suite.
package struct RunKey: Hashable, Sendable {
    let experiment: String, subject: String
    let connections: Int, round: Int, duration: Int, workers: Int

    init(_ record: RunRecord) {
        (experiment, subject) = (record.experiment, record.subject)
        (connections, round) = (record.connections, record.round)
        (duration, workers) = (record.duration, record.workers)
    }

    init(_ experiment: any Experiment, _ plan: Plan, _ step: Step) {
        self.experiment = experiment.name
        subject = step.subject.name
        (connections, round) = (step.connections, step.round + 1)
        duration = plan.duration
        workers = plan.workers(for: experiment.clients(step.connections))
    }
}
