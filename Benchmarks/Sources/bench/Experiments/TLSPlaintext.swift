import BenchmarkHarness

struct TLSPlaintext: Experiment {
    let name = "tls-plaintext"
    let summary = "GET /plaintext over TLS 1.3 with AES_256_GCM_SHA384, on 64 keep-alive connections"
    let needsWrk = true
    let service = Service.https

    let reading = """
        CPU µs/req  user and system time of the server for one request; × nginx: as a multiple of its in this run. Wanted
                    of reactor: 1.10× at most
        memory      proportional set size that each connection adds while it is in use
        """

    let defaults = Plan(subjects: [.reactor, .nginx], connections: [64], duration: 3)

    let columns: [Column] = [
        .served,
        .median(.requestsPerSecond, "requests/s", Format.count),
        .median(.p50, "p50", Format.microseconds),
        .median(.p99, "p99", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .ratio(.cpuPerRequest, to: .nginx),
        .spread(.cpuPerRequest),
        .median(.memoryPerConnection, "memory/conn", Format.bytes),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try LoadRun(
            service, connections: connections, workers: plan.workers(for: connections), seconds: plan.duration
        ).run(subject, in: environment)
    }
}
