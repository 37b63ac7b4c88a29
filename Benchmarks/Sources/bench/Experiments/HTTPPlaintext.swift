import BenchmarkHarness

struct HTTPPlaintext: Experiment {
    let name = "http-plaintext"
    let summary = "GET /plaintext on 64 keep-alive connections, beside the servers that people use"
    let needsWrk = true

    let reading = """
        CPU µs/req  user and system time of the server for one request; × …: as a multiple of that server's in this run.
                    Wanted of reactor: 1.10× floor, 0.95× nginx, 0.55× nio and 0.28× hummingbird at most
        memory      proportional set size that each connection adds while it is in use
        """

    let defaults = Plan(subjects: [.reactor, .floor, .nginx, .nio, .hummingbird], connections: [64], duration: 3)

    let columns: [Column] = [
        .served,
        .median(.requestsPerSecond, "requests/s", Format.count),
        .median(.p99, "p99", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .ratio(.cpuPerRequest),
        .ratio(.cpuPerRequest, to: .nginx),
        .ratio(.cpuPerRequest, to: .nio),
        .ratio(.cpuPerRequest, to: .hummingbird),
        .spread(.cpuPerRequest),
        .median(.memoryPerConnection, "memory/conn", Format.bytes),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try LoadRun(connections: connections, workers: plan.workers(for: connections), seconds: plan.duration)
            .run(subject, in: environment)
    }
}
