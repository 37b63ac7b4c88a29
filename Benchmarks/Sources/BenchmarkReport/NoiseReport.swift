import BenchmarkHarness
import Foundation

/// How far the same server, measured under two names, differs from itself.
package struct NoiseReport: Sendable {
    package let sentence: String
    package let figure: Figure?
    /// All comparisons of the two, and those in which a difference would have been called by the intervals alone.
    package let comparisons: Int
    package let falseAlarms: Int

    package init(_ experiments: [ExperimentResults], styles: [String: SubjectStyle]) {
        var rows: [Figure.Series] = []
        var worst: [String] = []
        var (comparisons, falseAlarms) = (0, 0)
        for (name, keys) in [("throughput", Measure.speeds), ("CPU", Measure.costs), ("p99", ["p99_us"])] {
            var greatest: Double?
            for results in experiments {
                guard let key = keys.first(where: results.has) else { continue }
                let twins = results.twins(key)
                guard !twins.isEmpty else { continue }
                comparisons += twins.count
                falseAlarms += twins.filter(\.isCalledDifferent).count
                greatest = max(greatest ?? 0, twins.map { abs($0.difference) }.max() ?? 0)
                let points = twins.map {
                    Figure.Point(
                        x: $0.difference * 100, y: 0, low: 0, high: 0, hollow: $0.isCalledDifferent,
                        text: results.count($0.swept))
                }
                rows.append(Figure.Series(name: "\(results.name), \(name)", style: styles[ExperimentResults.twins.subject], points: points))
            }
            if let greatest { worst.append("\(String(format: "%.1f %%", greatest * 100)) in \(name)") }
        }
        self.comparisons = comparisons
        self.falseAlarms = falseAlarms
        guard !rows.isEmpty else {
            sentence = "The noise was not measured in this run: no subject was measured twice (`reactor-again`), "
                + "so only the intervals tell whether a difference is one."
            figure = nil
            return
        }
        sentence = "The same server measured twice, as `reactor` and as `reactor-again`, differs from itself by at most "
            + worst.joined(separator: ", ") + "; the intervals alone would have called a difference "
            + "in \(falseAlarms) of \(comparisons) comparisons."
        figure = Figure(
            id: "noise", title: "reactor against itself", kind: .strip, sentence: sentence,
            notes: ["A dot for each comparison; hollow where the intervals alone call a difference."],
            x: .init(label: "difference, %", unit: .plain), y: .init(label: "", unit: .plain), series: rows)
    }
}
