import BenchmarkHarness

/// The numbers of an experiment, as cells of text.
package struct ReportTable: Sendable {
    package struct Row: Sendable {
        package let subject: String
        /// Behind the name: see ``Cell/marks``.
        package let marks: String
        package let cells: [(value: String, interval: String)]
        /// Instead of cells: why there are none.
        package let failure: String?
    }

    package let headings: [String]
    package let groups: [(title: String, rows: [Row])]

    /// - Parameter main: the columns that matter, or all the others.
    package init?(_ results: ExperimentResults, main: Bool) {
        let keys = results.cells.reduce(into: Set<String>()) { keys, cell in keys.formUnion(cell.estimates.keys.filter(Cell.isMetric)) }
        let known = Measure.columns.filter(keys.contains)
        let columns = (main ? known : keys.subtracting(known).sorted()).map(Measure.init)
        guard main || !columns.isEmpty else { return nil }
        headings = ["subject"] + columns.map(\.label) + (main ? ["errors", "runs"] : [])
        groups = results.swept.map { swept in
            let rows = results.cells(at: swept).map { cell in
                let cells = columns.map { measure in
                    cell[measure.key].map { (cell.text($0, measure), Self.interval($0, measure, cell)) } ?? ("–", "")
                }
                let failure = cell.absence
                return Row(
                    subject: cell.subject, marks: cell.marks,
                    cells: cells + (main ? [(Self.errors(cell), ""), ("\(cell.runs)", "")] : []), failure: failure)
            }
            return (results.count(swept), rows)
        }
    }

    /// A lower bound has none, and one run of several is named as such.
    private static func interval(_ estimate: Estimate, _ measure: Measure, _ cell: Cell) -> String {
        if cell.isBound(measure.key) { return "" }
        return estimate.count == 1 && cell.runs > 1 ? "1 run" : measure.interval(estimate) ?? ""
    }

    /// Kinds and greatest numbers of what went wrong in runs that were measured.
    static func errors(_ cell: Cell) -> String {
        let names = ["socket_errors": "socket", "timeouts": "late", "bad_statuses": "status"]
        let kinds = cell.estimates.keys.filter { names[$0] != nil || $0.hasPrefix("errors_") }.sorted()
        let found = kinds.compactMap { key -> String? in
            guard let most = cell[key]?.high, most > 0 else { return nil }
            return "\(Format.count(most)) \(names[key] ?? String(key.dropFirst("errors_".count)))"
        }
        return found.isEmpty ? "0" : found.joined(separator: ", ")
    }
}

extension Cell {
    /// Instead of numbers: one failure is enough, as in the tables that bench run prints.
    package var absence: String? {
        if let leftOut, runs == 0, failedRuns == 0 { return leftOut.isEmpty ? "left out" : "left out: \(leftOut)" }
        guard failedRuns > 0 || runs == 0 else { return nil }
        let rounds = runs > 0 ? " in \(failedRuns) of \(runs + failedRuns) rounds" : ""
        return "failed\(rounds): \(failures.joined(separator: "; "))"
    }
}
