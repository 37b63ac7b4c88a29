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
        shortened(OfferedLoad(), connections: [15, 35, 60], among: ["thread", "prefork", "floor", "nginx"]),
        shortened(
            ServiceComparison.blocking, connections: [64],
            among: ["thread", "thread-pool", "prefork", "reactor-offload", "python-threads"]),
        shortened(IdleHerd(), connections: [0, 5000], among: ["thread", "floor", "nginx"]),
        shortened(SlowClients(), connections: [0, 256], among: ["thread-pool", "nginx"]),
        shortened(ServiceComparison.peers, connections: [64]),
    ]

    /// - Parameter subjects: these, the reactor, and the reactor again, so that noise is seen; nil for all.
    private static func shortened(
        _ experiment: any Experiment, connections: [Int], among subjects: [String]? = nil
    ) -> (any Experiment, Plan) {
        var plan = experiment.defaults
        (plan.connections, plan.duration) = (connections, 1)
        if let subjects { plan.subjects.removeAll { !(subjects + [Noise.pair.0, Noise.pair.1]).contains($0.name) } }
        return (experiment, plan)
    }

    static func isExperiment(_ name: String) -> Bool { experiments.contains { $0.name == name } }

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
