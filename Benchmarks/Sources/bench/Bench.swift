import ArgumentParser
import BenchmarkHarness

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures servers against each other on this machine.",
        subcommands: [ListCommand.self, RunCommand.self, CompareCommand.self, ReportCommand.self])

    static let experiments: [any Experiment] = [
        Architectures(), OfferedLoad(), Overload(), Burst(), IdleHerd(), SlowClients(), NoiseExperiment(),
        Pipelined(), Echo(), Accept(), Datagrams.apart, Datagrams.joined, Idle(),
        SlowDownload(), TLSHandshakes.full, TLSHandshakes.resumed, TLSPlaintext(), TLSBodies(), TLSIdle(),
        Lookups(), HTTPPlaintext(), HTTPJSON(), HTTPAsync(), HTTPStatic(), HTTPParser(),
        SMTPRelay(), SMTPQueue(), SMTPIdle(), SMTPLarge(),
    ]

    static func experiment(named name: String) throws(Failure) -> any Experiment {
        if let experiment = experiments.first(where: { $0.name == name }) { return experiment }
        throw Failure.unknown("experiment", name, among: experiments.map(\.name) + ["all"])
    }
}
