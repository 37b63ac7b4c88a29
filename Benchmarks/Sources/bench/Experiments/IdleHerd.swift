import BenchmarkHarness

struct IdleHerd: Experiment {
    let name = "idle-herd"
    let summary = "0 to 15,000 idle connections beside 64 busy ones: what those cost that do nothing"
    let peer = "idle connection"

    let reading = """
        requests/s, p99, CPU µs/req  of the 64 busy connections; is × reactor: "same" where it differs by no more than chance
                                     and noise
        memory/idle                  proportional set size that an idle connection adds, children included
        fairness                     Jain's index of what the 64 were given: 1 is the same for all, 1/64 all for one
        thread-pool and prefork get as many workers as there are connections, unless --workers says otherwise;
        1,024 threads or processes are the most that reactor serve starts: beyond, those architectures are left out.
        """

    let defaults = Plan(
        subjects: Subject.architecturesThatScale + [.floor, .nginx], connections: [0, 900, 5000, 15_000], duration: 3)

    private static let busy = 64
    func clients(_ connections: Int) -> Int { connections + Self.busy }

    let columns: [Column] = [
        .median(.requestsPerSecond, "requests/s", Format.count),
        .median(.p99, "p99", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .interval(.cpuPerRequest),
        .difference(.cpuPerRequest),
        .median(.memoryPerIdleConnection, "memory/idle", Format.bytes),
        .median(.fairness, "fairness", Format.cost),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let load = ReactorLoad(connections: Self.busy, seconds: plan.duration)
        var run = ReactorLoadRun(load, workers: plan.workers(for: clients(connections)))
        if connections > 0 { run.idle = connections }
        return try run.run(subject, in: environment)
    }
}
