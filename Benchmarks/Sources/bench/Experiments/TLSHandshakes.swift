import BenchmarkHarness

struct TLSHandshakes: Experiment {
    let name: String
    let summary: String
    /// With a ticket of the connection before, instead of the server's certificate.
    private let resumes: Bool
    let service = Service.shortHTTPS

    static let full = TLSHandshakes(
        name: "tls-handshakes",
        summary: "TLS 1.3 handshakes, ECDSA on P-256 and X25519, with a GET /plaintext and a close each",
        resumes: false)
    static let resumed = TLSHandshakes(
        name: "tls-resumed", summary: "the same, each resuming the session of the one before by its ticket",
        resumes: true)

    let reading = """
        conns/CPU s  connections accepted, secured, answered and closed for each second of the server's user and system
                     time; × nginx: as a multiple of its in this run. Wanted of reactor: 0.95× nginx at least
        tickets      that the server sent on each connection: making them is a part of its work
        failed       connections that ended without a whole answer and a close_notify, in all rounds together
        A connection that negotiates anything but AES_256_GCM_SHA384 and X25519, or does not resume, ends the run as failed.
        """

    let defaults = Plan(subjects: [.reactor, .nginx], connections: [64], duration: 3)

    let columns: [Column] = [
        .median(.connectionsPerSecond, "conns/s", Format.count),
        .median(.connectionsPerCPUSecond, "conns/CPU s", Format.count),
        .ratio(.connectionsPerCPUSecond, to: .nginx),
        .spread(.connectionsPerCPUSecond),
        .median(.ticketsPerConnection, "tickets", Format.cost),
        .total(.socketErrors, "failed"),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try CostRun(service, workers: plan.workers(for: connections), seconds: plan.duration) { port, milliseconds in
            Load("tls-handshakes", port: port, [connections, milliseconds, resumes ? 1 : 0], in: environment)
        }.run(subject, in: environment) { report, cpu in
            [
                .connectionsPerSecond: report.count / report.seconds,
                .connectionsPerCPUSecond: report.count / (cpu / 1e9),
                .ticketsPerConnection: report.tickets / report.count,
                .socketErrors: report.failures,
            ]
        }
    }
}
