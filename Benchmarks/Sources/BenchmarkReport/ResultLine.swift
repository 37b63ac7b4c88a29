import BenchmarkHarness
import Foundation

/// One run, as a line of raw results has it. Only the names of the experiment and the subject must be there: what is missing or
/// of another type is nil and what is unknown is passed over, so that older and newer files are read as well.
package struct ResultLine: Sendable {
    package var experiment = ""
    package var subject = ""
    package var schema: Int?
    /// What `connections` counts.
    package var peer: String?
    package var connections = 0
    /// From 1; 0 is a calibration.
    package var round: Int?
    package var duration: Double?
    package var workers: Int?
    package var ended: String?
    package var command: [String] = []
    package var metrics: [String: Double] = [:]
    /// Pairs of a percentile, up to 100, and microseconds.
    package var latency: [[Double]] = []
    /// The second, answers in it, its p50 and p99 in microseconds, errors.
    package var timeline: [[Double]] = []
    package var vouched = true
    package var doubts: [String] = []
    package var failure: String?
    package var machine = MachineLine()
}

package struct MachineLine: Sendable, Hashable {
    package var kernel: String?
    package var cpu: String?
    package var cpus: Int?
    package var serverCPU: Int?
    package var loadCPU: Int?
    package var loadBefore: Double?
    package var congestionControl: String?
    package var spoolFileSystem: String?
    package var versions: [String: String] = [:]
    package var commit: String?
}

extension ResultLine: Decodable {
    package init(from decoder: any Decoder) throws {
        let line = try decoder.container(keyedBy: AnyKey.self)
        experiment = try line.decode(String.self, forKey: "experiment")
        subject = try line.decode(String.self, forKey: "subject")
        schema = line.lenient("schema")
        peer = line.lenient("peer")
        connections = line.lenient("connections") ?? 0
        round = line.lenient("round")
        duration = line.lenient("duration")
        workers = line.lenient("workers")
        ended = line.lenient("ended")
        command = line.lenient("command") ?? []
        metrics = line.dictionary("metrics")
        latency = (line.lenient("latency") ?? []).filter { (row: [Double]) in row.count >= 2 }
        timeline = (line.lenient("timeline") ?? []).map { (row: [Double?]) in row.map { $0 ?? .nan } }.filter { $0.count >= 4 }
        vouched = line.lenient("vouched") ?? true
        doubts = line.lenient("doubts") ?? []
        failure = line.lenient("failure")
        guard let machine = try? line.nestedContainer(keyedBy: AnyKey.self, forKey: "machine") else { return }
        self.machine = MachineLine(
            kernel: machine.lenient("kernel"), cpu: machine.lenient("cpu"), cpus: machine.lenient("cpus"),
            serverCPU: machine.lenient("serverCPU"), loadCPU: machine.lenient("loadCPU"), loadBefore: machine.lenient("loadBefore"),
            congestionControl: machine.lenient("congestionControl"), spoolFileSystem: machine.lenient("spoolFileSystem"),
            versions: machine.dictionary("versions"), commit: machine.lenient("commit"))
    }
}

private struct AnyKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init(stringLiteral value: String) { stringValue = value }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<AnyKey> {
    fileprivate func lenient<Value: Decodable>(_ key: AnyKey) -> Value? { try? decode(Value.self, forKey: key) }

    /// The values that are of the wanted type.
    fileprivate func dictionary<Value: Decodable>(_ key: AnyKey) -> [String: Value] {
        guard let values = try? nestedContainer(keyedBy: AnyKey.self, forKey: key) else { return [:] }
        var found: [String: Value] = [:]
        for key in values.allKeys { found[key.stringValue] = values.lenient(key) }
        return found
    }
}

/// Raw results as they were read.
package struct ResultLines: Sendable {
    package private(set) var lines: [ResultLine] = []
    /// Numbers of the lines that could not be read, from 1. The last one of an interrupted suite may be torn.
    package private(set) var unreadable: [Int] = []

    package init(_ text: String) {
        let decoder = JSONDecoder()
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            if let line = try? decoder.decode(ResultLine.self, from: Data(line.utf8)) {
                lines.append(line)
            } else {
                unreadable.append(index + 1)
            }
        }
    }
}
