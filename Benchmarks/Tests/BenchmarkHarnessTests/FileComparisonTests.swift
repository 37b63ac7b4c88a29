import Foundation
import Testing

@testable import BenchmarkHarness

@Suite struct FileComparisonTests {
    private func file(
        _ values: [String: [Double]], duration: Int = 1, vouched: Bool = true, machine: Machine = .ofTests
    ) throws -> ResultFile {
        var experiment = Recorded()
        experiment.defaults.duration = duration
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        var data = Data()
        for (name, values) in values.sorted(by: { $0.key < $1.key }) {
            for (round, value) in values.enumerated() {
                var run = Run(sample: [.cpuPerRequest: value, .p99: value], command: [])
                run.isVouched = vouched
                let outcome: Result<Run, Failure> = value.isNaN ? .failure(Failure("it died")) : .success(run)
                let step = Step(subject: .reactor, connections: 64, round: round)
                var record = RunRecord(experiment, experiment.defaults, machine, step, outcome)
                record.subject = name
                data += try encoder.encode(record) + Data("\n".utf8)
            }
        }
        return try ResultFile(data, path: "file")
    }

    private func compare(_ a: ResultFile, _ b: ResultFile, by metric: Metric = .cpuPerRequest) -> FileComparison {
        FileComparison(a, b) { _ in [metric] }
    }

    private func row(_ comparison: FileComparison, _ subject: String) throws -> FileComparison.Row {
        try #require(comparison.rows.first { $0.subject == subject })
    }

    @Test func whatChangedIsFound() throws {
        let comparison = compare(
            try file(["thread": [10, 10.1, 9.9, 10, 10.05], "fork": [20, 21, 19, 20, 20.5]]),
            try file(["thread": [12, 12.1, 11.9, 12, 12.05], "fork": [20.2, 19.5, 20.8, 20, 20.1]]))
        #expect(comparison.obstacles == [])
        let thread = try row(comparison, "thread")
        #expect(thread.a == 10 && thread.b == 12 && thread.peer == "thing")
        let found = try #require(thread.comparison)
        #expect(found.verdict == .significant && abs(found.ratio - 1.2) < 1e-9)
        #expect(try row(comparison, "fork").comparison?.verdict == .noDifference)
    }

    /// The floor is the same program: if it is slower, so was the machine.
    @Test func aMachineWithAnotherDayIsNoise() throws {
        let comparison = compare(
            try file(["thread": [10, 10.1, 9.9, 10, 10.05], "floor": [5, 5.01, 4.99]]),
            try file(["thread": [12, 12.1, 11.9, 12, 12.05], "floor": [6.1, 6.11, 6.09]]))
        #expect(try row(comparison, "thread").comparison?.verdict == .withinNoise)
        #expect(try row(comparison, "floor").comparison?.verdict == .significant)
    }

    @Test func theSameSubjectRunTwiceIsNoise() throws {
        let comparison = compare(
            try file(["thread": [10, 10.1, 9.9, 10], "reactor": [5, 5, 5], "reactor-again": [6.5, 6.5, 6.5]]),
            try file(["thread": [12, 12.1, 11.9, 12], "reactor": [5, 5, 5]]))
        let thread = try #require(try row(comparison, "thread").comparison)
        #expect(thread.verdict == .withinNoise && abs(thread.noise - 0.3) < 1e-9)
    }

    @Test func whatCannotBeComparedSaysWhy() throws {
        let comparison = compare(
            try file(["thread": [10, 10], "fork": [.nan], "floor": [1, 1]]),
            try file(["fork": [10, 10], "floor": [2, 2], "nginx": [3]], vouched: false), by: .p99)
        #expect(try row(comparison, "thread").remark == "B: not run")
        #expect(try row(comparison, "fork").remark == "A: failed, B: not vouched for")
        #expect(try row(comparison, "nginx").remark == "A: not run, B: not vouched for")
        #expect(try row(comparison, "floor").comparison == nil)
        // What the server used is its own, whatever the generator did.
        let cost = compare(try file(["floor": [1, 1]]), try file(["floor": [2, 2]], vouched: false))
        #expect(try row(cost, "floor").comparison?.ratio == 2)
    }

    @Test func calibrationsAreNoResults() throws {
        let file = try file(["thread": [10, 10]])
        var calibration = try #require(file.records.first)
        (calibration.round, calibration.connections, calibration.duration) = (0, 0, 9)
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        let lines = try (file.records + [calibration]).map { try encoder.encode($0) + Data("\n".utf8) }
        let both = try ResultFile(lines.reduce(Data(), +), path: "file")
        let comparison = compare(both, file)
        #expect(comparison.rows.map(\.connections) == [64] && comparison.obstacles == [])
    }

    @Test func otherMachinesAndSettingsAreObstacles() throws {
        let a = try file(["thread": [10]])
        #expect(compare(a, try file(["thread": [10]], duration: 2)).obstacles == [
            "recorded: 2 s a run, 64 workers, not 1 s a run, 64 workers",
        ])
        #expect(compare(a, try file([:])).obstacles == ["file has no results"])
        let text = String(decoding: try JSONEncoder().encode(Machine.ofTests), as: UTF8.self)
        let encoded = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        var changed = try #require(encoded)
        changed["kernel"] = "Linux 2.4"
        changed["versions"] = ["libev": "3"]
        let other = try JSONDecoder().decode(Machine.self, from: JSONSerialization.data(withJSONObject: changed))
        let comparison = compare(a, try file(["thread": [10]], machine: other))
        #expect(comparison.obstacles == ["kernel: Linux 2.4, not \(Machine.ofTests.kernel)"])
        #expect(comparison.remarks.count <= 1)
    }
}
