import CBenchSystem

/// One run of one subject under wrk, on a server of its own.
package struct LoadRun {
    package let service: Service
    package let connections: Int
    package let workers: Int
    package let seconds: Int
    package let script: String?
    /// See ``ApartRun``.
    package var measuresApart = false

    package init(_ service: Service = .http, connections: Int, workers: Int, seconds: Int, script: String? = nil) {
        self.service = service
        self.connections = connections
        self.workers = workers
        self.seconds = seconds
        self.script = script
    }

    /// Warms up, measures memory with the connections held still, then measures speed and CPU time with nothing of the
    /// harness running beside.
    package func run(_ subject: Subject, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, service, workers: workers, in: environment)
        var run = Run(sample: [:], command: server.command)
        let (switches, requests) = try server.measure { server in
            let switches = try server.tree.liveSwitches()
            return (switches, try measure(server, &run, in: environment))
        }
        run.sample.shareOut(try server.stop(), since: switches, requests: requests)
        if measuresApart {
            let servesAll = run.sample[.served] == Double(connections)
            let apart = ApartRun(connections: connections, workers: workers, holdsHerd: servesAll)
            let wrk = Wrk(connections: connections, script: script, cpu: environment.loadCPU)
            run.sample.merge(try apart.run(subject, in: environment) { Double(try wrk.run($0.url, seconds: 1).requests) }) { $1 }
        }
        return run
    }

    /// - Returns: how many requests the server had from its start on.
    private func measure(
        _ server: borrowing ServerProcess, _ run: inout Run, in environment: Environment
    ) throws -> Double {
        let wrk = Wrk(connections: connections, script: script, cpu: environment.loadCPU)
        let atRest = try server.tree.memory()
        let ((loaded, sockets), warm) = try wrk.warmUp(server.url, milliseconds: 400) {
            (try server.tree.memory(), server.sockets())
        }
        try server.awaitRest()

        let (before, own) = (try server.tree.cpuNanoseconds(), bench_own_cpu_ns())
        let report = try wrk.run(server.url, seconds: seconds)
        let ownUse = bench_own_cpu_ns() - own
        try server.awaitRest()
        let used = try server.tree.cpuNanoseconds()
        guard report.requests > 0 else { throw Failure("no request was answered in \(seconds) s") }

        run.sample = [
            .requests: Double(report.requests),
            .requestsPerSecond: report.requestsPerSecond,
            .p50: report.p50,
            .p90: report.p90,
            .p99: report.p99,
            .served: Double(min(sockets.caughtUp, connections)),
            .socketErrors: Double(report.socketErrors),
            .timeouts: Double(report.timeouts),
            .badStatuses: Double(report.badStatuses),
            .harnessShare: Double(ownUse) / 1e9 / report.seconds,
        ]
        run.sample[.worst] = report.worst
        run.sample[.cpuPerRequest] = Sample.cpu(from: before, to: used, requests: Double(report.requests))
        run.sample.merge(.memory(atRest: atRest, loaded: loaded, connections: connections)) { $1 }
        (run.isVouched, run.doubts) = (report.doubts.isEmpty, report.doubts)
        return Double(report.requests + warm)
    }
}
