import BenchmarkHarness

struct Echo: Experiment {
    let name = "echo"
    let summary = "TCP echo of 64 bytes, one message on its way on each of 64 connections"
    let service = Service.echo

    let reading = """
        CPU µs/trip  user and system time of the server for one message and its way back; × floor: as a multiple of the
                     C server's in this run. Wanted of reactor: 1.05× at most
        """

    let defaults = Plan(subjects: [.reactor, .floor], connections: [64], duration: 3)

    let columns: [Column] = [
        .median(.roundTripsPerSecond, "round trips/s", Format.count),
        .median(.cpuPerRoundTrip, "CPU µs/trip", Format.cost),
        .ratio(.cpuPerRoundTrip),
        .spread(.cpuPerRoundTrip),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try CostRun(service, workers: plan.workers(for: connections), seconds: plan.duration) { port, milliseconds in
            Load("echo", port: port, [connections, milliseconds], in: environment)
        }.run(subject, in: environment) { report, cpu in
            [
                .roundTripsPerSecond: report.count / report.seconds,
                .cpuPerRoundTrip: cpu / 1000 / report.count,
            ]
        }
    }
}
