import BenchmarkHarness

/// Who isn't compared, and why.
extension Sentences {
    package func notes(_ key: String, at places: [Int]) -> [String] {
        let cells = results.cells.filter { places.contains($0.swept) }
        return obstacles(key, cells) + recoveries(key, cells) + singles(key, cells)
    }

    private func obstacles(_ key: String, _ cells: [Cell]) -> [String] {
        [Obstacle.leftOut, .failed, .silent, .partial, .errors, .unvouched, .bound].flatMap { obstacle -> [String] in
            let hindered = cells.filter { $0.obstacle(key) == obstacle && ($0[key] != nil || $0.runs == 0 || obstacle == .silent) }
            let groups = hindered.map(\.subject).uniqued().map { subject in hindered.filter { $0.subject == subject } }
            // What is the same of several is said once.
            let kinds = groups.map { cells in note(obstacle, key, cells, names: []) }
            return kinds.uniqued().map { kind in
                let same = zip(groups, kinds).filter { $0.1 == kind }.map(\.0)
                return note(obstacle, key, same[0], names: same.map { $0[0].subject })
            }
        }
    }

    private func note(_ obstacle: Obstacle, _ key: String, _ cells: [Cell], names: [String]) -> String {
        guard let last = cells.last else { return "" }
        let name = Self.list(names), (be, serve) = names.count > 1 ? ("are", "serve") : ("is", "serves")
        let places = cells.map { Format.count(Double($0.swept)) }.joined(separator: ", ")
        switch obstacle {
        case .leftOut:
            return "\(name) \(be) left out at \(places)\(last.leftOut.map { $0.isEmpty ? "" : ": \($0)" } ?? "")."
        case .failed:
            let rounds = cells.allSatisfy { $0.runs == 0 } ? "" : " in some rounds, and \(be) not ranked there"
            return "\(name) failed at \(places)\(rounds)."
        case .silent:
            let some = last.silentRuns < last.runs ? " in \(last.silentRuns) of \(last.runs) runs, and \(be) not ranked there" : ""
            return "\(name) answered nothing at \(places)\(some)."
        case .partial:
            return "‡ \(name) \(serve) \(Format.count(last.served ?? 0)) of \(results.count(last.swept)) and \(be) not ranked there."
        case .errors:
            let share = Measure("_share").text(max(last.errorShare, key == Cell.burst ? last.unansweredShare : 0))
            return "§ \(name) \(be) not ranked at \(places), and drawn hollow: \(share) of the requests went wrong "
                + "(\(ReportTable.errors(last)))."
        case .unvouched: return "† \(name) \(be) not vouched for at \(places), drawn hollow and not ranked."
        case .bound:
            let share = Measure("_share").text(cells.map(\.unansweredShare).max() ?? 0)
            return "> \(name) left \(cells.count > 1 ? "up to " : "")\(share) unanswered at \(places): "
                + "its \(Measure.percentileName(key)) is a lower bound, drawn hollow and not ranked."
        }
    }

    /// A recovery that wasn't seen has no length.
    private func recoveries(_ key: String, _ cells: [Cell]) -> [String] {
        guard key == Self.recovery else { return [] }
        let unseen = cells.filter { $0.runs > ($0[key]?.count ?? 0) && !$0.timeline.isEmpty }.map { cell in
            let count = cell.runs - (cell[key]?.count ?? 0)
            return "`\(cell.subject)` did not recover in \(count) of \(cell.runs) runs while it was watched, and is not ranked."
        }
        return ["Recovery is seen to the second: shorter differences are none."] + unseen
    }

    /// One run beside others' several can neither lead nor be equal.
    private func singles(_ key: String, _ cells: [Cell]) -> [String] {
        let found = cells.filter { $0.isComparable(key) && $0[key] != nil }
        guard found.contains(where: { ($0[key]?.count ?? 0) > 1 }) else { return [] }
        let alone = found.filter { $0[key]?.count == 1 && key != Self.recovery }
        return alone.map(\.subject).uniqued().map { subject in
            let places = alone.filter { $0.subject == subject }.map { Format.count(Double($0.swept)) }
            return "`\(subject)`: one run only at \(places.joined(separator: ", ")), which cannot be compared."
        }
    }
}
