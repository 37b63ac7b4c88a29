import BenchmarkHarness
import Foundation

/// Which figures an experiment has. What it didn't measure has none.
package struct Figures {
    private let results: ExperimentResults
    private let styles: [String: SubjectStyle]
    private let sentences: Sentences

    package init(_ results: ExperimentResults, styles: [String: SubjectStyle]) {
        self.results = results
        self.styles = styles
        sentences = Sentences(results)
    }

    /// Experiments in which something disturbs the clients that are measured: what counts is what becomes of them.
    private static let disturbed: Set = ["slow-clients", "slow-readers", "slow-senders", "idle-herd"]

    package var all: [Figure] {
        let name = results.name
        let speed = Measure.speeds.first(where: results.has).map(Measure.init)
        let memory = results.first(of: Measure.memories).map(Measure.init)
        var figures: [Figure?] = []
        if results.cells.contains(where: { $0.timeline.count > 1 }) {
            figures += [timeline("answered", "Answers in each second") { $0.answered }, timeline("p99", "p99 in each second") { $0.p99 }]
            figures.append(sweep(Measure("recovery_seconds"), "Time to recover"))
            figures.append(sweep(Measure("burst_seconds"), "Time until all are answered"))
        } else if results.has(Cell.againstWrk) {
            figures.append(sweep(Measure(Cell.againstWrk), "reactor load beside wrk", sentence: { sentences.generators($0) }))
        } else if name == "offered-load" {
            figures.append(sweep(Measure("p99_us"), "Latency (p99) against offered load", sentence: { sentences.endurance($0) }))
            figures.append(speed.flatMap { sweep($0, "Throughput against offered load") })
        } else if Self.disturbed.contains(name) {
            let over = "against \(results.plural)"
            let changes = [
                speed.flatMap { sweep($0, "Throughput \(over)", sentence: sentences.change) },
                sweep(Measure("p99_us"), "Latency (p99) \(over)", sentence: sentences.change),
            ]
            // At a rate that all can bear, it is latency that tells.
            figures += results.has("offered_per_second") ? changes.reversed() : changes
            if results.swept.count > 1, let cost = Measure.costs.first(where: results.has).map(Measure.init) {
                figures.append(sweep(cost, "CPU \(over)", sentence: sentences.change, name: "\(cost.key)-over"))
            }
        } else if results.has("burst_seconds") {
            figures.append(sweep(Measure("burst_seconds"), "Time until all are answered"))
            figures.append(percentiles() ?? sweep(Measure("p99_us"), "Latency (p99)"))
        } else {
            figures.append(speed.flatMap { sweep($0, "Throughput") })
            let percentiles = percentiles()
            figures.append(percentiles ?? sweep(Measure("p99_us"), "Latency (p99)"))
            if percentiles != nil, results.swept.count > 1 { figures.append(sweep(Measure("p99_us"), "Latency (p99)")) }
        }
        figures.append(cost())
        figures.append(memory.flatMap { sweep($0, "Memory") })
        return figures.compactMap { $0 }
    }

    // MARK: Lines and dots

    private func sweep(_ measure: Measure, _ title: String, sentence: ((Measure) -> String)? = nil, name: String? = nil) -> Figure? {
        let cells = results.cells.filter { $0[measure.key] != nil }
        guard !cells.isEmpty else { return nil }
        let places = Set(cells.map(\.swept)).sorted()
        let isOffered = results.name == "offered-load" && cells.allSatisfy { $0["offered_per_second"] != nil }
        let series = series(cells) { cell in
            let x = isOffered ? cell["offered_per_second"]?.median ?? 0 : Double(cell.swept)
            return cell[measure.key].map { point($0, at: x, of: cell, measure) }
        }
        let isLine = places.count > 1
        let over = title.contains("against") || !isLine ? title : "\(title) against \(results.plural)"
        let xs = series.flatMap(\.points).map(\.x)
        return Figure(
            id: id(name ?? measure.key), title: isLine ? over : "\(title), \(results.count(places[0]))", kind: isLine ? .lines : .dots,
            sentence: (sentence.map { $0(measure) } ?? sentences.ranking(measure)), notes: sentences.notes(measure.key, at: results.swept),
            isTelling: isTelling(measure, at: results.swept),
            x: .init(
                label: isOffered ? "requests offered per second" : results.plural, unit: .count, scale: Self.spread(of: xs),
                ticks: isOffered ? [] : places.map(Double.init)),
            y: .init(label: measure.title, unit: measure.unit, scale: Self.scale(of: series, measure)), series: series)
    }

    /// Values that lie far apart need a logarithmic axis; times and memory earlier than others, whose zero means something.
    private static func scale(of series: [Figure.Series], _ measure: Measure) -> Figure.Axis.Scale {
        let values = series.flatMap(\.points).map(\.y)
        guard let most = values.max(), let least = values.filter({ $0 > 0 }).min() else { return .linear }
        return most / least > (measure.unit == .microseconds || measure.unit == .bytes ? 8 : 40) ? .log : .linear
    }

    private static func spread(of values: [Double]) -> Figure.Axis.Scale {
        let positive = values.filter { $0 > 0 }
        guard let least = positive.min(), let most = positive.max(), most / least >= 8 else { return .linear }
        return positive.count == values.count ? .log : .symlog
    }

    // MARK: Percentiles

    private func percentiles() -> Figure? {
        guard let swept = representative({ $0.percentiles.count > 2 }) else { return nil }
        let cells = results.cells(at: swept).filter { $0.percentiles.count > 2 }
        let series = series(cells) { _ in nil } lines: { cell in
            cell.percentiles.map {
                point($0.latency, at: $0.percentile, of: cell, .init(percentile: $0.percentile, named: Cell.percentile($0.percentile)))
            }
        }
        // The p99 that the tables have, too; of a list without it, the greatest that all lists share.
        let compared = cells.filter { $0.isComparable("p50_us") }
        let common = compared.map { Set($0.percentiles.map(\.percentile)) }
        let shared = common.dropFirst().reduce(common.first ?? []) { $0.intersection($1) }
        let measured = shared.filter { $0 <= 99.9 }.max() ?? 50
        let hasP99 = results.cells(at: swept).contains { $0["p99_us"] != nil }
        let measure = hasP99 ? Measure("p99_us") : Measure(percentile: measured, named: Cell.percentile(measured))
        return Figure(
            id: id("percentiles"), title: "Latency percentiles, \(results.count(swept))", kind: .percentiles,
            sentence: sentences.ranking(measure, at: swept), notes: sentences.notes(measure.key, at: [swept]),
            isTelling: isTelling(measure, at: [swept]), x: .init(label: "percentile", unit: .plain),
            y: .init(label: "latency", unit: .microseconds, scale: .log), series: series)
    }

    /// Where one value of what is varied has to do: 64 connections if they were measured, otherwise the greatest at which there
    /// is something.
    private func representative(_ condition: (Cell) -> Bool) -> Int? {
        let places = results.swept.filter { results.cells(at: $0).contains(where: condition) }
        return results.peer == "connection" && places.contains(64) ? 64 : places.last
    }

    // MARK: Cost

    private func cost() -> Figure? {
        guard let key = Measure.costs.first(where: results.has), let swept = representative({ $0[key] != nil }) else { return nil }
        let measure = Measure(key)
        let keys = [key.replacing("cpu_us", with: "cpu_user_us"), key.replacing("cpu_us", with: "cpu_system_us")]
        let cells = results.cells(at: swept).filter { $0[key] != nil }
        let hasParts = !cells.isEmpty && cells.allSatisfy { cell in keys.allSatisfy { cell[$0] != nil } }
        let series = series(cells) { cell in
            guard let total = cell[key] else { return nil }
            var point = point(total, at: 0, of: cell, measure)
            if hasParts { point.parts = keys.compactMap { cell[$0]?.median } }
            return point
        }.sorted { $0.points[0].y < $1.points[0].y }
        return Figure(
            id: id(key), title: hasParts ? "CPU, user and system, \(results.count(swept))" : "\(measure.label), \(results.count(swept))",
            kind: .stack, sentence: sentences.ranking(measure, at: swept),
            notes: sentences.notes(key, at: [swept]) + (hasParts ? [Self.split] : []), isTelling: isTelling(measure, at: [swept]),
            x: .init(label: "", unit: .plain), y: .init(label: measure.title, unit: measure.unit), series: series)
    }

    private static let split =
        "How the sum is split into user and system time is sampled by the kernel's ticks, and rough; the intervals are of the sum."

    // MARK: Seconds of a run

    private func timeline(_ name: String, _ title: String, _ value: @escaping (Cell.Second) -> Estimate?) -> Figure? {
        guard let swept = representative({ $0.timeline.count > 1 }) else { return nil }
        let cells = results.cells(at: swept).filter { $0.timeline.count > 1 }
        let isLatency = name == "p99"
        let unit = Measure(isLatency ? "p99_us" : "answered_per_second")
        let series = series(cells) { _ in nil } lines: { cell in
            cell.timeline.compactMap { second in value(second).map { point($0, at: second.second, of: cell, unit) } }
        }
        guard series.contains(where: { !$0.points.isEmpty }) else { return nil }
        let worst = Measure(
            key: Cell.worstSecond, label: "p99 in the worst second", title: "", unit: .microseconds,
            lead: .least(first: "has the lowest p99 in its worst second", last: "the highest"))
        let speed = Measure.speeds.first(where: results.has).map(Measure.init)
        return Figure(
            id: id("timeline-" + name), title: "\(title), \(results.count(swept))", kind: .timeline,
            sentence: sentences.ranking(isLatency ? worst : speed ?? worst, at: swept),
            notes: sentences.notes(isLatency ? worst.key : speed?.key ?? worst.key, at: [swept]),
            isTelling: isTelling(isLatency ? worst : speed ?? worst, at: [swept]),
            x: .init(label: "second of the run", unit: .count),
            y: .init(
                label: isLatency ? "p99 in the second" : "answers in the second", unit: unit.unit, scale: isLatency ? .log : .linear),
            series: series)
    }

    // MARK: Points

    private func series(
        _ cells: [Cell], point: (Cell) -> Figure.Point?, lines: ((Cell) -> [Figure.Point])? = nil
    ) -> [Figure.Series] {
        results.subjects.compactMap { subject in
            let own = cells.filter { $0.subject == subject }
            let points = lines.map { own.flatMap($0) } ?? own.compactMap(point)
            return points.isEmpty ? nil : Figure.Series(name: subject, style: styles[subject], points: points.sorted { $0.x < $1.x })
        }
    }

    private func point(_ estimate: Estimate, at x: Double, of cell: Cell, _ measure: Measure) -> Figure.Point {
        Figure.Point(
            x: x, y: estimate.median, low: estimate.low, high: estimate.high, hollow: !cell.isComparable(measure.key),
            text: cell.text(estimate, measure) + cell.marks(measure.key))
    }

    private func isTelling(_ measure: Measure, at places: [Int]) -> Bool {
        places.contains { results.standings(measure, at: $0).count > 1 }
    }

    private func id(_ name: String) -> String {
        "\(results.name)-\(name)".lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    }
}
