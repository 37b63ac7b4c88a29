import BenchmarkHarness
import CBenchSystem
import Foundation

/// The experiments of one command, run one after the other.
struct Suite {
    let experiments: [(experiment: any Experiment, plan: Plan)]
    let machine: Machine
    let environment: Environment
    let raw: RawResults
    /// Runs of before, which are not made again.
    let known: [RunKey: RunRecord]
    /// Takes the tables.
    let show: (String) -> Void

    /// Starting and stopping servers, warming them up, and waiting for rest: the mean of a suite.
    private static let secondsAround = 1.2

    /// - Parameter round: from 0; -1 is a calibration.
    private static func secondsOfRun(_ experiment: any Experiment, _ plan: Plan, round: Int) -> Double {
        Double(experiment.seconds(plan) + (round == 0 ? experiment.secondsOnce(plan) : 0)) + secondsAround
    }

    static func seconds(_ experiment: any Experiment, _ plan: Plan) -> Double {
        let rounds = (0..<plan.rounds).reduce(0) { $0 + secondsOfRun(experiment, plan, round: $1) }
        let calibration = experiment.calibration == nil ? 0 : secondsOfRun(experiment, plan, round: -1)
        return Double(plan.subjects.count) * (Double(plan.connections.count) * rounds + calibration)
    }

    /// - Returns: false if something could not be measured.
    func run() throws -> Bool {
        let steps = experiments.reduce(0) { $0 + $1.plan.stepCount(calibrates: $1.experiment.calibration != nil) }
        let seconds = experiments.reduce(0) { $0 + Self.seconds($1.experiment, $1.plan) }
        let progress = SuiteProgress(total: steps, expected: seconds)
        defer { progress.clear() }
        var succeeded = true
        for (experiment, plan) in experiments {
            let results = try run(experiment, plan, progress)
            progress.clear()
            show(report(experiment, plan, results))
            succeeded = succeeded && !results.hasFailures
        }
        return succeeded
    }

    private func run(_ experiment: any Experiment, _ plan: Plan, _ progress: SuiteProgress) throws -> Results {
        try Runner(experiment, plan: plan, in: environment, known: known).run { step, isKnown in
            let round = step.round < 0 ? "calibration" : "round \(step.round + 1)"
            progress.starting(
                "\(experiment.name): \(step.subject.name), \(experiment.peers) \(step.connections), \(round)",
                expected: Self.secondsOfRun(experiment, plan, round: step.round), isKnown: isKnown)
        } finished: { step, outcome in
            let record = RunRecord(experiment, plan, machine, step, outcome)
            try raw.write(record)
            guard case .failure(let failure) = outcome, !failure.isLeftOut else { return }
            let log = try failure.log.flatMap { try raw.keep(log: $0, of: record) }
            progress.note("bench: \(step.subject.name): \(failure)" + (log.map { "; all of it is in \($0)" } ?? ""))
        }
    }

    private func report(_ experiment: any Experiment, _ plan: Plan, _ results: Results) -> String {
        let notes = experiment.comparedMetrics.compactMap { results.noise($0, $0.inWords) } + [harness(results)].compactMap { $0 }
        let table = results.table(experiment.columns, peer: experiment.peer, peers: experiment.peers)
        return ([heading(experiment, plan), table, experiment.reading] + (notes.isEmpty ? [] : [notes.joined(separator: "\n")]))
            .joined(separator: "\n\n") + "\n"
    }

    private func harness(_ results: Results) -> String? {
        results.series.flatMap { $0.values(.harnessShare) }.max().map {
            String(format: "harness: at most %.1f %% of a core while it measured", $0 * 100)
        }
    }

    private func heading(_ experiment: any Experiment, _ plan: Plan) -> String {
        let duration = plan.duration > 0 ? "\(plan.duration) s a run, " : ""
        let rounds = plan.rounds == 1 ? "one round, no medians" : "medians of \(plan.rounds) rounds"
        return """
            \(experiment.name): \(experiment.summary)
            \(machine.description)
            \(duration)\(rounds), subjects interleaved\(plan.workers.map { ", \($0) workers" } ?? "")
            """
    }
}
