import BenchmarkHarness

struct Idle: Experiment {
    let name = "idle"
    let summary = "memory for each of 10,000 idle connections that were answered once, HTTP keep-alive and TCP echo"

    let reading = """
        memory  proportional set size that each idle connection adds to the server and its children; the kernel's own
                memory for a socket, the same for every server, is not in it. Wanted of reactor: 512 B at most, HTTP and echo
        """

    let defaults = Plan(subjects: [.reactor, .floor, .nginx, .nio, .hummingbird], connections: [10_000], duration: 0)

    let columns: [Column] = [
        .served,
        .median(.memoryPerConnection, "HTTP/conn", Format.bytes),
        .ratio(.memoryPerConnection),
        .median(.memoryPerEchoConnection, "echo/conn", Format.bytes),
        .ratio(.memoryPerEchoConnection),
        .spread(.memoryPerEchoConnection),
        .median(.memoryAtRest, "HTTP at rest", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let workers = plan.workers(for: connections)
        func measured(_ service: Service) throws -> Run {
            try HerdRun(service, connections: connections, workers: workers).run(subject, in: environment)
        }
        let http = try measured(.http)
        guard subject.offers(.echo) else { return http }
        let echo = try measured(.echo).sample
        var sample = http.sample
        sample[.memoryPerEchoConnection] = echo[.memoryPerConnection]
        sample[.served] = min(sample[.served] ?? 0, echo[.served] ?? 0)
        return Run(sample: sample, command: http.command)
    }
}
