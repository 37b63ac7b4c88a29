import BenchmarkHarness

struct TLSBodies: Experiment {
    let name = "tls-bodies"
    let summary = "GET of a file of 1 MiB over TLS 1.3 with AES_256_GCM_SHA384, on 8 keep-alive connections"
    let service = Service.httpsFile

    let reading = """
        CPU µs/MiB  user and system time of the server for one MiB of body; × nginx: as a multiple of its in this run.
                    Wanted of reactor: 1.00× at most
        nginx has sendfile on and ssl_buffer_size at its default, 16 KiB. Without kernel TLS the file must be read for all that.
        """

    let defaults = Plan(subjects: [.reactor, .nginx], connections: [8], duration: 3)

    let columns: [Column] = [
        .median(.bytesPerSecond, "bytes/s", Format.bytes),
        .median(.cpuPerMebibyte, "CPU µs/MiB", Format.cost),
        .ratio(.cpuPerMebibyte, to: .nginx),
        .spread(.cpuPerMebibyte),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try CostRun(service, workers: plan.workers(for: connections), seconds: plan.duration) { port, milliseconds in
            Load("tls-bodies", port: port, [connections, milliseconds], in: environment)
        }.run(subject, in: environment) { report, cpu in
            [
                .bytesPerSecond: report.count / report.seconds,
                .cpuPerMebibyte: cpu / 1000 / (report.count / 1024 / 1024),
            ]
        }
    }
}
