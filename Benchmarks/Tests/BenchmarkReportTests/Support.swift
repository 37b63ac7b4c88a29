import Foundation

@testable import BenchmarkReport

/// Lines of raw results, as `bench run --json` writes them.
enum Sample {
    static func line(
        _ experiment: String = "architectures", _ subject: String, _ connections: Int = 64, _ metrics: [String: Double]? = nil,
        more: [String: Any] = [:]
    ) -> String {
        var record: [String: Any] = [
            "schema": 1, "experiment": experiment, "subject": subject, "connections": connections, "duration": 2, "workers": connections,
            "ended": "2026-11-30T09:00:00Z", "vouched": true, "machine": ["kernel": "Linux 6", "cpu": "A CPU", "cpus": 2, "commit": "abc"],
        ]
        record["metrics"] = metrics
        record.merge(more) { _, new in new }
        let data = try? JSONSerialization.data(withJSONObject: record, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    /// A run for each value.
    static func runs(
        _ experiment: String = "architectures", _ subject: String, _ connections: Int = 64, _ key: String = "requests_per_second",
        _ values: [Double], more: [String: Any] = [:]
    ) -> [String] {
        values.enumerated().map { index, value in
            line(experiment, subject, connections, [key: value], more: more.merging(["round": index + 1]) { given, _ in given })
        }
    }

    static func report(_ lines: [String]) -> Report { Report(ResultLines(lines.joined(separator: "\n"))) }
    static func results(_ lines: [String]) -> ExperimentResults? { report(lines).sections.first?.results }

    /// What a full suite leaves, made up: printed by sample.py.
    static func suite() throws -> String {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "sample.py").path()
        return try output(["python3", script])
    }

    static func output(_ command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
