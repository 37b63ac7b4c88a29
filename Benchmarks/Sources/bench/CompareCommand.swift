import ArgumentParser
import BenchmarkHarness
import Foundation

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares two files of raw results, and says which differences are significant.",
        discussion: """
            A row is a subject of an experiment, at so many connections, by one measure: the medians of A and B, B as a multiple of \
            A, and where that lies with a confidence of 95 %.

            significant    1 is not in the interval, and the difference exceeds the noise: what reactor and reactor-again, which \
            are the same, differ by in either file, and what the floor differs by between the two
            within noise   1 is not in the interval, but noise is as great
            no difference  1 is in the interval
            """)

    @Argument(help: ArgumentHelp("The file of before.", valueName: "A"))
    var first: String

    @Argument(help: ArgumentHelp("The file to compare with it.", valueName: "B"))
    var second: String

    @Flag(help: "Compare results of different machines, kernels or settings all the same.")
    var force = false

    @Flag(help: "Print one JSON array instead of a table.")
    var json = false

    func run() throws {
        do {
            let comparison = FileComparison(try ResultFile(path: first), try ResultFile(path: second), metrics: Self.metrics)
            try check(comparison)
            print(json ? try Self.encoded(comparison) : table(comparison))
        } catch let failure as Failure {
            StandardError.report(failure.description)
            throw ExitCode(1)
        }
    }

    private func check(_ comparison: FileComparison) throws(Failure) {
        for remark in comparison.remarks { StandardError.report("B has another \(remark)") }
        guard !comparison.obstacles.isEmpty else { return }
        let obstacles = comparison.obstacles.joined(separator: "; ")
        guard force else { throw Failure("A and B are not comparable: B has \(obstacles). --force compares them all the same") }
        StandardError.report("not comparable, but forced: B has \(obstacles)")
    }

    private static func metrics(_ experiment: String) -> [Metric] {
        let metrics = Bench.experiments.first { $0.name == experiment }?.comparedMetrics ?? [.cpuPerRequest]
        return [.requestsPerSecond] + metrics.filter { $0 != .requestsPerSecond }
    }

    private func table(_ comparison: FileComparison) -> String {
        var table = TextTable(["subject", "measure", "A", "B", "B ÷ A", "95 %", "noise", "verdict"])
        var section = ""
        for row in comparison.rows {
            let title = "\(row.experiment), \(row.peer): \(row.connections)"
            if title != section { table.addSection(title) }
            section = title
            let found = row.comparison
            table.add([
                row.subject, row.metric.inWords, Self.number(row.a), Self.number(row.b),
                found.map { String(format: "%.3f", $0.ratio) } ?? "–",
                (found?.interval).map { String(format: "%.3f–%.3f", $0.low, $0.high) } ?? "–",
                // Exactly none is what has not been measured.
                found.flatMap { $0.noise > 0 ? String(format: "%.1f %%", $0.noise * 100) : nil } ?? "–", Self.verdict(row),
            ])
        }
        return table.rendered()
    }

    private static func number(_ value: Double?) -> String {
        value.map { $0 >= 1000 ? Format.count($0) : String(format: "%.3g", $0) } ?? "–"
    }

    private static func verdict(_ row: FileComparison.Row) -> String {
        guard let comparison = row.comparison else { return row.remark ?? "" }
        guard comparison.verdict == .significant else { return comparison.verdict.rawValue }
        return "significant: B is " + ((comparison.ratio > 1) == row.metric.isBetterHigher ? "better" : "worse")
    }

    // MARK: JSON

    private struct Line: Encodable {
        let experiment: String, subject: String, connections: Int, metric: String
        let a: Double?, b: Double?, ratio: Double?, interval: Interval?, noise: Double?, verdict: String
    }

    private static func encoded(_ comparison: FileComparison) throws -> String {
        let lines = comparison.rows.map { row in
            Line(
                experiment: row.experiment, subject: row.subject, connections: row.connections, metric: row.metric.rawValue,
                a: row.a, b: row.b, ratio: row.comparison?.ratio, interval: row.comparison?.interval,
                noise: row.comparison?.noise, verdict: row.comparison?.verdict.rawValue ?? row.remark ?? "")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(lines), as: UTF8.self)
    }
}
