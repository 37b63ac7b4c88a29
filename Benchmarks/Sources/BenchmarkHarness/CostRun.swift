/// One run of one subject under a load of ours, on a server of its own: what each of the things that the load counts
/// costs the server.
package struct CostRun {
    package let service: Service
    package let workers: Int
    package let seconds: Int
    /// The load for so many milliseconds.
    package let load: (_ port: UInt16, _ milliseconds: Int) -> Load

    package init(
        _ service: Service, workers: Int, seconds: Int, load: @escaping (_ port: UInt16, _ milliseconds: Int) -> Load
    ) {
        self.service = service
        self.workers = workers
        self.seconds = seconds
        self.load = load
    }

    /// Warms the server up, then measures its CPU time under the load.
    ///
    /// - Parameter sample: what to make of the load's report and the server's CPU time in nanoseconds.
    package func run(
        _ subject: Subject, in environment: Environment, sample: (LoadReport, _ cpuNanoseconds: Double) -> Sample
    ) throws -> Run {
        var server = try ServerProcess.start(subject, service, workers: workers, in: environment)
        let command = server.command
        let measured = try server.measure { server in
            _ = try load(server.port, 300).run(within: 10)
            try server.awaitRest()
            let before = try server.tree.cpuNanoseconds()
            let report = try load(server.port, seconds * 1000).run(within: seconds + 10)
            try server.awaitRest()
            return sample(report, Double(try server.tree.cpuNanoseconds() - before))
        }
        try server.stop()
        return Run(sample: measured, command: command)
    }
}
