import BenchmarkHarness

struct LoadAgainstWrk: Experiment {
    let name = "load-against-wrk"
    let summary = "the same server under reactor load and under wrk, in turns: whether our generator measures what wrk does"
    let needsWrk = true
    let mainMetric = Metric.requestsPerSecond

    let reading = """
        reactor load, wrk  requests a second, the median of three turns each on one server; × wrk: wanted between 0.95 and 1.05
        """

    let defaults = Plan(subjects: [.reactor, .floor, .nginx], connections: [64], duration: 2)

    let columns: [Column] = [
        .median(.requestsPerSecond, "reactor load", Format.count),
        .median(.wrkRequestsPerSecond, "wrk", Format.count),
        .ratio(.requestsPerSecond, toOwn: .wrkRequestsPerSecond, "× wrk"),
        .spread(.requestsPerSecond),
        .spread(.wrkRequestsPerSecond),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try GeneratorRun(connections: connections, seconds: plan.duration).run(subject, in: environment)
    }
}
