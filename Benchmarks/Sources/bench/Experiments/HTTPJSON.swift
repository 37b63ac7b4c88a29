import BenchmarkHarness

struct HTTPJSON: Experiment {
    let name = "http-json"
    let summary = "GET /json, an object encoded for each answer, on 64 keep-alive connections"
    let needsWrk = true
    let service = Service.json

    let reading = """
        CPU µs/req  user and system time of the server for one request; × …: as a multiple of that server's in this run.
                    Wanted of reactor: 0.50× hummingbird at most
        Each encodes a Codable value with its usual encoder: reactor its own, the others Foundation's.
        """

    let defaults = Plan(subjects: [.reactor, .nio, .hummingbird], connections: [64], duration: 3)

    let columns: [Column] = [
        .median(.requestsPerSecond, "requests/s", Format.count),
        .median(.p99, "p99", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .ratio(.cpuPerRequest, to: .nio),
        .ratio(.cpuPerRequest, to: .hummingbird),
        .spread(.cpuPerRequest),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try LoadRun(service, connections: connections, workers: plan.workers(for: connections), seconds: plan.duration)
            .run(subject, in: environment)
    }
}
