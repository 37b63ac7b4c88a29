/// Makes the runs of an experiment: interleaved, so that whatever changes on the machine meanwhile meets every subject
/// alike, and beginning with another subject in each round.
package struct Runner {
    private let experiment: any Experiment
    private let plan: Plan
    private let environment: Environment

    package init(_ experiment: any Experiment, plan: Plan, in environment: Environment) {
        self.experiment = experiment
        self.plan = plan
        self.environment = environment
    }

    /// - Parameters:
    ///   - starting: called before each run, with how many are done.
    ///   - finished: called with each run's outcome as soon as it is known.
    package func run(
        starting: (_ done: Int, _ subject: Subject, _ connections: Int, _ round: Int) -> Void,
        finished: (_ subject: Subject, _ connections: Int, _ round: Int, Result<Run, Failure>) throws -> Void
    ) throws -> Results {
        var series = plan.connections.map { connections in
            plan.subjects.map { Series(subject: $0.name, connections: connections) }
        }
        var done = 0
        for round in 0..<plan.rounds {
            for (group, connections) in plan.connections.enumerated() {
                for index in plan.subjects.indices.rotated(by: round) {
                    defer { done += 1 }
                    let subject = plan.subjects[index]
                    // What failed once is not tried again: a server that hangs would cost its time-outs each round.
                    guard series[group][index].failure == nil else { continue }
                    starting(done, subject, connections, round)
                    let outcome = attempt(subject, connections)
                    switch outcome {
                    case .success(let run): series[group][index].add(run.sample)
                    case .failure(let failure): series[group][index].fail(failure)
                    }
                    try finished(subject, connections, round, outcome)
                }
            }
        }
        return Results(series: series.flatMap { $0 })
    }

    private func attempt(_ subject: Subject, _ connections: Int) -> Result<Run, Failure> {
        do {
            try subject.withinReach(of: connections)
            return .success(try experiment.run(subject, connections: connections, plan: plan, in: environment))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure("\(error)"))
        }
    }
}

extension Range where Bound == Int {
    /// The same numbers, beginning `places` further on.
    func rotated(by places: Int) -> [Int] { map { lowerBound + ($0 - lowerBound + places) % count } }
}
