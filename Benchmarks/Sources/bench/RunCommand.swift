import ArgumentParser
import BenchmarkHarness
import CBenchSystem
import Foundation

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs experiments and prints a table for each.",
        discussion: "Servers listen on free ports of 127.0.0.1. Ctrl-C ends everything that was started.")

    @Argument(help: "Experiments by name (see bench list), or all.")
    var names: [String]

    @Option(help: "Seconds of load in each run.")
    var duration: Int?

    @Option(help: "How often each run is made; medians are shown.")
    var rounds: Int?

    @Option(help: "Numbers of connections, with commas between.")
    var connections: String?

    @Option(help: "Subjects by name, with commas between (see bench list).")
    var subjects: String?

    @Option(help: "Workers of thread-pool and prefork. (default: as many as connections)")
    var workers: Int?

    @Option(help: "Write raw results to this file as JSON lines, one run a line; - for standard output.")
    var json: String?

    @Option(help: "The reactor executable. (default: .build/release/reactor of this repository)")
    var reactor: String?

    func run() throws {
        do {
            try runAll()
        } catch let failure as Misuse {
            report(failure.description)
            throw ExitCode(64)
        } catch let failure as Failure {
            report(failure.description)
            throw ExitCode(1)
        }
    }

    private func report(_ message: String) { StandardError.write("bench: \(message)\n") }

    private func runAll() throws {
        let experiments = try Misuse.unless {
            try names.contains("all") ? Bench.experiments : names.map(Bench.experiment(named:))
        }
        var plans = try Misuse.unless { try experiments.map(plan) }

        bench_kill_children_on_signals()
        let executables = try Locations.executables(reactor: reactor, subjects: plans.flatMap(\.subjects))
        for (index, plan) in plans.enumerated() where subjects == nil {
            for absent in plan.subjects where !absent.isInstalled(executables) {
                report("\(absent.name) is not there, and left out of \(experiments[index].name)")
            }
            plans[index].subjects.removeAll { !$0.isInstalled(executables) }
        }
        let wrk = experiments.contains { $0.needsWrk } ? try Wrk.version() : nil
        let environment = Environment(executables: executables)
        environment.enter()
        let machine = Machine(environment, wrk: wrk, subjects: plans.flatMap(\.subjects))
        let raw = try json.map(RawResults.init(path:))

        var failed = false
        for (experiment, plan) in zip(experiments, plans) {
            let results = try run(experiment, plan, machine, environment, raw)
            show(heading(experiment, plan, machine) + "\n\n" + results.table(experiment.columns, peer: experiment.peer) + "\n\n"
                + experiment.reading + "\n")
            failed = failed || results.hasFailures
        }
        if failed { throw Failure("not everything could be measured; see above") }
    }

    private func run(
        _ experiment: any Experiment, _ plan: Plan, _ machine: Machine, _ environment: Environment, _ raw: RawResults?
    ) throws -> Results {
        let progress = Progress(total: plan.runCount)
        defer { progress.clear() }
        return try Runner(experiment, plan: plan, in: environment).run { done, subject, connections, round in
            progress.starting(
                done, "\(experiment.name): \(subject.name), \(experiment.peer)s: \(connections), round \(round + 1)")
        } finished: { subject, connections, round, outcome in
            if case .failure(let failure) = outcome { progress.note("bench: \(subject.name): \(failure)") }
            try raw?.write(
                RunRecord(
                    experiment, plan, machine, subject: subject, connections: connections, round: round,
                    outcome: outcome))
        }
    }

    private func heading(_ experiment: any Experiment, _ plan: Plan, _ machine: Machine) -> String {
        let duration = plan.duration > 0 ? "\(plan.duration) s a run, " : ""
        let rounds = plan.rounds == 1 ? "one round, no medians" : "medians of \(plan.rounds) rounds"
        return """
            \(experiment.name): \(experiment.summary)
            \(machine.description)
            \(duration)\(rounds), subjects interleaved\(plan.workers.map { ", \($0) workers" } ?? "")
            """
    }

    /// The report leaves standard output to the raw results if they go there.
    private func show(_ text: String) {
        let file: FileHandle = json == "-" ? .standardError : .standardOutput
        file.write(Data((text + "\n").utf8))
    }
}

// MARK: Options

extension RunCommand {
    private func plan(for experiment: any Experiment) throws(Failure) -> Plan {
        var plan = experiment.defaults
        if let subjects {
            plan.subjects = []
            for name in subjects.split(separator: ",") { plan.subjects.append(try Subject.named(String(name))) }
            for subject in plan.subjects where !subject.offers(experiment.service) {
                throw Failure(
                    "\(experiment.name) needs \(experiment.service.rawValue), which \(subject.name) does not offer")
            }
        }
        if let connections { plan.connections = try Self.counts(connections) }
        if let duration, plan.duration > 0 { plan.duration = try Self.inRange(duration, 1...3600, "--duration") }
        if let rounds { plan.rounds = try Self.inRange(rounds, 1...1000, "--rounds") }
        if let workers { plan.workers = try Self.inRange(workers, 1...10_000, "--workers") }
        guard !plan.subjects.isEmpty else { throw Failure("--subjects names none: give names from bench list") }
        for subject in plan.subjects {
            for count in plan.connections { try subject.withinReach(of: count) }
        }
        return plan
    }

    private static func counts(_ text: String) throws(Failure) -> [Int] {
        var counts: [Int] = []
        for part in text.split(separator: ",") {
            guard let count = Int(part) else {
                throw Failure("--connections takes numbers such as 1,16,64; not \(part)")
            }
            counts.append(try inRange(count, 1...100_000, "--connections"))
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
private struct Misuse: Error {
    let description: String

    static func unless<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let failure as Failure { throw Misuse(description: failure.description) }
    }
}
