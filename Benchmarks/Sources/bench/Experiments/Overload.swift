import BenchmarkHarness

struct Overload: Experiment {
    let name = "overload"
    let summary = "twice what each subject can do, for some seconds: what is answered meanwhile, and how long it takes to recover"
    let mainMetric = Metric.recoverySeconds
    let calibration: Int? = 0

    let reading = """
        capacity   requests a second as fast as answers come, on as many connections; measured first, for each subject
        in it      answered a second, and the median of the seconds' p99, while twice the capacity is offered
        recovery   from the end of the overload to the first of three seconds in a row whose p99 is within twice what it was
                   before (or a millisecond of it), without errors; –: not within the time that was watched
        Half of the capacity is offered all the time, on connections of its own, whose latency is shown; three halves come
        on top of it for as long as --duration says.
        """

    let defaults = Plan(subjects: Subject.architecturesThatScale + [.floor, .nginx], connections: [64], duration: 4)

    /// Half of the connections are there all the time.
    func clients(_ connections: Int) -> Int { connections == 0 ? Self.calibrating : connections * 2 }
    private static let calibrating = 64

    func seconds(_ plan: Plan) -> Int { OverloadRun.seconds(overload: plan.duration) }

    let columns: [Column] = [
        .median(.offeredPerSecond, "offered/s", Format.count),
        .median(.requestsPerSecond, "in it: answered/s", Format.count),
        .median(.p99, "p99", Format.microseconds),
        .median(.recoverySeconds, "recovery", Format.seconds),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        guard connections != calibration else {
            let load = ReactorLoad(connections: Self.calibrating, seconds: 2)
            return try ReactorLoadRun(load, workers: plan.workers(for: Self.calibrating)).run(subject, in: environment)
        }
        guard let capacity = plan.capacities[subject.name], capacity > 2 else {
            throw Failure("what \(subject.name) can do at most is not known")
        }
        return try OverloadRun(
            capacity: capacity, connections: connections, seconds: plan.duration,
            workers: plan.workers(for: clients(connections))
        ).run(subject, in: environment)
    }
}
