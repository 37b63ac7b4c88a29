import Foundation
import Testing

@testable import BenchmarkHarness

struct Recorded: Experiment {
    var name = "recorded"
    let summary = "", reading = ""
    var peer = "thing"
    var defaults = Plan(subjects: [.reactor, .floor], connections: [1, 64], duration: 1)
    let columns: [Column] = [.median(.cpuPerRequest, "cpu", Format.cost)]
    var calibration: Int?
    /// What each run gives.
    var outcome: @Sendable (_ subject: String, _ connections: Int, Plan) throws -> Run = { subject, _, _ in
        Run(sample: [.cpuPerRequest: subject == "floor" ? 4 : 5, .requestsPerSecond: subject == "floor" ? 200 : 100], command: ["x"])
    }

    func settled(_ plan: Plan) -> Plan {
        var plan = plan
        plan.connections = plan.connections.map { $0 * Int(plan.capacities.values.max() ?? 0) }
        return plan
    }

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try outcome(subject.name, connections, plan)
    }
}

extension Machine {
    static let ofTests = Machine(.ofThisPackage, wrk: nil, subjects: [])
}

/// A directory that is gone with this.
struct Scratch: ~Copyable {
    let path = FileManager.default.temporaryDirectory.appending(path: "bench-test-\(UUID().uuidString)").path()
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    borrowing func file(_ name: String) -> String { path + "/" + name }
}

@Suite struct RecordTests {
    /// Runs an experiment, and writes what it makes to a file as `bench` does.
    @discardableResult
    private func run(
        _ experiment: Recorded, to path: String, appending: Bool = false, known: [RunKey: RunRecord] = [:]
    ) throws -> (results: Results, made: [String]) {
        let raw = try RawResults(path: path, appending: appending)
        var made: [String] = []
        let results = try Runner(experiment, plan: experiment.defaults, in: .ofThisPackage, known: known).run { step, isKnown in
            if !isKnown { made.append("\(step.round) \(step.connections) \(step.subject.name)") }
        } finished: { step, outcome in
            try raw.write(RunRecord(experiment, experiment.defaults, .ofTests, step, outcome))
        }
        return (results, made)
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let scratch = try Scratch()
        let experiment = Recorded(outcome: { subject, connections, _ in
            if subject == "floor", connections == 64 { throw Failure("it died", log: "aargh") }
            var run = Run(sample: [.cpuPerRequest: 5, .worst: .infinity], command: ["a", "b"])
            (run.latency, run.timeline) = ([[50, 1.5]], [[0, 10, 1, 2, 0], [1, 0, nil, nil, 3]])
            (run.isVouched, run.doubts) = (false, ["the load was busy"])
            return run
        })
        try run(experiment, to: scratch.file("a"))
        let file = try ResultFile(path: scratch.file("a"))
        // Three rounds of four, less the two that were not tried again.
        #expect(file.records.count == 10)
        let first = try #require(file.records.first)
        #expect(first.experiment == "recorded" && first.subject == "reactor" && first.connections == 1 && first.round == 1)
        #expect(first.peer == "thing" && first.duration == 1 && first.workers == 1 && first.command == ["a", "b"])
        #expect(first.metrics == ["server_cpu_us_per_request": 5])
        #expect(first.latency == [[50, 1.5]])
        #expect(first.timeline == [[0, 10, 1, 2, 0], [1, 0, nil, nil, 3]])
        #expect(first.vouched == false && first.doubts == ["the load was busy"])
        #expect(file.records.compactMap(\.failure) == ["it died"])
        #expect(try Machine.ofTests.differences(from: #require(file.machine)) == [])
    }

    @Test func aFileWithResultsIsNotReplaced() throws {
        let scratch = try Scratch()
        try run(Recorded(), to: scratch.file("a"))
        #expect { try run(Recorded(), to: scratch.file("a")) } throws: { "\($0)".contains("--resume") }
        #expect(throws: Failure.self) { try RawResults(path: scratch.file("none/there")) }
    }

    /// Interrupted anywhere, even in the middle of a line: what is there is not made again, and the rest is.
    @Test(arguments: [0, 1, 500, 4_000, 1_000_000])
    func anInterruptedSuiteGoesOn(bytes: Int) throws {
        let scratch = try Scratch()
        let path = scratch.file("a")
        let whole = try run(Recorded(), to: path)
        let text = try Data(contentsOf: URL(filePath: path)).prefix(bytes)
        try text.write(to: URL(filePath: path))
        let lines = text.count { $0 == UInt8(ascii: "\n") }

        let file = try ResultFile(path: path)
        #expect(file.records.count == lines)
        let rest = try run(Recorded(), to: path, appending: true, known: file.known())
        #expect(rest.made == Array(whole.made.dropFirst(lines)))
        #expect(try ResultFile(path: path).records.count == 12)
        let columns = Recorded().columns
        #expect(rest.results.table(columns) == whole.results.table(columns))
    }

    @Test func runsOfOtherSettingsAreMadeAgain() throws {
        let scratch = try Scratch()
        try run(Recorded(), to: scratch.file("a"))
        let known = try ResultFile(path: scratch.file("a")).known()
        var longer = Recorded()
        longer.defaults.duration = 2
        #expect(try run(longer, to: scratch.file("b"), known: known).made.count == 12)
        var more = Recorded()
        more.defaults.rounds = 4
        #expect(try run(more, to: scratch.file("c"), known: known).made.count == 4)
    }

    @Test func linesThatAreNoResults() throws {
        func failure(_ text: String) -> String {
            do { return "\(try ResultFile(Data(text.utf8), path: "x").records.count)" } catch { return "\(error)" }
        }
        #expect(failure("") == "0")
        #expect(failure("{\"torn") == "0")
        #expect(failure("{}\n") == "x, line 1: no result of bench")
        #expect(failure("\n\nnonsense\n") == "x, line 3: no result of bench")
        #expect(throws: Failure.self) { try ResultFile(path: "/nowhere") }
    }

    // MARK: The order of things

    @Test func capacitiesSettleThePlan() throws {
        let scratch = try Scratch()
        var experiment = Recorded(outcome: { subject, connections, plan in
            if connections == 0 { return Run(sample: [.requestsPerSecond: subject == "floor" ? 200 : 100], command: []) }
            return Run(sample: [.cpuPerRequest: plan.capacities[subject] ?? 0], command: [])
        })
        experiment.calibration = 0
        experiment.defaults.connections = [1, 2]
        experiment.defaults.rounds = 1
        let (results, made) = try run(experiment, to: scratch.file("a"))
        #expect(made == ["-1 0 reactor", "-1 0 floor", "0 200 reactor", "0 200 floor", "0 400 reactor", "0 400 floor"])
        #expect(results.series.map { $0.median(.cpuPerRequest) } == [100, 200, 100, 200])
        // What was measured before is not measured again, and settles the plan as it did.
        let known = try ResultFile(path: scratch.file("a")).known()
        #expect(known.values.contains { $0.round == 0 && $0.connections == 0 })
        #expect(try run(experiment, to: scratch.file("b"), known: known).made == [])
    }

    @Test func aSubjectThatCannotBeCalibratedIsNotTriedAgain() throws {
        let scratch = try Scratch()
        var experiment = Recorded(outcome: { subject, connections, plan in
            if subject == "reactor" { throw Failure("it hung") }
            return Run(sample: [.requestsPerSecond: 1], command: [])
        })
        experiment.calibration = 0
        let (results, made) = try run(experiment, to: scratch.file("a"))
        #expect(made.filter { $0.hasSuffix("reactor") } == ["-1 0 reactor"])
        #expect(results.hasFailures)
    }

    @Test func whatIsOutOfReachIsLeftOut() throws {
        let scratch = try Scratch()
        var experiment = Recorded()
        experiment.defaults.subjects = [.reactor, try .named("fork")]
        experiment.defaults.connections = [1, 2000]
        let (results, made) = try run(experiment, to: scratch.file("a"))
        #expect(made.filter { $0.hasSuffix("fork") } == ["0 1 fork", "1 1 fork", "2 1 fork"])
        #expect(!results.hasFailures)
        #expect(results.table(experiment.columns).contains("fork     left out: more than 1,024 processes are not tried"))
        // A report learns of it, once, and so does whoever goes on with the file.
        let file = try ResultFile(path: scratch.file("a"))
        let leftOut = file.records.filter { $0.failure != nil }
        #expect(leftOut.map(\.failure) == ["left out: more than 1,024 processes are not tried"])
        #expect(leftOut.map(\.subject) == ["fork"] && leftOut.map(\.connections) == [2000])
        let again = try run(experiment, to: scratch.file("b"), known: file.known())
        #expect(again.made == [] && !again.results.hasFailures)
        #expect(try ResultFile(path: scratch.file("b")).records.isEmpty)
    }

    @Test func whatIsNotVouchedForIsMarked() {
        func series(_ vouched: [Bool]) -> Series {
            var series = Series(subject: "reactor", connections: 64)
            for (round, isVouched) in vouched.enumerated() {
                var run = Run(sample: [.cpuPerRequest: isVouched ? 5 : 50, .p99: isVouched ? 5 : 50], command: [])
                (run.isVouched, run.doubts) = (isVouched, isVouched ? [] : ["it used 99 % of its CPU"])
                series.add(run, round: round)
            }
            return series
        }
        let columns = Recorded().columns
        let mixed = Results(series: [series([true, false, false])]).table(columns)
        // The slow rounds are not all that counts.
        #expect(mixed.contains("reactor (?)  50.00\n"))
        #expect(mixed.contains("(?) reactor, connections 64: 2 of 3 runs not vouched for, so that throughput and latency may be the generator's: it used 99 %"))
        #expect(!Results(series: [series([true])]).table(columns).contains("(?)"))
        // What clients see is not compared; what the server used is.
        let other = { (vouched: [Bool]) in
            var other = Series(subject: "thread", connections: 64)
            for _ in vouched { other.add([.cpuPerRequest: 9, .p99: 9]) }
            return other
        }([true, true, true])
        let all = [series([true, true, false]), other]
        #expect(Column.difference(.p99).cell(other, all) == "(?)")
        #expect(Column.difference(.cpuPerRequest).cell(other, all) != "(?)")
    }
}
