import BenchmarkHarness

struct SlowDownload: Experiment {
    let name = "slow-download"
    let summary = "1 GiB from a server that never stops writing, to a peer that reads in bursts: the server's memory"
    let service = Service.characters

    let reading = """
        growth  what the server's proportional set size grew by at the most, files' pages not counted, read every 20 ms
        limit   256 KiB, the default high watermark of a connection's output, and 1 MiB
        """

    private static let mebibytes = 1024
    /// Behind each 16 MiB. Long enough for the server to fill whatever it would fill, and to be seen at it.
    private static let pauseMilliseconds = 100
    private static let limit = 256.0 * 1024 + 1024 * 1024

    let defaults = Plan(subjects: [.reactor], connections: [1], duration: 0, rounds: 2)

    let columns: [Column] = [
        .greatest(.memoryGrowth, "growth", Format.bytes),
        .constant(Format.bytes(limit), "limit"),
        .verdict(.memoryGrowth, atMost: limit),
        .median(.memoryAtRest, "at rest", Format.bytes),
        .median(.bytesPerSecond, "bytes/s", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, service, workers: plan.workers(for: 1), in: environment)
        let command = server.command
        let sample = try server.measure { server in
            let atRest = try server.tree.memory()
            var peak = atRest.withoutFiles
            let load = Load("download", port: server.port, [Self.mebibytes, Self.pauseMilliseconds], in: environment)
            let report = try load.run(within: 60) { peak = max(peak, try server.tree.memory().withoutFiles) }
            try server.awaitRest()
            return [
                .memoryAtRest: Double(atRest.total),
                .memoryGrowth: Double(peak - atRest.withoutFiles),
                .bytesPerSecond: report.count / report.seconds,
            ] as Sample
        }
        try server.stop()
        return Run(sample: sample, command: command)
    }
}
