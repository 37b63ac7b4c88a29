import BenchmarkHarness

struct Accept: Experiment {
    let name = "accept"
    let summary = "GET /plaintext, each on a new connection, 64 at a time: accepted, answered and closed"
    let service = Service.shortHTTP

    let reading = """
        conns/CPU s  connections accepted, answered and closed for each second of the server's user and system time;
                     × nginx, × floor: as a multiple of theirs in this run. Wanted of reactor: 1.00× nginx at least
        failed       connections that ended without a whole answer, in all rounds together
        """

    let defaults = Plan(subjects: [.reactor, .nginx, .floor], connections: [64], duration: 3)

    let columns: [Column] = [
        .median(.connectionsPerSecond, "conns/s", Format.count),
        .median(.connectionsPerCPUSecond, "conns/CPU s", Format.count),
        .ratio(.connectionsPerCPUSecond, to: .nginx),
        .ratio(.connectionsPerCPUSecond),
        .spread(.connectionsPerCPUSecond),
        .total(.socketErrors, "failed"),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try CostRun(service, workers: plan.workers(for: connections), seconds: plan.duration) { port, milliseconds in
            Load("short-connections", port: port, [connections, milliseconds], in: environment)
        }.run(subject, in: environment) { report, cpu in
            [
                .connectionsPerSecond: report.count / report.seconds,
                .connectionsPerCPUSecond: report.count / (cpu / 1e9),
                .socketErrors: report.failures,
            ]
        }
    }
}
