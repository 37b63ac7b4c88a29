import BenchmarkHarness
import Foundation

/// What a figure shows, said from the data. A difference that the intervals or the noise could explain is called none.
package struct Sentences: Sendable {
    let results: ExperimentResults
    static let recovery = "recovery_seconds"

    package init(_ results: ExperimentResults) { self.results = results }

    // MARK: One value of what is varied

    /// Who leads and who comes last at the greatest value at which several can be compared, and who leads at the least one if
    /// that is another.
    ///
    /// - Parameter tellsSilent: it is said here who answered nothing.
    package func ranking(_ measure: Measure, at wanted: Int? = nil, tellsSilent: Bool = true) -> String {
        let places = (wanted.map { [$0] } ?? results.swept).map { ($0, results.standings(measure, at: $0)) }.filter { $0.1.count > 1 }
        guard let (swept, standings) = places.last else { return alone(measure, at: wanted, tellsSilent) }
        let unranked = unranked(measure, at: swept)
        let isAhead = standings.first.map { isBeaten($0.estimate, measure, at: swept) } ?? false
        var text = "\(at(swept))\(isAhead ? ", of those that can be ranked," : "") \(verdict(standings, measure))"
        if let (first, others) = places.first, first != swept {
            let (now, before) = (leaders(standings, measure), leaders(others, measure))
            if !now.isEmpty, !before.isEmpty, Set(now).isDisjoint(with: before) {
                text += "; \(at(first, capital: false)) \(Self.list(before)) \(before.count == 1 ? "leads" : "lead")"
            }
        }
        if !unranked.isEmpty { text += "; not ranked: \(unranked)" }
        return text + missing(measure, at: swept, tellsSilent) + floor(measure, at: swept) + "."
    }

    /// By one that can't be ranked.
    private func isBeaten(_ best: Estimate, _ measure: Measure, at swept: Int) -> Bool {
        unrankedCells(measure, at: swept).compactMap { $0[measure.key]?.median }.contains {
            measure.lead.isMost ? $0 > best.median : $0 < best.median
        }
    }

    private func verdict(_ all: [ExperimentResults.Standing], _ measure: Measure) -> String {
        // One run can neither lead nor be equal to who leads.
        let standings = all.filter { $0.estimate.count > 1 }
        guard let best = standings.first, let worst = standings.last, standings.count > 1 else {
            return "\(standings.isEmpty ? "one run each tells" : "too few runs tell") no difference: \(range(all, measure))"
        }
        let first = leaders(standings, measure)
        let value = measure.phrase(best.estimate.median)
        if first.count == standings.count {
            return "no difference in \(measure.label) can be told \(between(first, standings, measure)) (\(runs(standings))): "
                + range(standings, measure)
        }
        let last = standings.filter {
            !first.contains($0.subject)
                && ($0.subject == worst.subject || results.compare($0.estimate, worst.estimate, measure.key) == .same)
        }.map(\.subject)
        let lead = first.count == 1
            ? "\(Self.list(first)) \(measure.lead.first): \(value)"
            : "no difference can be told \(between(first, standings, measure)) (\(runs(standings))), which \(measure.lead.firstOfMany): "
                + value
        // Whoever is last by the median may be one of those that cannot be told from the best.
        guard let slowest = standings.last(where: { last.contains($0.subject) || !first.contains($0.subject) }) else { return lead }
        let hasRatio = best.estimate.median > 0 && !measure.isToTheSecond
        let ratio = hasRatio ? " (\(Self.ratio(slowest.estimate.median / best.estimate.median)))" : ""
        let names = last.count > 3 ? "`\(slowest.subject)` and \(last.count - 1) more" : Self.list(last.isEmpty ? [slowest.subject] : last)
        return "\(lead); \(measure.lead.last): \(names), \(measure.phrase(slowest.estimate.median))\(ratio)"
    }

    /// Who can't be told from the best may be told from each other.
    private func between(_ names: [String], _ standings: [ExperimentResults.Standing], _ measure: Measure) -> String {
        let own = standings.filter { names.contains($0.subject) }
        let isMutual = own.indices.allSatisfy { index in
            own[(index + 1)...].allSatisfy { results.compare(own[index].estimate, $0.estimate, measure.key) == .same }
        }
        return isMutual ? "between \(Self.list(names))" : "between `\(names[0])` and each of \(Self.list(Array(names.dropFirst())))"
    }

    /// Whoever can't be told from the best.
    private func leaders(_ standings: [ExperimentResults.Standing], _ measure: Measure) -> [String] {
        guard let best = standings.first(where: { $0.estimate.count > 1 }) else { return [] }
        return standings.filter {
            $0.subject == best.subject || results.compare($0.estimate, best.estimate, measure.key) == .same
        }.map(\.subject)
    }

    /// `3 runs`, or `2 to 3 runs`, of each.
    private func runs(_ standings: [ExperimentResults.Standing]) -> String { Self.runs(standings.map(\.estimate.count)) }
    static func runs(_ counts: [Int]) -> String {
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        return least == most ? "\(most) \(most == 1 ? "run" : "runs")" : "\(least) to \(most) runs"
    }

    private func range(_ standings: [ExperimentResults.Standing], _ measure: Measure) -> String {
        let medians = standings.map(\.estimate.median)
        return "\(measure.text(medians.min() ?? 0)) to \(measure.phrase(medians.max() ?? 0))"
    }

    /// Where there are no two to compare.
    private func alone(_ measure: Measure, at wanted: Int?, _ tellsSilent: Bool) -> String {
        let place = wanted ?? results.swept.last { results.choices(at: $0).contains { $0[measure.key] != nil } }
        guard let swept = place ?? results.swept.last else { return "There is nothing to compare." }
        let choices = results.choices(at: swept)
        let measured = choices.filter { $0[measure.key] != nil }
        let unranked = unranked(measure, at: swept)
        var text: String
        if let cell = measured.first(where: { $0.isComparable(measure.key) }), let estimate = cell[measure.key] {
            text = "`\(cell.subject)` \(at(swept, capital: false)): \(measure.phrase(estimate.median))"
            if !unranked.isEmpty { text += "; not ranked: \(unranked)" }
            let beside = missing(measure, at: swept, tellsSilent) + floor(measure, at: swept)
            text += beside.isEmpty && unranked.isEmpty ? ", with nothing to compare" : beside
        } else if !unranked.isEmpty {
            text = "\(at(swept)) nothing can be ranked; what was counted: \(unranked)" + missing(measure, at: swept, tellsSilent)
        } else {
            let reference = results.cells(at: swept).first { SubjectStyle.isReference($0.subject) && $0[measure.key] != nil }
            guard let cell = reference, let estimate = cell[measure.key] else { return "There is nothing to compare." }
            text = "`\(cell.subject)` \(at(swept, capital: false)): \(measure.phrase(estimate.median)), with nothing to compare"
        }
        return text + "."
    }

    /// What was measured and cannot be ranked, with the values: some of it may be ahead of whoever leads.
    func unranked(_ measure: Measure, at swept: Int) -> String {
        let named = unrankedCells(measure, at: swept).compactMap { cell in
            cell[measure.key].map { "`\(cell.subject)` (\(cell.text($0, measure))\(cell.marks(measure.key)))" }
        }
        return Self.enumerated(named)
    }

    private func unrankedCells(_ measure: Measure, at swept: Int) -> [Cell] {
        results.choices(at: swept).filter {
            ![nil, .failed, .leftOut, .silent].contains($0.obstacle(measure.key)) && $0[measure.key] != nil
        }
    }

    /// Who has nothing to show where others have: that may be what there is to find.
    private func missing(_ measure: Measure, at swept: Int, _ tellsSilent: Bool) -> String {
        func names(_ obstacle: Obstacle) -> [String] {
            results.choices(at: swept).filter { $0.obstacle(measure.key) == obstacle }.map(\.subject)
        }
        let (silent, failed, leftOut) = (names(.silent), names(.failed), names(.leftOut))
        var text = silent.isEmpty || !tellsSilent ? "" : "; \(Self.list(silent)) answered nothing"
        if !failed.isEmpty { text += "; \(Self.list(failed)) failed" }
        if !leftOut.isEmpty { text += "; \(Self.list(leftOut)) \(leftOut.count == 1 ? "is" : "are") left out" }
        return text
    }

    private func floor(_ measure: Measure, at swept: Int) -> String {
        guard let cell = results.cells(at: swept).first(where: { SubjectStyle.isReference($0.subject) }),
            cell.isComparable(measure.key), let estimate = cell[measure.key]
        else { return "" }
        return "; the floor, hand-written C: \(measure.text(estimate.median))"
    }

    // MARK: Words

    func at(_ swept: Int, capital: Bool = true) -> String { "\(capital ? "At" : "at") \(results.count(swept))" }
    static func capital(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    static func ratio(_ value: Double) -> String {
        switch value {
        case ..<0.095: String(format: "%.1f %%", value * 100)
        case ..<10: String(format: "%.2f ×", value)
        default: "\(Format.count(value)) ×"
        }
    }

    static func list(_ names: [String]) -> String {
        enumerated(names.map { "`\($0)`" })
    }

    static func enumerated(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }
}
