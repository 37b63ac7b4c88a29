import ArgumentParser
import BenchmarkHarness

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures servers against each other on this machine.",
        subcommands: [ListCommand.self, RunCommand.self, ReportCommand.self])

    static let experiments: [any Experiment] = [
        Architectures(), Pipelined(), Echo(), Accept(), Datagrams.apart, Datagrams.joined, Idle(),
        SlowDownload(), TLSHandshakes.full, TLSHandshakes.resumed, TLSPlaintext(), TLSBodies(), TLSIdle(),
        Lookups(), HTTPPlaintext(), HTTPJSON(), HTTPAsync(), HTTPStatic(), HTTPParser(),
        SMTPRelay(), SMTPQueue(), SMTPIdle(), SMTPLarge(),
    ]

    static func experiment(named name: String) throws(Failure) -> any Experiment {
        if let experiment = experiments.first(where: { $0.name == name }) { return experiment }
        throw Failure.unknown("experiment", name, among: experiments.map(\.name) + ["all"])
    }
}

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the experiments and the subjects.")

    func run() {
        var experiments = TextTable(["experiment"])
        for experiment in Bench.experiments { experiments.add(experiment.name, message: experiment.summary) }
        var subjects = TextTable(["subject"])
        for subject in Subject.all { subjects.add(subject.name, message: subject.summary) }
        print(experiments.rendered() + "\n\n" + subjects.rendered())
    }
}
