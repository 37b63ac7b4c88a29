import BenchmarkHarness

struct SlowClients: Experiment {
    let name = "slow-clients"
    let summary = "N clients that send a byte at a time, or read one, beside 64 that behave"
    let service = Service.bytes
    let peer = "slow client"
    let mainMetric = Metric.p99

    let reading = """
        answered/s … fairness  of the 64 clients that behave, from whom 20,000 requests a second are due, whatever the server
                               does; latency counts from when a request was due. Fairness is Jain's index: 1 is the same
                               for all, 1/64 all for one. is × reactor: "same" where p99 differs by no more than chance and
                               noise
        Half of the slow clients send ten bytes of a request a second; the others ask for a hundred answers of 64 KiB and
        read ten bytes of them a second. Those that a server cuts off come again.
        thread-pool and prefork have 128 workers, unless --workers says otherwise: twice what the clients that behave need.
        """

    let defaults: Plan = {
        var plan = Plan(
            subjects: Subject.architecturesThatScale + [.floor, .nginx], connections: [0, 64, 128, 256], duration: 3)
        plan.workers = 128
        return plan
    }()

    private static let busy = 64
    /// Requests a second: what all can bear without slow clients.
    private static let rate = 20_000.0
    func clients(_ connections: Int) -> Int { connections + Self.busy }

    let columns: [Column] = [
        .median(.requestsPerSecond, "answered/s", Format.count),
        .median(.p50, "p50", Format.microseconds),
        .median(.p99, "p99", Format.microseconds),
        .difference(.p99),
        .median(.worst, "max", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .median(.fairness, "fairness", Format.cost),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let load = ReactorLoad(connections: Self.busy, seconds: plan.duration, rate: Self.rate, options: ["--timeout", "3"])
        var run = ReactorLoadRun(load, workers: plan.workers(for: clients(connections)))
        run.slow = connections
        return try run.run(subject, in: environment)
    }
}
