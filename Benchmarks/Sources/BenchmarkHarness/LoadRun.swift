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
        let command = server.command
        var (sample, switches, requests) = try server.measure { server in
            let switches = try server.tree.liveSwitches()
            let (sample, requests) = try measure(server, in: environment)
            return (sample, switches, requests)
        }
        let used = try server.stop()
        sample.merge(used.switches(since: switches, requests: requests)) { $1 }
        if measuresApart {
            let servesAll = sample[.served] == Double(connections)
            let apart = ApartRun(connections: connections, workers: workers, holdsHerd: servesAll)
            let wrk = Wrk(connections: connections, script: script, cpu: environment.loadCPU)
            sample.merge(try apart.run(subject, in: environment) { Double(try wrk.run($0.url, seconds: 1).requests) }) { $1 }
        }
        return Run(sample: sample, command: command)
    }

    /// - Returns: also how many requests the server had from its start on.
    private func measure(_ server: borrowing ServerProcess, in environment: Environment) throws -> (Sample, Double) {
        let wrk = Wrk(connections: connections, script: script, cpu: environment.loadCPU)
        let atRest = try server.tree.memory()
        let ((loaded, sockets), warm) = try wrk.warmUp(server.url, milliseconds: 400) {
            (try server.tree.memory(), server.sockets())
        }
        try server.awaitRest()

        let (before, own) = (try server.tree.time(), bench_own_cpu_ns())
        let report = try wrk.run(server.url, seconds: seconds)
        let ownUse = bench_own_cpu_ns() - own
        try server.awaitRest()
        let cost = try server.tree.time().cost(since: before, requests: Double(report.requests))
        guard report.requests > 0 else { throw Failure("no request was answered in \(seconds) s") }

        var sample: Sample = [
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
        sample[.worst] = report.worst
        sample.merge(cost) { $1 }
        sample.merge(.memory(atRest: atRest, loaded: loaded, connections: connections)) { $1 }
        return (sample, Double(report.requests + warm))
    }
}
