/// The same server under both generators, in turns.
package struct GeneratorRun {
    private let connections: Int
    private let seconds: Int
    private static let turns = 3

    package init(connections: Int, seconds: Int) {
        self.connections = connections
        self.seconds = seconds
    }

    package func run(_ subject: Subject, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, .http, workers: connections, in: environment)
        var run = Run(sample: [:], command: server.command)
        try server.measure { server in
            let wrk = Wrk(connections: connections, cpu: environment.loadCPU)
            let load = ReactorLoad(connections: connections, seconds: seconds)
            // Both go first into a server that is warm.
            _ = try wrk.run(server.url, seconds: 1)
            var (ours, theirs): ([Double], [Double]) = ([], [])
            for _ in 0..<Self.turns {
                try server.awaitRest()
                let report = try load.run(server.url, in: environment)
                run.isVouched = run.isVouched && report.vouched
                run.doubts += report.doubts.filter { !run.doubts.contains($0) }
                ours.append(report.requests / report.seconds)
                try server.awaitRest()
                theirs.append(try wrk.run(server.url, seconds: seconds).requestsPerSecond)
            }
            run.sample[.requestsPerSecond] = Statistics.median(ours)
            run.sample[.wrkRequestsPerSecond] = Statistics.median(theirs)
        }
        try server.stop()
        return run
    }
}
