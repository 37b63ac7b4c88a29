import Foundation
import Glibc

/// Raw results as JSON lines: one run a line, written as soon as the run is over.
package final class RawResults {
    private let file: FileHandle

    /// - Parameter path: a file, which is replaced; `-` is standard output.
    package init(path: String) throws {
        if path == "-" {
            file = .standardOutput
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("cannot write the results to \(path)", errno: errno) }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    package func write(_ record: RunRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try file.write(contentsOf: try encoder.encode(record) + Data("\n".utf8))
    }
}

/// One run, with all that is needed to make it again.
package struct RunRecord: Encodable {
    var experiment: String
    var subject: String
    var connections: Int
    /// From 1.
    var round: Int
    /// Seconds of load.
    var duration: Int
    var workers: Int
    var ended = Date()
    var command: [String]?
    var metrics: [String: Double]?
    /// Why there are no metrics.
    var failure: String?
    var machine: Machine

    package init(
        _ experiment: any Experiment, _ plan: Plan, _ machine: Machine, subject: Subject, connections: Int, round: Int,
        outcome: Result<Run, Failure>
    ) {
        self.experiment = experiment.name
        self.subject = subject.name
        self.connections = connections
        self.round = round + 1
        duration = plan.duration
        workers = plan.workers(for: connections)
        self.machine = machine
        switch outcome {
        case .success(let run):
            command = run.command
            metrics = Dictionary(uniqueKeysWithValues: run.sample.map { ($0.key.rawValue, $0.value) })
        case .failure(let error): failure = error.description
        }
    }
}
