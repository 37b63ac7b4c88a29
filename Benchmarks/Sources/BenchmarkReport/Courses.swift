import BenchmarkHarness

/// What becomes of each subject over what is varied.
extension Sentences {
    /// Between the least and the greatest of it.
    package func change(_ measure: Measure) -> String {
        guard let least = results.swept.first, let most = results.swept.last, least != most else { return ranking(measure) }
        let silent = results.choices(at: most).filter { $0.obstacle(measure.key) == .silent }.map(\.subject)
        let lead = silent.isEmpty ? "" : "\(at(most)) \(Self.list(silent)) answered nothing. "
        let before = results.standings(measure, at: least)
        let changes = results.standings(measure, at: most).compactMap { end -> Change? in
            guard let start = before.first(where: { $0.subject == end.subject })?.estimate, start.median > 0 else { return nil }
            return Change(
                subject: end.subject, start: start, end: end.estimate, factor: end.estimate.median / start.median,
                verdict: results.compare(start, end.estimate, measure.key))
        }.sorted { measure.lead.isMost ? $0.factor > $1.factor : $0.factor < $1.factor }
        guard !changes.isEmpty else { return silent.isEmpty ? ranking(measure) : lead + ranking(measure, at: most, tellsSilent: false) }
        let among = "from \(Format.count(Double(least))) to \(results.count(most))"
        let unranked = unranked(measure, at: most)
        return lead + (told(changes, measure, among) ?? "\(Self.capital(among)) \(untold(changes, measure))")
            + (unranked.isEmpty ? "." : "; not ranked: \(unranked).")
    }

    private func told(_ changes: [Change], _ measure: Measure, _ among: String) -> String? {
        let moved = changes.reversed().filter { $0.verdict == .differs }
        guard let worst = moved.first else { return nil }
        // The worst in full, the others by their ratios.
        var parts = ["\(Self.capital(among)) `\(worst.subject)` goes from \(measure.text(worst.start.median)) to "
            + "\(measure.phrase(worst.end.median)) (\(Self.ratio(worst.factor)))"]
        let others = moved.dropFirst().map { "`\($0.subject)` \(Self.ratio($0.factor))" }.joined(separator: ", ")
        if !others.isEmpty { parts.append(others) }
        let rest = changes.filter { $0.verdict != .differs }
        if !rest.isEmpty { parts.append(untold(rest, measure)) }
        return parts.joined(separator: "; ")
    }

    private func untold(_ changes: [Change], _ measure: Measure) -> String {
        let counts = changes.flatMap { [$0.start.count, $0.end.count] }
        return "no difference in \(measure.label) can be told for \(Self.list(changes.map(\.subject))) (\(Self.runs(counts)))"
    }

    private struct Change {
        let subject: String
        let start, end: Estimate
        let factor: Double
        let verdict: Estimate.Verdict
    }

    // MARK: Offered load

    private struct Reach {
        let subject: String
        let load: Double
        /// The generator could not tell what came beyond.
        var isOpen = false
    }

    /// Up to which of the offered loads each keeps its latency, by the median. Where the generator isn't vouched for, it is at
    /// least that.
    package func endurance(_ measure: Measure, withinMilliseconds limit: Double = 10) -> String {
        let tried = results.swept.filter { swept in results.cells(at: swept).contains { $0[measure.key] != nil } }
        let subjects = results.subjects.filter { !SubjectStyle.isReference($0) && $0 != ExperimentResults.twins.again }
        let reaches = subjects.compactMap { subject -> Reach? in
            let cells = tried.compactMap { results.cell(subject, at: $0) }
            return cells.isEmpty ? nil : reach(subject, cells, measure, limit: limit * 1000)
        }
        guard !tried.isEmpty, !reaches.isEmpty else { return ranking(measure) }
        let loads = tried.map { Format.count(Double($0)) }.joined(separator: ", ")
        let within = "\(measure.label) within \(Format.count(limit)) ms"
        let groups = Dictionary(grouping: reaches) { Bound(load: $0.load, isOpen: $0.isOpen) }
        let parts = groups.sorted { ($0.key.load, $0.key.isOpen ? 1 : 0) > ($1.key.load, $1.key.isOpen ? 1 : 0) }.map { bound, group in
            let names = Self.list(group.map(\.subject))
            let reach = Format.count(bound.load)
            if bound.isOpen {
                return bound.load > 0 ? "\(names) to at least \(reach), beyond which the generator could not tell"
                    : "of \(names) the generator could not tell"
            }
            if bound.load <= 0 { return "\(names) at none" }
            return "\(names) to \(reach)" + (bound.load >= Double(tried.last ?? 0) ? ", the most that was tried" : "")
        }
        return "Of the loads tried (\(loads) requests/s) these keep \(within): \(parts.joined(separator: "; "))."
    }

    private struct Bound: Hashable { let load: Double, isOpen: Bool }

    private func reach(_ subject: String, _ cells: [Cell], _ measure: Measure, limit: Double) -> Reach {
        var load = 0.0
        for cell in cells {
            switch cell.obstacle(measure.key) {
            case nil:
                guard let estimate = cell[measure.key], estimate.median <= limit else { return Reach(subject: subject, load: load) }
                load = Double(cell.swept)
            case .unvouched: return Reach(subject: subject, load: load, isOpen: true)
            // What is not answered by the end waits for longer than that, and what fails or goes wrong isn't kept.
            default: return Reach(subject: subject, load: load)
            }
        }
        return Reach(subject: subject, load: load)
    }

    // MARK: Two generators

    /// Whether ours counts what wrk does.
    package func generators(_ measure: Measure) -> String {
        let cells = results.swept.last.map { results.cells(at: $0) } ?? []
        let found = cells.filter { $0.failedRuns == 0 }.compactMap { cell in cell[Cell.againstWrk].map { (cell.subject, $0) } }
        guard !found.isEmpty else { return "There is nothing to compare." }
        let ratios = Self.enumerated(found.map { "\(measure.text($0.1.median)) × the requests/s of `\($0.0)`" })
        let apart = found.filter { abs($0.1.median - 1) > 0.05 }.map(\.0)
        let verdict = apart.isEmpty ? "within 5 % everywhere"
            : apart.count == found.count ? "more than 5 % apart everywhere" : "within 5 % but for \(Self.list(apart))"
        return "`reactor load` counts, beside wrk, \(ratios): \(verdict) "
            + "(\(Self.runs(found.map(\.1.count))))."
    }
}
