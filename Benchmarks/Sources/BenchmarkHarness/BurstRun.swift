/// One run of one subject, on a server of its own, that has nothing to do until so many clients come at once; some times.
package struct BurstRun {
    private let clients: Int
    private let bursts: Int
    private let workers: Int

    package init(clients: Int, bursts: Int, workers: Int) {
        self.clients = clients
        self.bursts = bursts
        self.workers = workers
    }

    package func run(_ subject: Subject, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, .shortHTTP, workers: workers, in: environment)
        var run = Run(sample: [:], command: server.command)
        let before = try server.measure { server in
            let (switches, time) = (try server.tree.liveSwitches(), try server.tree.cpuNanoseconds())
            let report = try Load("burst", port: server.port, [clients, bursts], in: environment).run(within: bursts * 11 + 10)
            try server.awaitRest()
            run.sample = [
                .requests: report.count,
                .requestsPerSecond: report.count / report.seconds,
                .closedErrors: report.failures,
            ]
            let percentiles: [(Metric, String, Double)] = [
                (.p50, "p50_us", 50), (.p90, "p90_us", 90), (.p99, "p99_us", 99), (.p999, "p999_us", 99.9), (.worst, "max_us", 100),
            ]
            for (metric, key, _) in percentiles { run.sample[metric] = report[key] }
            run.sample[.burstSeconds] = report["burst_seconds"]
            run.latency = percentiles.compactMap { _, key, percent in report[key].map { [percent, $0] } }
            run.sample[.cpuPerRequest] = Sample.cpu(from: time, to: try server.tree.cpuNanoseconds(), requests: report.count)
            return switches
        }
        run.sample.shareOut(try server.stop(), since: before, requests: run.sample[.requests] ?? 0)
        return run
    }
}
