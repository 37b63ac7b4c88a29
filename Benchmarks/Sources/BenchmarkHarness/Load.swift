/// Runs `load`, the generator of the loads that wrk cannot make. It checks every byte that comes back.
package struct Load {
    /// The kind of load, its port, and its numbers; see the program's usage.
    private let command: [String]
    private let cpu: Int?

    package init(_ kind: String, port: UInt16, _ numbers: [Int], in environment: Environment) {
        command = [environment.executables.load, kind, "\(port)"] + numbers.map { "\($0)" }
        cpu = environment.loadCPU
    }

    /// Loads the server until the load is over, and calls `meanwhile` every 20 ms.
    ///
    /// - Throws: ``Failure`` if an answer was wrong or missing, or if the load lasts longer than `seconds`.
    package func run(within seconds: Int, meanwhile: () throws -> Void = {}) throws -> LoadReport {
        var child = try ChildProcess(command, cpu: cpu)
        for _ in 0..<seconds * 50 {
            try meanwhile()
            guard let status = try child.wait(milliseconds: 20) else { continue }
            guard status == .code(0) else { throw Failure("the load failed: \(child.printed().oneLine)") }
            return try LoadReport(child.printed())
        }
        throw Failure("the load did not end within \(seconds) s")
    }
}

extension Load {
    /// Starts the load and leaves it running for as long as what is returned lives.
    func start() throws -> RunningProgram { RunningProgram(try ChildProcess(command, cpu: cpu)) }
}

/// A program that runs beside a measurement: killed with this object.
final class RunningProgram {
    private var process: ChildProcess
    init(_ process: consuming ChildProcess) { self.process = process }

    /// - Throws: ``Failure`` if it has ended.
    func checkAlive() throws {
        if let end = try process.wait(milliseconds: 0) { throw process.failure("the load beside ended with \(end)") }
    }
}

/// The line of `key=value` pairs that `load` prints at its end.
package struct LoadReport: Equatable, Sendable {
    /// Round trips, connections, datagrams or bytes.
    package let count: Double
    package let seconds: Double
    /// Connections that ended without a whole answer.
    package let failures: Double
    /// Datagrams that did not come back.
    package let lost: Double
    /// Session tickets that came on the connections that were counted.
    package let tickets: Double
    private let values: [String: Double]

    /// What only some loads report.
    package subscript(key: String) -> Double? { values[key] }

    /// - Throws: ``Failure`` if the text is not a report, or nothing was counted.
    package init(_ text: String) throws(Failure) {
        var values: [Substring: Double] = [:]
        for pair in text.split(whereSeparator: \.isWhitespace) {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = Double(parts[1]) }
        }
        guard let count = values["count"], let seconds = values["seconds"], seconds > 0 else {
            throw Failure("the load gave no report; it printed: \(text.oneLine)")
        }
        guard count > 0 else { throw Failure("the server answered nothing in \(seconds) s") }
        self.count = count
        self.seconds = seconds
        failures = values["failures"] ?? 0
        lost = values["lost"] ?? 0
        tickets = values["tickets"] ?? 0
        self.values = Dictionary(uniqueKeysWithValues: values.map { (String($0.key), $0.value) })
    }
}
