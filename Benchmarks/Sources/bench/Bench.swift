import ArgumentParser
import BenchmarkHarness

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures servers against each other on this machine.",
        subcommands: [ListCommand.self, RunCommand.self, CompareCommand.self, ReportCommand.self])

    static let experiments: [any Experiment] = [Architectures(), OfferedLoad(), Overload(), Burst(), IdleHerd(), SlowClients()]
        + ServiceComparison.all
        + [
            NoiseExperiment(), LoadAgainstWrk(), Pipelined(), Echo(), Accept(), Datagrams.apart, Datagrams.joined, Idle(),
            SlowDownload(), TLSHandshakes.full, TLSHandshakes.resumed, TLSPlaintext(), TLSBodies(), TLSIdle(), Lookups(),
            HTTPPlaintext(), HTTPJSON(), HTTPAsync(), HTTPStatic(), HTTPParser(), SMTPRelay(), SMTPQueue(), SMTPIdle(), SMTPLarge(),
        ]

    /// What `make bench` runs: the architectures, the floor and whatever peers there are, in ten minutes at the most.
    static let short: [(experiment: any Experiment, plan: Plan)] = [
        shortened(Architectures(), connections: [1, 64]),
        shortened(OfferedLoad(), connections: [25, 70, 100]) { ["reactor", "thread", "prefork", "floor", "nginx"].contains($0) },
        shortened(ServiceComparison.blocking, connections: [64]),
        shortened(IdleHerd(), connections: [0, 5000]) { ["reactor", "thread", "floor", "nginx"].contains($0) },
        shortened(SlowClients(), connections: [0, 256]) { ["reactor", "thread-pool", "prefork", "nginx"].contains($0) },
        shortened(ServiceComparison.peers, connections: [64]),
    ]

    private static func shortened(
        _ experiment: any Experiment, connections: [Int], subjects: (String) -> Bool = { _ in true }
    ) -> (any Experiment, Plan) {
        var plan = experiment.defaults
        (plan.connections, plan.duration) = (connections, 1)
        plan.subjects.removeAll { !subjects($0.name) }
        return (experiment, plan)
    }

    /// By name; `short` and `all` are several.
    static func plans(named name: String) throws(Failure) -> [(experiment: any Experiment, plan: Plan)] {
        switch name {
        case "short": return short
        case "all": return experiments.map { ($0, $0.defaults) }
        default:
            let experiment = try experiment(named: name)
            return [(experiment, experiment.defaults)]
        }
    }

    static func experiment(named name: String) throws(Failure) -> any Experiment {
        if let experiment = experiments.first(where: { $0.name == name }) { return experiment }
        throw Failure.unknown("experiment", name, among: experiments.map(\.name) + ["short", "all"])
    }
}
