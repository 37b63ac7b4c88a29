import BenchmarkHarness

/// All runs of one experiment.
package struct ExperimentResults: Sendable {
    package let name: String
    /// What is counted by the number that is varied, in the singular.
    package let peer: String
    /// In the order of the file, each once.
    package let subjects: [String]
    package let swept: [Int]
    package let cells: [Cell]
    package let lines: [ResultLine]

    package init(name: String, lines: [ResultLine]) {
        self.name = name
        self.lines = lines
        let peer = lines.lazy.compactMap(\.peer).first ?? "connection"
        self.peer = peer
        let groups = Dictionary(grouping: lines) { Place(subject: $0.subject, swept: $0.connections) }
        let subjects = lines.map(\.subject).uniqued().sorted { SubjectStyle.rank($0) < SubjectStyle.rank($1) }
        let swept = Set(lines.map(\.connections)).sorted()
        self.subjects = subjects
        self.swept = swept
        cells = swept.flatMap { swept in
            subjects.compactMap { subject in
                groups[Place(subject: subject, swept: swept)].map { 
                    Cell(subject: subject, swept: swept, lines: $0, countsConnections: peer == "connection")
                }
            }
        }
    }

    private struct Place: Hashable { let subject: String, swept: Int }

    package func cells(at swept: Int) -> [Cell] { cells.filter { $0.swept == swept } }
    package func cell(_ subject: String, at swept: Int) -> Cell? { cells.first { $0.subject == subject && $0.swept == swept } }
    package func has(_ key: String) -> Bool { cells.contains { $0[key] != nil } }

    /// `64 connections`, `1 slow peer`.
    package func count(_ swept: Int) -> String { "\(Format.count(Double(swept))) \(swept == 1 ? peer : plural)" }
    /// `slow peers`, `requests a second`, `clients at once`.
    package var plural: String {
        for word in [" a ", " at "] {
            if let range = peer.firstRange(of: word) { return peer[..<range.lowerBound] + "s" + peer[range.lowerBound...] }
        }
        return peer + "s"
    }

    // MARK: Noise

    /// The same server under two names, to see by how much it differs from itself.
    package static let twins = (subject: "reactor", again: "reactor-again")

    package struct Twin: Sendable {
        let swept: Int
        /// Of the second to the first, less 1.
        let difference: Double
        /// Their intervals are apart, which is a false alarm.
        let isCalledDifferent: Bool
        /// What a difference has to exceed.
        let noise: Double
    }

    package func twins(_ key: String) -> [Twin] {
        swept.compactMap { swept in
            guard let first = cell(Self.twins.subject, at: swept), let again = cell(Self.twins.again, at: swept),
                first.isComparable(key), again.isComparable(key), let one = first[key], let other = again[key], one.median != 0
            else { return nil }
            return Twin(
                swept: swept, difference: other.median / one.median - 1, isCalledDifferent: one.compared(with: other, noise: 0) == .differs,
                noise: Noise.of(one.pairs(with: other)) ?? abs(other.median / one.median - 1))
        }
    }

    /// The same server was measured twice somewhere.
    package var hasTwins: Bool {
        swept.contains { (cell(Self.twins.subject, at: $0)?.runs ?? 0) > 0 && (cell(Self.twins.again, at: $0)?.runs ?? 0) > 0 }
    }

    /// The most that the same server differed by from itself in this experiment; 0 where it wasn't measured twice.
    package func noise(_ key: String) -> Double { twins(key).map(\.noise).max() ?? 0 }

    // MARK: Comparing

    package struct Standing: Sendable {
        let subject: String
        let estimate: Estimate
    }

    /// Who takes part: neither the floor, which is no choice, nor the twin.
    package func choices(at swept: Int) -> [Cell] {
        cells(at: swept).filter { !SubjectStyle.isReference($0.subject) && $0.subject != Self.twins.again }
    }

    /// Who is compared: nobody of whom there is something to hold against it.
    package func standings(_ measure: Measure, at swept: Int) -> [Standing] {
        let found = choices(at: swept).compactMap { cell -> Standing? in
            guard cell.isComparable(measure.key), let estimate = cell[measure.key],
                measure.key != Sentences.recovery || estimate.count == cell.runs
            else { return nil }
            return Standing(subject: cell.subject, estimate: estimate)
        }
        return found.sorted {
            measure.lead.isMost ? $0.estimate.median > $1.estimate.median : $0.estimate.median < $1.estimate.median
        }
    }

    /// A recovery is seen to the second.
    package func compare(_ one: Estimate, _ other: Estimate, _ key: String) -> Estimate.Verdict {
        let verdict = one.compared(with: other, noise: noise(key))
        return verdict == .differs && key == Sentences.recovery && abs(one.median - other.median) < 1 ? .same : verdict
    }

    /// What the first of these keys is that has several runs somewhere; some are measured in one round only.
    package func first(of keys: [String]) -> String? {
        keys.first { key in cells.contains { ($0[key]?.count ?? 0) > 1 } } ?? keys.first(where: has)
    }
}
