import Foundation

/// Runs `reactor load`, our own generator: at a rate of its own, or as fast as answers come.
package struct ReactorLoad {
    package var connections: Int
    package var seconds: Int
    /// Requests a second; nil where each connection asks again as soon as it is answered.
    package var rate: Double?
    /// Whatever else it is told.
    package var options: [String] = []

    package init(connections: Int, seconds: Int, rate: Double? = nil, options: [String] = []) {
        self.connections = connections
        self.seconds = seconds
        self.rate = rate
        self.options = options
    }

    func command(_ url: String, _ executables: Executables) -> [String] {
        [executables.reactor, "load", url, "--connections", "\(connections)", "--duration", "\(seconds)", "--warm-up", "0", "--json"]
            + (rate.map { ["--rate", String(format: "%.0f", $0)] } ?? []) + options
    }

    /// Loads the server to the end, and calls `meanwhile` once it has begun.
    ///
    /// - Throws: ``Failure`` if there is no report.
    package func run(
        _ url: String, in environment: Environment, meanwhile: () throws -> Void = {}
    ) throws -> ReactorLoadReport {
        var child = try ChildProcess(command(url, environment.executables), cpu: environment.loadCPU)
        try meanwhile()
        return try Self.report(of: &child, within: seconds + 20)
    }

    static func report(of child: inout ChildProcess, within seconds: Int) throws -> ReactorLoadReport {
        guard let status = try child.wait(milliseconds: seconds * 1000) else {
            throw child.failure("reactor load did not end within \(seconds) s")
        }
        // 3: it measured, but does not vouch for it. 1: nothing was answered, if there is a report.
        if status == .code(1), let report = try? ReactorLoadReport(child.printed()), report.requests == 0 { return report }
        guard status == .code(0) || status == .code(3) else { throw child.failure("reactor load ended with \(status)") }
        return try ReactorLoadReport(child.printed())
    }
}

/// The object that `reactor load --json` prints.
package struct ReactorLoadReport: Decodable, Sendable {
    let seconds: Double
    let offered: Double?
    let achieved: Double
    package let requests: Double
    let errors: [String: Double]
    let latency: [String: Double?]
    let percentiles: [[Double]]?
    let fairness: Double?
    package let timeline: [[Double?]]?
    let vouched: Bool
    let doubts: [String]
    /// What it used itself, of one core in `share`.
    private let loadCPU: [String: Double]?
    var share: Double? { loadCPU?["share"] }

    private enum CodingKeys: String, CodingKey {
        case seconds = "duration_seconds"
        case offered = "offered_rate"
        case achieved = "achieved_rate"
        case latency = "latency_us"
        case loadCPU = "load_cpu"
        case requests, errors, percentiles, fairness, timeline, vouched, doubts
    }

    /// - Throws: ``Failure`` if there is no such object in the text.
    init(_ text: String) throws(Failure) {
        // Standard error is in the text too: hints before the object, or behind it.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.firstIndex(where: { $0.hasPrefix("{") }),
            let last = lines.lastIndex(where: { $0.hasSuffix("}") }), first <= last
        else { throw Failure("reactor load printed no report, but: \(text.oneLine)", log: text) }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(lines[first...last].joined(separator: "\n").utf8))
        } catch {
            throw Failure("the report of reactor load cannot be read (\(error))", log: text)
        }
    }

    /// What the clients saw.
    package var sample: Sample {
        var sample: Sample = [.requests: requests, .requestsPerSecond: achieved]
        sample[.offeredPerSecond] = offered
        // Nothing is no share of anything.
        sample[.fairness] = requests > 0 ? fairness : nil
        let latencies: [(Metric, String)] = [(.p50, "p50"), (.p90, "p90"), (.p99, "p99"), (.p999, "p99_9"), (.worst, "max")]
        if requests > 0 { for (metric, key) in latencies { sample[metric] = latency[key] ?? nil } }
        for metric in Metric.errors { sample[metric] = errors[String(metric.rawValue.dropFirst("errors_".count))] ?? 0 }
        return sample
    }
}
