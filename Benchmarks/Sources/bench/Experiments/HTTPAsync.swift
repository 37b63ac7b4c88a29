import BenchmarkHarness

struct HTTPAsync: Experiment {
    let name = "http-async"
    let summary = "GET /plaintext by a synchronous handler, and by an async one that doesn't suspend, on 64 keep-alive connections"
    let needsWrk = true
    let service = Service.asyncHTTP

    let reading = """
        sync, async  user and system time of the server for one request, µs, by each of the handlers
        × sync       the second as a multiple of the first. Wanted of reactor: 1.30× at most
        """

    let defaults = Plan(subjects: [.reactor], connections: [64], duration: 3)

    let columns: [Column] = [
        .median(.cpuPerRequest, "sync", Format.cost),
        .spread(.cpuPerRequest),
        .median(.cpuPerAsyncRequest, "async", Format.cost),
        .spread(.cpuPerAsyncRequest),
        .ratio(.cpuPerAsyncRequest, toOwn: .cpuPerRequest, "× sync"),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        func measured(_ service: Service) throws -> Run {
            try LoadRun(service, connections: connections, workers: plan.workers(for: connections), seconds: plan.duration)
                .run(subject, in: environment)
        }
        let sync = try measured(.http)
        let async = try measured(.asyncHTTP)
        var run = sync
        run.sample[.cpuPerAsyncRequest] = async.sample[.cpuPerRequest]
        for error in [Metric.socketErrors, .timeouts, .badStatuses] { run.sample[error, default: 0] += async.sample[error] ?? 0 }
        run.doubt(async)
        return run
    }
}
