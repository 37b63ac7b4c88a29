import ArgumentParser
import BenchmarkHarness

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the experiments and the subjects, or explains one.",
        discussion: """
            bench list idle-herd explains that experiment, bench list thread-pool that subject; bench list short says what make bench runs.
            """)

    @Argument(help: "An experiment or a subject to explain at length.")
    var name: String?

    func run() throws {
        guard let name else { return print(Self.everything()) }
        if let experiment = Bench.experiments.first(where: { $0.name == name }) { return print(Self.explained(experiment)) }
        if ["short", "all"].contains(name) { return print(Self.explained(name, try Bench.plans(named: name))) }
        if let subject = Subject.all.first(where: { $0.name == name }) { return print(Self.explained(subject)) }
        let names = Bench.experiments.map(\.name) + ["short", "all"] + Subject.all.map(\.name)
        StandardError.report(Failure.unknown("experiment or subject", name, among: names).description)
        throw ExitCode(64)
    }

    private static func everything() -> String {
        var experiments = TextTable(["experiment"])
        for experiment in Bench.experiments { experiments.add(experiment.name, message: experiment.summary) }
        var subjects = TextTable(["subject"])
        for subject in Subject.all { subjects.add(subject.name, message: subject.summary + (missing(subject).map { " (\($0))" } ?? "")) }
        return experiments.rendered() + "\n\n" + subjects.rendered()
            + "\n\nbench list NAME explains one at length, bench list short or all what these are."
    }

    /// What keeps the subject from being run here; nil if nothing does.
    private static func missing(_ subject: Subject) -> String? {
        do {
            let executables = try Locations.executables(reactor: nil, subjects: [subject])
            return subject.isInstalled(executables) ? nil : "not installed"
        } catch {
            return "not built"
        }
    }

    private static func explained(_ experiment: any Experiment) -> String {
        let plan = experiment.defaults
        let counts = plan.connections.map(String.init).joined(separator: ", ")
        let length = plan.duration > 0 ? ", \(plan.duration) s of load each" : ""
        let minutes = max(1, Int((Suite.seconds(experiment, plan) / 60).rounded()))
        var lines = [
            "\(experiment.name): \(experiment.summary)", "",
            "subjects  " + plan.subjects.map(\.name).joined(separator: ", "),
            "\(experiment.peers)  \(counts)",
            "runs      \(plan.stepCount(calibrates: experiment.calibration != nil)), in \(plan.rounds) rounds\(length): some "
                + "\(minutes) min",
        ]
        if let workers = plan.workers { lines.append("workers   \(workers)") }
        if experiment.needsWrk { lines.append("needs     wrk") }
        return (lines + ["", "In the table:", experiment.reading]).joined(separator: "\n")
    }

    /// Several experiments under one name.
    private static func explained(_ name: String, _ chosen: [(experiment: any Experiment, plan: Plan)]) -> String {
        var table = TextTable(["experiment"])
        for (experiment, plan) in chosen {
            let counts = plan.connections.map(String.init).joined(separator: ", ")
            table.add(experiment.name, message: "\(experiment.peers) \(counts); \(plan.subjects.map(\.name).joined(separator: ", "))")
        }
        let minutes = Int((chosen.reduce(0) { $0 + Suite.seconds($1.experiment, $1.plan) } / 60).rounded(.up))
        let summary = name == "short" ? "what make bench runs: a part of these experiments" : "every experiment, with its whole plan"
        return "\(name): \(summary); some \(minutes) min where every subject is there\n\n\(table.rendered())"
    }

    private static func explained(_ subject: Subject) -> String {
        let services = Service.allCases.filter(subject.offers).map(\.rawValue).joined(separator: ", ")
        let experiments = Bench.experiments.filter { $0.defaults.subjects.contains { $0.name == subject.name } }.map(\.name)
        return """
            \(subject.name): \(subject.summary)

            here         \(missing(subject) ?? "yes")
            offers       \(services)
            takes part   \(experiments.isEmpty ? "by --subjects only" : experiments.joined(separator: ", "))
            """
    }
}
