import BenchmarkHarness

struct IdleHerd: Experiment {
    let name = "idle-herd"
    let summary = "0 to 15,000 idle connections beside 64 busy ones: what those cost that do nothing"
    let peer = "idle connection"
    let mainMetric = Metric.p99

    let reading = """
        answered/s, p99, CPU µs/req  of the 64 busy connections, on which 20,000 requests a second are due, whatever the
                                     server does; latency counts from when a request was due. is × reactor: "same" where what
                                     stands before it differs by no more than chance and noise
        memory/idle                  proportional set size that an idle connection adds, children included
        thread-pool and prefork get as many workers as there are connections, unless --workers says otherwise. 1,024
        processes, 10,000 threads of a pool and 16,384 threads for a connection each are the most that is tried.
        """

    let defaults = Plan(
        subjects: Subject.architecturesThatScale + [.floor, .nginx], connections: [0, 900, 5000, 15_000], duration: 3)

    private static let busy = 64
    /// Requests a second: what all can bear, so that latency is the server's answer, and not how fast the generator asks again.
    private static let rate = 20_000.0
    func clients(_ connections: Int) -> Int { connections + Self.busy }

    let columns: [Column] = [
        .median(.requestsPerSecond, "answered/s", Format.count),
        .median(.p50, "p50", Format.microseconds),
        .median(.p99, "p99", Format.microseconds),
        .difference(.p99),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .interval(.cpuPerRequest),
        .difference(.cpuPerRequest),
        .median(.memoryPerIdleConnection, "memory/idle", Format.bytes),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let load = ReactorLoad(connections: Self.busy, seconds: plan.duration, rate: Self.rate)
        var run = ReactorLoadRun(load, workers: plan.workers(for: clients(connections)))
        if connections > 0 { run.idle = connections }
        return try run.run(subject, in: environment)
    }
}
