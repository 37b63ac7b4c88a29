import Foundation
import Glibc

/// Raw results as JSON lines: one run a line, written as soon as the run is over.
package final class RawResults {
    private let file: FileHandle
    /// Nil is standard output.
    package let path: String?

    /// - Parameters:
    ///   - path: a file that has nothing in it yet; `-` is standard output.
    ///   - appending: the file is one of before, and goes on.
    package init(path: String, appending: Bool = false) throws {
        if path == "-" {
            (file, self.path) = (.standardOutput, nil)
            return
        }
        self.path = path
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("cannot write the results to \(path)", errno: errno) }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let size = try file.seekToEnd()
        guard size > 0 else { return }
        guard appending else {
            throw Failure("\(path) has results already: go on with them by --resume \(path), or name another file")
        }
        try cutTornLine(descriptor)
    }

    /// A line without an end is of a run that was interrupted while it was written.
    private func cutTornLine(_ descriptor: Int32) throws {
        try file.seek(toOffset: 0)
        let data = try file.readToEnd() ?? Data()
        let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard end < data.count, ftruncate(descriptor, off_t(end)) != 0 else { return }
        throw Failure("cannot cut the unfinished line off the results", errno: errno)
    }

    package func write(_ record: RunRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try file.write(contentsOf: try encoder.encode(record) + Data("\n".utf8))
    }

    /// Writes what a subject printed that failed, beside the results.
    ///
    /// - Returns: where it is; nil if the results aren't in a file.
    package func keep(log: String, of record: RunRecord) throws -> String? {
        guard let path else { return nil }
        let stem = path.hasSuffix(".jsonl") ? String(path.dropLast(6)) : path
        let directory = stem + "-logs"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let name = "\(record.experiment)-\(record.subject)-\(record.connections)-\(record.round).log"
        try log.write(toFile: directory + "/" + name, atomically: false, encoding: .utf8)
        return directory + "/" + name
    }
}

/// Raw results that were written before.
package struct ResultFile: Sendable {
    package let records: [RunRecord]
    package let path: String

    /// - Throws: ``Failure`` if the file cannot be read, or a line of it that is whole is no result.
    package init(path: String) throws(Failure) {
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path) cannot be read") }
        try self.init(data, path: path)
    }

    init(_ data: Data, path: String) throws(Failure) {
        self.path = path
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        var records: [RunRecord] = []
        // What stands behind the last line's end was interrupted while it was written.
        let whole = data.prefix(data.lastIndex(of: UInt8(ascii: "\n")).map { data.distance(from: data.startIndex, to: $0) } ?? 0)
        for (index, line) in whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty { continue }
            guard let record = try? decoder.decode(RunRecord.self, from: line) else {
                throw Failure("\(path), line \(index + 1): no result of bench")
            }
            guard record.schema <= RunRecord.schema else {
                throw Failure("\(path), line \(index + 1): written by a later bench, in schema \(record.schema)")
            }
            records.append(record)
        }
        self.records = records
    }

    package var machine: Machine? { records.last?.machine }

    package func known() -> [RunKey: RunRecord] {
        Dictionary(records.map { (RunKey($0), $0) }) { _, later in later }
    }
}
