import BenchmarkHarness

struct HTTPStatic: Experiment {
    let name = "http-static"
    let summary = "GET of files of 1 KiB, 64 KiB and 10 MiB, on 16 keep-alive connections"
    let needsWrk = true
    let service = Service.kibibyte

    let reading = """
        1 KiB, 64 KiB, 10 MiB  user and system time of the server for one such file, µs; × nginx: as a multiple of its in
                               this run. Wanted of reactor: 1.00× at most
        nginx has sendfile on, and asks the file system for each file: it has no open_file_cache by default.
        """

    let defaults = Plan(subjects: [.reactor, .nginx], connections: [16], duration: 3)

    private static let sizes: [(service: Service, metric: Metric)] = [
        (.kibibyte, .cpuPerKibibyteFile), (.kibibytes64, .cpuPer64KibibyteFile), (.mebibytes10, .cpuPer10MebibyteFile),
    ]

    let columns: [Column] = zip(sizes, ["1 KiB", "64 KiB", "10 MiB"]).flatMap { size, heading in
        [.median(size.metric, heading, Format.cost), .ratio(size.metric, to: .nginx), .spread(size.metric)] as [Column]
    } + [.errors]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        var whole: Run?
        for (service, metric) in Self.sizes {
            let run = try LoadRun(
                service, connections: connections, workers: plan.workers(for: connections), seconds: plan.duration
            ).run(subject, in: environment)
            var sum = whole ?? Run(sample: [:], command: run.command)
            sum.sample[metric] = run.sample[.cpuPerRequest]
            for error in [Metric.socketErrors, .timeouts, .badStatuses] { sum.sample[error, default: 0] += run.sample[error] ?? 0 }
            sum.doubt(run)
            whole = sum
        }
        guard let whole else { throw Failure("there is no file to ask for") }
        return whole
    }
}
