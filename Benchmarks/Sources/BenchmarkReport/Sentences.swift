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
    package func ranking(_ measure: Measure, at wanted: Int? = nil) -> String {
        let places = (wanted.map { [$0] } ?? results.swept).map { ($0, results.standings(measure, at: $0)) }.filter { $0.1.count > 1 }
        guard let (swept, standings) = places.last else { return alone(measure) }
        var text = "\(at(swept)) \(verdict(standings, measure))"
        if let (first, others) = places.first, first != swept {
            let (now, before) = (leaders(standings, measure), leaders(others, measure))
            if Set(now).isDisjoint(with: before) {
                text += "; \(at(first, capital: false)) \(Self.list(before)) \(before.count == 1 ? "leads" : "lead")"
            }
        }
        return text + floor(measure, at: swept) + "."
    }

    private func verdict(_ standings: [ExperimentResults.Standing], _ measure: Measure) -> String {
        guard let best = standings.first, let worst = standings.last else { return "" }
        let first = leaders(standings, measure)
        let value = measure.phrase(best.estimate.median)
        if first.count == standings.count {
            guard standings.allSatisfy({ $0.estimate.count > 1 }) else {
                return "one run each tells no difference: \(range(standings, measure))"
            }
            return "there is no difference between \(Self.list(first)) in \(measure.label) that exceeds the noise: "
                + range(standings, measure)
        }
        let last = standings.filter { !first.contains($0.subject) && !results.differ($0.estimate, worst.estimate, measure.key) }
            .map(\.subject)
        let lead = first.count == 1
            ? "\(Self.list(first)) \(measure.lead.first): \(value)"
            : "there is no difference between \(Self.list(first)), which \(measure.lead.firstOfMany): \(value)"
        let ratio = best.estimate.median > 0 ? " (\(Self.ratio(worst.estimate.median / best.estimate.median)))" : ""
        let names = last.count > 3 ? "`\(worst.subject)` and \(last.count - 1) more" : Self.list(last.isEmpty ? [worst.subject] : last)
        return "\(lead); \(measure.lead.last): \(names), \(measure.phrase(worst.estimate.median))\(ratio)"
    }

    /// Whoever can't be told from the best.
    private func leaders(_ standings: [ExperimentResults.Standing], _ measure: Measure) -> [String] {
        guard let best = standings.first else { return [] }
        return standings.filter { !results.differ($0.estimate, best.estimate, measure.key) }.map(\.subject)
    }

    private func range(_ standings: [ExperimentResults.Standing], _ measure: Measure) -> String {
        let medians = standings.map(\.estimate.median)
        return "\(measure.text(medians.min() ?? 0)) to \(measure.phrase(medians.max() ?? 0))"
    }

    /// Where there are no two to compare.
    private func alone(_ measure: Measure) -> String {
        let cells = results.cells.filter { $0[measure.key] != nil }
        let choices = cells.filter { !SubjectStyle.isReference($0.subject) && $0.subject != ExperimentResults.twins.again }
        guard let cell = choices.last(where: \.isComparable) ?? choices.last ?? cells.last, let estimate = cell[measure.key] else {
            return "There is nothing to compare."
        }
        let beside = SubjectStyle.isReference(cell.subject) ? "" : floor(measure, at: cell.swept)
        return "`\(cell.subject)` \(at(cell.swept, capital: false)): \(measure.phrase(estimate.median))"
            + "\(beside.isEmpty ? ", with nothing to compare" : beside)."
    }

    private func floor(_ measure: Measure, at swept: Int) -> String {
        guard let cell = results.cells(at: swept).first(where: { SubjectStyle.isReference($0.subject) }), cell.isComparable,
            let estimate = cell[measure.key]
        else { return "" }
        return "; the floor, hand-written C: \(measure.text(estimate.median))"
    }

    // MARK: From the least to the greatest

    /// What becomes of each between the least and the greatest of what is varied.
    package func change(_ measure: Measure) -> String {
        guard let least = results.swept.first, let most = results.swept.last, least != most else { return ranking(measure) }
        let before = results.standings(measure, at: least)
        let changes = results.standings(measure, at: most).compactMap { end -> Change? in
            guard let start = before.first(where: { $0.subject == end.subject })?.estimate, start.median > 0 else { return nil }
            return Change(
                subject: end.subject, start: start, end: end.estimate, factor: end.estimate.median / start.median,
                isReal: results.differ(start, end.estimate, measure.key))
        }.sorted { measure.lead.isMost ? $0.factor > $1.factor : $0.factor < $1.factor }
        guard let worst = changes.last else { return ranking(measure) }
        let among = "from \(Format.count(Double(least))) to \(results.count(most))"
        let steady = changes.filter { !$0.isReal }.map(\.subject)
        if steady.count == changes.count { return "No difference \(among) exceeds the noise, for any of \(Self.list(steady))." }
        // The worst in full, the others by their ratios.
        let moved = changes.reversed().filter { $0.isReal && $0.subject != worst.subject }
        var text = "\(Self.capital(among)) "
        if worst.isReal {
            text += "`\(worst.subject)` goes from \(measure.text(worst.start.median)) to \(measure.phrase(worst.end.median)) "
                + "(\(Self.ratio(worst.factor)))"
        }
        let others = moved.map { "`\($0.subject)` \(Self.ratio($0.factor))" }.joined(separator: ", ")
        if !others.isEmpty { text += (worst.isReal ? "; " : "") + others }
        return text + (steady.isEmpty ? "." : "; no difference for \(Self.list(steady)).")
    }

    private struct Change {
        let subject: String
        let start, end: Estimate
        let factor: Double
        let isReal: Bool
    }

    /// Up to which offered load each keeps its latency; the interval's upper end counts.
    package func endurance(_ measure: Measure, withinMilliseconds limit: Double = 10) -> String {
        let reach = results.subjects.filter { !SubjectStyle.isReference($0) && $0 != ExperimentResults.twins.again }.compactMap {
            subject -> (String, Double)? in
            var reach = 0.0
            for cell in results.cells where cell.subject == subject {
                guard cell.isComparable, let estimate = cell[measure.key], estimate.high <= limit * 1000 else { break }
                reach = max(reach, cell["offered_per_second"]?.median ?? Double(cell.swept))
            }
            return results.has(measure.key) ? (subject, reach) : nil
        }.sorted { $0.1 > $1.1 }
        guard let best = reach.first, let worst = reach.last, best.1 > 0 else {
            return "None keeps its \(measure.label) under \(Format.count(limit)) ms at any of the offered loads."
        }
        let first = reach.filter { $0.1 > best.1 * 0.98 }.map(\.0)
        let lead = "\(Self.list(first)) \(first.count == 1 ? "keeps" : "keep") \(measure.label) under \(Format.count(limit)) ms "
            + "up to \(Format.count(best.1)) offered requests/s"
        guard first.count < reach.count else { return lead + ", with no difference between them." }
        return lead + "; `\(worst.0)` " + (worst.1 > 0 ? "up to \(Format.count(worst.1))." : "at none that was tried.")
    }

    // MARK: Who is left out

    /// Who isn't compared, and why.
    package func notes(_ key: String, at places: [Int]) -> [String] {
        var notes: [String] = []
        let cells = results.cells.filter { places.contains($0.swept) }
        let partial = Dictionary(grouping: cells.filter { !$0.servesAll && $0[key] != nil && $0.runs > 0 }, by: \.subject)
        for subject in results.subjects {
            guard let worst = partial[subject]?.last, let served = worst.served else { continue }
            notes.append("‡ `\(subject)` serves \(Format.count(served)) of \(results.count(worst.swept)) and is not ranked there.")
        }
        let doubtful = cells.filter { !$0.isVouched && $0.runs > 0 && $0[key] != nil }
        for subject in doubtful.map(\.subject).uniqued() {
            let places = doubtful.filter { $0.subject == subject }.map { Format.count(Double($0.swept)) }
            notes.append("† `\(subject)` is not vouched for at \(places.joined(separator: ", ")), drawn hollow and not ranked.")
        }
        // A recovery that wasn't seen has no length.
        for cell in cells where key == Self.recovery && cell.runs > (cell[key]?.count ?? 0) && !cell.timeline.isEmpty {
            let count = cell.runs - (cell[key]?.count ?? 0)
            notes.append("`\(cell.subject)` did not recover in \(count) of \(cell.runs) runs while it was watched, and is not ranked.")
        }
        let failed = cells.filter { $0.runs == 0 && !$0.failures.isEmpty }
        for subject in failed.map(\.subject).uniqued() {
            let places = failed.filter { $0.subject == subject }.map { Format.count(Double($0.swept)) }
            notes.append("`\(subject)` failed at \(places.joined(separator: ", ")).")
        }
        return notes
    }

    // MARK: Words

    private func at(_ swept: Int, capital: Bool = true) -> String { "\(capital ? "At" : "at") \(results.count(swept))" }
    private static func capital(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    static func ratio(_ value: Double) -> String {
        switch value {
        case ..<0.095: String(format: "%.1f %%", value * 100)
        case ..<10: String(format: "%.2f ×", value)
        default: "\(Format.count(value)) ×"
        }
    }

    static func list(_ names: [String]) -> String {
        let names = names.map { "`\($0)`" }
        guard let last = names.last, names.count > 1 else { return names.first ?? "none" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }
}
