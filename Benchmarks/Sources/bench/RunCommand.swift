import ArgumentParser
import BenchmarkHarness
import CBenchSystem
import Foundation

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs experiments and prints a table for each.",
        discussion: """
            Servers listen on free ports of 127.0.0.1. Every run becomes a line of JSON in Benchmarks/results as soon as it is \
            over. Ctrl-C ends everything that was started, and says how to go on from there.

              bench run architectures
              bench run idle-herd --subjects reactor,thread --connections 0,1000
              bench run all --resume Benchmarks/results/2026-11-30-210000-0adb3e3.jsonl
            """)

    @Argument(help: "Experiments by name (see bench list); short for what make bench runs, all for everything.")
    var names: [String]

    @Option(help: "Seconds of load in each run.")
    var duration: Int?

    @Option(help: "How often each run is made; medians are shown.")
    var rounds: Int?

    @Option(help: "Numbers of connections, or of what else the experiment counts, with commas between.")
    var connections: String?

    @Option(help: "Subjects by name, with commas between (see bench list).")
    var subjects: String?

    @Option(help: "Workers of thread-pool and prefork. (default: the experiment's; most have as many as connections)")
    var workers: Int?

    @Option(help: "Write raw results to this new file as JSON lines, one run a line; - for standard output.")
    var json: String?

    @Option(help: "Go on with this file of raw results: runs that it has are not made again.")
    var resume: String?

    @Flag(help: "Make the report of the raw results at the end, beside them.")
    var report = false

    @Flag(help: "Go on with a file although machine or commit are others.")
    var force = false

    @Option(help: "The reactor executable. (default: .build/release/reactor of this repository)")
    var reactor: String?

    func run() throws {
        do {
            try runAll()
        } catch let failure as Misuse {
            StandardError.report(failure.description)
            throw ExitCode(64)
        } catch let failure as Failure {
            StandardError.report(failure.description)
            throw ExitCode(1)
        }
    }

    private func runAll() throws {
        let chosen = try Misuse.unless { try names.flatMap(Bench.plans(named:)) }
        let fitting = try Misuse.unless { try self.fitting(chosen) }
        let experiments = fitting.map(\.experiment)
        guard Set(experiments.map(\.name)).count == experiments.count else {
            throw Misuse(description: "an experiment is named twice: name each once, or short, or all")
        }
        var plans = try Misuse.unless { try fitting.map(plan) }
        guard !report || json != "-" else { throw Misuse(description: "--report reads the results from a file: give --json one") }
        guard json == nil || resume == nil else { throw Misuse(description: "--resume goes on with its file: leave --json out") }

        bench_kill_children_on_signals()
        let executables = try Locations.executables(reactor: reactor, subjects: plans.flatMap(\.subjects))
        for (index, plan) in plans.enumerated() where subjects == nil {
            for absent in plan.subjects where !absent.isInstalled(executables) {
                StandardError.report("\(absent.name) is not there, and left out of \(experiments[index].name)")
            }
            plans[index].subjects.removeAll { !$0.isInstalled(executables) }
        }
        let wrk = experiments.contains { $0.needsWrk } ? try Wrk.version() : nil
        let environment = Environment(executables: executables)
        environment.enter()
        let machine = Machine(environment, wrk: wrk, subjects: plans.flatMap(\.subjects))
        let known = try knownRuns(machine)
        let path = try resume ?? json ?? Locations.newResultFile(commit: machine.commit)
        let raw = try RawResults(path: path, appending: resume != nil)
        if path != "-" { bench_set_last_words("\nbench: interrupted; the results so far are kept. To go on: \(again(path))\n") }
        // A signal's last words are true only as long as there is something left to do.
        defer { bench_set_last_words("") }
        let suite = Suite(
            experiments: Array(zip(experiments, plans)), machine: machine, environment: environment, raw: raw, known: known,
            show: show)
        let succeeded = try suite.run()
        if path != "-" { StandardError.report("raw results: \(path)") }
        if report { try ReportCommand.parse([path]).write() }
        if !succeeded { throw Failure("not everything could be measured; see above") }
    }

    private func knownRuns(_ machine: Machine) throws -> [RunKey: RunRecord] {
        guard let resume else { return [:] }
        let file = try ResultFile(path: resume)
        guard let before = file.machine else { return [:] }
        var others = machine.differences(from: before)
        if machine.commit != before.commit {
            others.append("commit: \(machine.commit ?? "unknown"), not \(before.commit ?? "unknown")")
        }
        guard others.isEmpty || force else {
            throw Failure("\(resume) is of another machine or commit (\(others.joined(separator: "; "))): --force goes on all the same")
        }
        return file.known()
    }

    /// The command that goes on with a file.
    private func again(_ path: String) -> String {
        var arguments = CommandLine.arguments
        for option in ["--json", "--resume"] {
            while let index = arguments.firstIndex(of: option) { arguments.removeSubrange(index...min(index + 1, arguments.count - 1)) }
            arguments.removeAll { $0.hasPrefix(option + "=") }
        }
        return (arguments + ["--resume", path]).joined(separator: " ")
    }

    /// The report leaves standard output to the raw results if they go there.
    private func show(_ text: String) {
        let file: FileHandle = json == "-" ? .standardError : .standardOutput
        file.write(Data((text + "\n").utf8))
    }
}

// MARK: Options

extension RunCommand {
    /// Of one experiment everything that is asked for must be there; of several, those that none of the subjects has anything to
    /// do with are left out, and so is a subject where it offers nothing.
    private func fitting(
        _ chosen: [(experiment: any Experiment, plan: Plan)]
    ) throws(Failure) -> [(experiment: any Experiment, plan: Plan)] {
        guard let asked = try askedFor(), !(names.count == 1 && Bench.isExperiment(names[0])) else { return chosen }
        let fitting = chosen.filter { choice in asked.contains { $0.offers(choice.experiment.service) } }
        guard !fitting.isEmpty else { throw Failure("none of the experiments has anything that these subjects offer") }
        let absent = chosen.map(\.experiment.name).filter { name in !fitting.contains { $0.experiment.name == name } }
        if !absent.isEmpty { StandardError.report("left out, since no subject offers what they need: \(absent.joined(separator: ", "))") }
        return fitting.map { choice in
            var choice = choice
            choice.plan.subjects = asked.filter { $0.offers(choice.experiment.service) }
            return choice
        }
    }

    private func askedFor() throws(Failure) -> [Subject]? {
        guard let subjects else { return nil }
        var asked: [Subject] = []
        for name in subjects.split(separator: ",") { asked.append(try Subject.named(String(name))) }
        guard !asked.isEmpty else { throw Failure("--subjects names none: give names from bench list") }
        return asked
    }

    private func plan(for experiment: any Experiment, _ defaults: Plan) throws(Failure) -> Plan {
        var plan = defaults
        if names.count == 1, Bench.isExperiment(names[0]), let asked = try askedFor() {
            plan.subjects = asked
            for subject in plan.subjects where !subject.offers(experiment.service) {
                throw Failure(
                    "\(experiment.name) needs \(experiment.service.rawValue), which \(subject.name) does not offer")
            }
        }
        if let connections { plan.connections = try Self.counts(connections) }
        if let duration, plan.duration > 0 { plan.duration = try Self.inRange(duration, 1...3600, "--duration") }
        if let rounds { plan.rounds = try Self.inRange(rounds, 1...1000, "--rounds") }
        if let workers { plan.workers = try Self.inRange(workers, 1...100_000, "--workers") }
        // Those that can have none of the numbers; where they can have some, the others are left out.
        if let fewest = plan.connections.min() {
            for subject in plan.subjects { try subject.withinReach(of: experiment.clients(fewest)) }
        }
        return plan
    }

    private static func counts(_ text: String) throws(Failure) -> [Int] {
        var counts: [Int] = []
        for part in text.split(separator: ",") {
            guard let count = Int(part) else {
                throw Failure("--connections takes numbers such as 1,16,64; not \(part)")
            }
            counts.append(try inRange(count, 0...100_000, "--connections"))
        }
        guard !counts.isEmpty else { throw Failure("--connections takes numbers such as 1,16,64") }
        return counts
    }

    private static func inRange(_ value: Int, _ range: ClosedRange<Int>, _ option: String) throws(Failure) -> Int {
        guard range.contains(value) else {
            throw Failure("\(option) takes \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
        return value
    }
}

/// A mistake on the command line, as opposed to something that went wrong.
struct Misuse: Error {
    let description: String

    static func unless<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let failure as Failure { throw Misuse(description: failure.description) }
    }
}

extension StandardError {
    static func report(_ message: String) { write("bench: \(message)\n") }
}
