import Foundation

/// Two files of raw results, compared run by run of the same kind.
package struct FileComparison: Sendable {
    package struct Row: Sendable {
        package let experiment: String, subject: String, connections: Int
        package let peer: String
        package let metric: Metric
        /// The medians.
        package let a: Double?, b: Double?
        /// B as a multiple of A. Nil where there is nothing to compare, and ``remark`` says why.
        package let comparison: Comparison?
        package let remark: String?
    }

    package let rows: [Row]
    /// Why the files should not be compared.
    package let obstacles: [String]
    /// What else is different.
    package let remarks: [String]

    fileprivate struct Place: Hashable {
        let experiment: String, subject: String, connections: Int
    }

    /// - Parameter metrics: by which each experiment's subjects are compared.
    package init(_ a: ResultFile, _ b: ResultFile, metrics: (_ experiment: String) -> [Metric]) {
        (obstacles, remarks) = Self.differences(a, b)
        let (one, two) = (Self.places(a), Self.places(b))
        var seen: Set<Place> = []
        var rows: [Row] = []
        for place in (a.records + b.records).map(Self.place) where seen.insert(place).inserted {
            for metric in metrics(place.experiment) {
                let noise = Self.noise(metric, one, two, place)
                if let row = Self.row(place, metric, one[place] ?? [], two[place] ?? [], noise) { rows.append(row) }
            }
        }
        self.rows = rows
    }

    // MARK: Whether they can be compared

    private static func differences(_ first: ResultFile, _ second: ResultFile) -> (obstacles: [String], remarks: [String]) {
        guard let one = first.machine, let two = second.machine else {
            return ([first.machine == nil ? "\(first.path) has no results" : "\(second.path) has no results"], [])
        }
        var obstacles = two.differences(from: one)
        let settings = (settings(second), settings(first))
        for (experiment, found) in settings.0.sorted(by: { $0.key < $1.key }) {
            if let other = settings.1[experiment], other.isDisjoint(with: found) {
                obstacles.append("\(experiment): \(found.sorted().joined(separator: ", ")), not \(other.sorted().joined(separator: ", "))")
            }
        }
        return (obstacles, two.versionDifferences(from: one))
    }

    private static func settings(_ file: ResultFile) -> [String: Set<String>] {
        file.records.reduce(into: [:]) { $0[$1.experiment, default: []].insert("\($1.duration) s a run, \($1.workers) workers") }
    }

    // MARK: Rows

    private static func place(_ record: RunRecord) -> Place {
        Place(experiment: record.experiment, subject: record.subject, connections: record.connections)
    }

    fileprivate typealias Places = [Place: [RunRecord]]

    private static func places(_ file: ResultFile) -> Places { Dictionary(grouping: file.records, by: place) }

    /// Of runs that were vouched for, by round.
    fileprivate static func values(_ records: [RunRecord], _ metric: Metric) -> [Int: Double] {
        var values: [Int: Double] = [:]
        for record in records where record.vouched ?? true { values[record.round] = record.metrics?[metric.rawValue] }
        return values
    }

    /// What the same subject differs by when it is run as two, at most, in either file; and by how much the floor, which nobody
    /// changed, differs between them: the machine may have had another day.
    private static func noise(_ metric: Metric, _ first: Places, _ second: Places, _ place: Place) -> Double {
        let twice = (first.groups(place.experiment) + second.groups(place.experiment)).compactMap {
            Noise.of($0.pairs(metric, Noise.pair.0, Noise.pair.1))
        }
        var drift = 0.0
        if place.subject != Subject.floor.name, let one = first.group(place).median(metric, Subject.floor.name),
            let two = second.group(place).median(metric, Subject.floor.name), one > 0, two > 0
        {
            drift = exp(abs(log(one / two))) - 1
        }
        return max(twice.max() ?? 0, drift)
    }

    private static func row(
        _ place: Place, _ metric: Metric, _ first: [RunRecord], _ second: [RunRecord], _ noise: Double
    ) -> Row? {
        let (one, two) = (values(first, metric), values(second, metric))
        let all = first + second
        guard let peer = all.first?.peer ?? (all.isEmpty ? nil : "connection") else { return nil }
        let isMeasured = all.contains { $0.metrics?[metric.rawValue] != nil }
        let failed = all.contains { $0.failure != nil }
        guard isMeasured || failed else { return nil }
        func inOrder(_ values: [Int: Double]) -> [Double] { values.sorted { $0.key < $1.key }.map(\.value) }
        let comparison = Comparison(inOrder(two), inOrder(one), noise: noise)
        return Row(
            experiment: place.experiment, subject: place.subject, connections: place.connections, peer: peer, metric: metric,
            a: Statistics.median(inOrder(one)), b: Statistics.median(inOrder(two)), comparison: comparison,
            remark: comparison == nil ? remark(first, second, one.isEmpty, two.isEmpty) : nil)
    }

    private static func remark(_ first: [RunRecord], _ second: [RunRecord], _ noFirst: Bool, _ noSecond: Bool) -> String {
        func reason(_ records: [RunRecord]) -> String {
            if records.isEmpty { return "not run" }
            if records.contains(where: { $0.failure != nil }) { return "failed" }
            return records.contains { $0.vouched == false } ? "not vouched for" : "not measured"
        }
        var reasons: [String] = []
        if noFirst { reasons.append("A: " + reason(first)) }
        if noSecond { reasons.append("B: " + reason(second)) }
        return reasons.isEmpty ? "a value of 0 has no ratio" : reasons.joined(separator: ", ")
    }
}

/// The runs of one experiment at one number of connections.
private struct Group {
    let records: [String: [RunRecord]]

    func pairs(_ metric: Metric, _ one: String, _ two: String) -> [(Double, Double)] {
        let others = FileComparison.values(records[two] ?? [], metric)
        return FileComparison.values(records[one] ?? [], metric).sorted { $0.key < $1.key }.compactMap { round, value in
            others[round].map { (value, $0) }
        }
    }

    func median(_ metric: Metric, _ subject: String) -> Double? {
        Statistics.median(Array(FileComparison.values(records[subject] ?? [], metric).values))
    }
}

extension FileComparison.Places {
    fileprivate func groups(_ experiment: String) -> [Group] {
        let connections = Set(keys.filter { $0.experiment == experiment }.map(\.connections))
        return connections.map { group(FileComparison.Place(experiment: experiment, subject: "", connections: $0)) }
    }

    fileprivate func group(_ place: FileComparison.Place) -> Group {
        let same = filter { $0.key.experiment == place.experiment && $0.key.connections == place.connections }
        return Group(records: [String: [RunRecord]](uniqueKeysWithValues: same.map { ($0.key.subject, $0.value) }))
    }
}
