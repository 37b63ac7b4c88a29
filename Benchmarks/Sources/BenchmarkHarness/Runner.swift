/// One run among those of an experiment.
package struct Step: Sendable {
    package let subject: Subject
    package let connections: Int
    /// From 0; -1 is a calibration.
    package let round: Int
}

/// Makes the runs of an experiment: interleaved, so that whatever changes on the machine meanwhile meets every subject
/// alike, and beginning with another subject in each round.
package struct Runner {
    private let experiment: any Experiment
    private let environment: Environment
    /// Runs that were made before, and need not be made again.
    private let known: [RunKey: RunRecord]
    private var plan: Plan

    package init(_ experiment: any Experiment, plan: Plan, in environment: Environment, known: [RunKey: RunRecord] = [:]) {
        self.experiment = experiment
        self.plan = plan
        self.environment = environment
        self.known = known
    }

    package typealias Starting = (_ step: Step, _ isKnown: Bool) -> Void
    package typealias Finished = (Step, Result<Run, Failure>) throws -> Void

    /// - Parameters:
    ///   - starting: called before each step, those that need not or cannot be made too.
    ///   - finished: called with the outcome of each run that was made, as soon as it is known, and once for what is left out.
    package func run(starting: Starting, finished: Finished) throws -> Results {
        var runner = self
        var failures: [String: Failure] = [:]
        if let connections = experiment.calibration {
            failures = try runner.calibrate(at: connections, starting, finished)
            runner.plan = experiment.settled(runner.plan)
        }
        return try runner.runAll(failed: failures, starting, finished)
    }

    private mutating func calibrate(
        at connections: Int, _ starting: Starting, _ finished: Finished
    ) throws -> [String: Failure] {
        var failures: [String: Failure] = [:]
        for subject in plan.subjects {
            switch try outcome(of: Step(subject: subject, connections: connections, round: -1), starting, finished) {
            case .success(let run): plan.capacities[subject.name] = run.sample[.requestsPerSecond]
            case .failure(let failure): failures[subject.name] = failure
            }
        }
        return failures
    }

    private func runAll(failed: [String: Failure], _ starting: Starting, _ finished: Finished) throws -> Results {
        var series = plan.connections.map { connections in
            plan.subjects.map { subject in
                var series = Series(subject: subject.name, connections: connections)
                if let failure = failed[subject.name] { series.fail(failure) }
                return series
            }
        }
        for round in 0..<plan.rounds {
            for (group, connections) in plan.connections.enumerated() {
                for index in plan.subjects.indices.rotated(by: round) {
                    let step = Step(subject: plan.subjects[index], connections: connections, round: round)
                    // What failed once is not tried again: a server that hangs would cost its time-outs each round.
                    guard series[group][index].failure == nil else {
                        starting(step, true)
                        continue
                    }
                    if let failure = step.subject.outOfReach(of: experiment.clients(connections)) {
                        series[group][index].fail(failure)
                        starting(step, true)
                        // Once, so that a report can say so.
                        if known[RunKey(experiment, plan, step)] == nil { try finished(step, .failure(failure)) }
                        continue
                    }
                    switch try outcome(of: step, starting, finished) {
                    case .success(let run): series[group][index].add(run, round: round)
                    case .failure(let failure): series[group][index].fail(failure)
                    }
                }
            }
        }
        return Results(series: series.flatMap { $0 })
    }

    private func outcome(of step: Step, _ starting: Starting, _ finished: Finished) throws -> Result<Run, Failure> {
        if let record = known[RunKey(experiment, plan, step)] {
            starting(step, true)
            return record.outcome
        }
        starting(step, false)
        let outcome = attempt(step)
        try finished(step, outcome)
        return outcome
    }

    private func attempt(_ step: Step) -> Result<Run, Failure> {
        var plan = plan
        plan.round = step.round
        do {
            return .success(
                try experiment.run(step.subject, connections: step.connections, plan: plan, in: environment))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure("\(error)"))
        }
    }
}

extension Plan {
    /// All steps, the calibration's too.
    package func stepCount(calibrates: Bool) -> Int { runCount + (calibrates ? subjects.count : 0) }
}

extension Range where Bound == Int {
    /// The same numbers, beginning `places` further on.
    func rotated(by places: Int) -> [Int] { map { lowerBound + ($0 - lowerBound + places) % count } }
}
