/// One run of one subject under wrk, on a server of its own.
package struct LoadRun {
    package let service: Service
    package let connections: Int
    package let workers: Int
    package let seconds: Int
    package let script: String?

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
        let sample = try server.measure { try measure($0, in: environment) }
        try server.stop()
        return Run(sample: sample, command: command)
    }

    private func measure(_ server: borrowing ServerProcess, in environment: Environment) throws -> Sample {
        let wrk = Wrk(connections: connections, script: script, cpu: environment.loadCPU)
        let atRest = try server.tree.memory()
        let (loaded, sockets) = try wrk.warmUp(server.url, milliseconds: 400) {
            (try server.tree.memory(), server.sockets())
        }
        try server.awaitRest()

        let cpuBefore = try server.tree.cpuNanoseconds()
        let report = try wrk.run(server.url, seconds: seconds)
        try server.awaitRest()
        let cpu = try server.tree.cpuNanoseconds() - cpuBefore
        guard report.requests > 0 else { throw Failure("no request was answered in \(seconds) s") }

        let speed: Sample = [
            .requests: Double(report.requests),
            .requestsPerSecond: report.requestsPerSecond,
            .p50: report.p50,
            .p99: report.p99,
            .cpuPerRequest: Double(cpu) / 1000 / Double(report.requests),
            .served: Double(min(sockets.caughtUp, connections)),
            .socketErrors: Double(report.socketErrors),
            .timeouts: Double(report.timeouts),
            .badStatuses: Double(report.badStatuses),
        ]
        let memory = Sample.memory(atRest: atRest, loaded: loaded, connections: connections)
        return speed.merging(memory) { value, _ in value }
    }
}
