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
            var (ours, theirs): ([ReactorLoadReport], [WrkReport]) = ([], [])
            for turn in 0..<Self.turns {
                // Each goes first in turn.
                for isOurs in turn % 2 == 0 ? [true, false] : [false, true] {
                    try server.awaitRest()
                    if isOurs {
                        ours.append(try load.run(server.url, in: environment))
                    } else {
                        theirs.append(try wrk.run(server.url, seconds: seconds))
                    }
                }
            }
            run.take(ours, theirs)
        }
        try server.stop()
        return run
    }
}

extension Run {
    /// A generator is doubted where it was busy all the time, as both are under a server that is faster; if they agree all the
    /// same, nothing is in doubt that is measured here, and the reasons are in the results.
    mutating func take(_ ours: [ReactorLoadReport], _ theirs: [WrkReport]) {
        sample[.requestsPerSecond] = Statistics.median(ours.map(\.achieved))
        sample[.wrkRequestsPerSecond] = Statistics.median(theirs.map(\.requestsPerSecond))
        sample[.loadShare] = Statistics.median(ours.compactMap(\.share))
        sample[.wrkShare] = Statistics.median(theirs.map(\.share))
        for doubt in ours.flatMap(\.doubts) + theirs.flatMap(\.doubts) where !doubts.contains(doubt) { doubts.append(doubt) }
        let ratio = (sample[.requestsPerSecond] ?? 0) / (sample[.wrkRequestsPerSecond] ?? 0)
        isVouched = doubts.isEmpty || (0.95...1.05).contains(ratio)
    }
}
