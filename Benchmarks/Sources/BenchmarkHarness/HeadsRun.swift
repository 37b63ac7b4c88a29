import Foundation

/// Has one subject read the heads of HTTP requests, under callgrind. It is a process that ends by itself; what a head
/// costs is what more readings of it add to one.
package struct HeadsRun {
    private let readings: Int
    private let environment: Environment

    package init(readings: Int, in environment: Environment) {
        self.readings = readings
        self.environment = environment
    }

    package func run(_ subject: Subject) throws -> Run {
        guard let command = subject.command(.heads, 1, environment.executables) else {
            throw Failure("\(subject.name) offers no \(Service.heads.rawValue)")
        }
        let browsers = try heads("browsers")
        let tools = try heads("tools")
        let browserCost = try instructions(command, browsers)
        let toolCost = try instructions(command, tools)
        let sample: Sample = [
            .instructionsPerHead: (browserCost + toolCost) / Double(browsers.count + tools.count),
            .instructionsPerBrowserHead: browserCost / Double(browsers.count),
            .instructionsPerToolHead: toolCost / Double(tools.count),
        ]
        return Run(sample: sample, command: command)
    }

    /// One file for each.
    private func heads(_ folder: String) throws -> [String] {
        let directory = environment.executables.heads + "/" + folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        guard !names.isEmpty else { throw Failure("\(directory) has no requests: run bench in the repository") }
        return names.sorted().map { directory + "/" + $0 }
    }

    /// For reading each of the files once.
    private func instructions(_ command: [String], _ files: [String]) throws -> Double {
        let once = try count(command, 1, files)
        let often = try count(command, 1 + readings, files)
        return Double(often - once) / Double(readings)
    }

    private func count(_ command: [String], _ times: Int, _ files: [String]) throws -> Int {
        var child = try ChildProcess(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + command + ["\(times)"] + files,
            cpu: environment.loadCPU)
        guard let status = try child.wait(milliseconds: 60_000) else { throw Failure("callgrind did not end within 60 s") }
        guard status == .code(0) else {
            throw Failure("\(command[0]) under callgrind ended with \(status); it printed: \(child.printed().oneLine)")
        }
        let expected = try files.reduce(HeadCount()) { $0 + HeadCount(try String(contentsOfFile: $1, encoding: .utf8)) }
        let found = "requests=\(times * files.count) fields=\(times * expected.fields) bytes=\(times * expected.bytes) "
        guard child.printed().contains(found) else {
            throw Failure("\(command[0]) did not find \(found); it printed: \(child.printed().oneLine)")
        }
        return try Self.collected(child.printed())
    }

    /// The number in callgrind's last lines.
    ///
    /// - Throws: ``Failure`` if there is none.
    static func collected(_ text: String) throws(Failure) -> Int {
        for line in text.split(separator: "\n") where line.contains("Collected :") {
            if let count = line.split(separator: " ").last.flatMap({ Int($0) }) { return count }
        }
        throw Failure("callgrind counted nothing; it printed: \(text.oneLine)")
    }
}

/// What there is to find in heads: their fields, and the bytes of methods, paths, queries, names and values.
struct HeadCount: Equatable {
    var fields = 0
    var bytes = 0

    init() {}

    /// - Parameter head: with one `?` at most in its target, single spaces behind its colons, and lines that end in CRLF.
    init(_ head: String) {
        let lines = head.utf8.split(separator: 13, omittingEmptySubsequences: false).map { $0.drop { $0 == 10 } }
        let request = lines[0].split(separator: UInt8(ascii: " "))
        bytes = request.dropLast().reduce(0) { $0 + $1.count { $0 != UInt8(ascii: "?") } }
        for line in lines.dropFirst().prefix(while: { !$0.isEmpty }) {
            fields += 1
            bytes += line.count - 2
        }
    }

    static func + (one: HeadCount, other: HeadCount) -> HeadCount {
        var sum = one
        sum.fields += other.fields
        sum.bytes += other.bytes
        return sum
    }
}
