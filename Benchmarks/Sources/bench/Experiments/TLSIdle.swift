import BenchmarkHarness

struct TLSIdle: Experiment {
    let name = "tls-idle"
    let summary = "memory for each of 5,000 idle TLS 1.3 connections that were answered once, HTTP keep-alive"
    let service = Service.https

    let reading = """
        memory  proportional set size that each idle connection adds to the server; × nginx: as a multiple of its in this
                run. The kernel's own memory for a socket is not in it. Wanted of reactor: 1.20× at most
        """

    let defaults = Plan(subjects: [.reactor, .nginx], connections: [5_000], duration: 0)

    let columns: [Column] = [
        .served,
        .median(.memoryPerConnection, "memory/conn", Format.bytes),
        .ratio(.memoryPerConnection, to: .nginx),
        .spread(.memoryPerConnection),
        .median(.memoryAtRest, "at rest", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try HerdRun(service, connections: connections, workers: plan.workers(for: connections))
            .run(subject, in: environment)
    }
}
