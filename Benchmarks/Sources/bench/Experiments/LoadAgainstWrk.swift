import BenchmarkHarness

struct LoadAgainstWrk: Experiment {
    let name = "load-against-wrk"
    let summary = "the same server under reactor load and under wrk, in turns: whether our generator measures what wrk does"
    let needsWrk = true
    let mainMetric = Metric.requestsPerSecond

    let reading = """
        reactor load, wrk  requests a second, the median of three turns each on one server, of which either goes first in turn
        × wrk, agree       wanted between 0.95 and 1.05
        its CPU            what the generator before it used of a core: at 100 % it is itself what is measured, and the two differ as
                           they differ in speed
        """

    /// Servers that are faster than what loads them, and servers that are slower: only with these can both agree.
    let defaults = Plan(
        subjects: [.reactor, .floor, .nginx] + Subject.architectures.filter { ["thread", "prefork"].contains($0.name) },
        connections: [64], duration: 2)

    let columns: [Column] = [
        .median(.requestsPerSecond, "reactor load", Format.count),
        .median(.loadShare, "its CPU", Format.share),
        .median(.wrkRequestsPerSecond, "wrk", Format.count),
        .median(.wrkShare, "its CPU", Format.share),
        .ratio(.requestsPerSecond, toOwn: .wrkRequestsPerSecond, "× wrk"),
        .verdict(.requestsPerSecond, toOwn: .wrkRequestsPerSecond, within: 0.95...1.05, "agree"),
        .spread(.requestsPerSecond),
        .spread(.wrkRequestsPerSecond),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try GeneratorRun(connections: connections, seconds: plan.duration).run(subject, in: environment)
    }
}
