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
        let duration: Int, workers: Int
    }

    /// - Parameter metrics: by which each experiment's subjects are compared.
    package init(_ a: ResultFile, _ b: ResultFile, metrics: (_ experiment: String) -> [Metric]) {
        (obstacles, remarks) = Self.differences(a, b)
        let (first, second) = (Self.measured(a), Self.measured(b))
        let (one, two) = (Dictionary(grouping: first, by: Self.place), Dictionary(grouping: second, by: Self.place))
        var seen: Set<Place> = []
        var rows: [Row] = []
        for place in (first + second).map(Self.place) where seen.insert(place).inserted {
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
        measured(file).reduce(into: [:]) { $0[$1.experiment, default: []].insert("\($1.duration) s a run, \($1.workers) workers") }
    }

    // MARK: Rows

    private static func place(_ record: RunRecord) -> Place {
        Place(
            experiment: record.experiment, subject: record.subject, connections: record.connections,
            duration: record.duration, workers: record.workers)
    }

    /// Calibrations are no results, but what others were made with.
    private static func measured(_ file: ResultFile) -> [RunRecord] { file.records.filter { $0.round > 0 } }

    fileprivate typealias Places = [Place: [RunRecord]]

    /// By round; none of what clients see if the load doesn't vouch for all of them.
    fileprivate static func values(_ records: [RunRecord], _ metric: Metric) -> [Int: Double] {
        guard !metric.isSeenByClients || records.allSatisfy({ $0.vouched ?? true }) else { return [:] }
        var values: [Int: Double] = [:]
        for record in records { values[record.round] = record.metrics?[metric.rawValue] }
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
            if let failure = records.lazy.compactMap(\.failure).first {
                return Failure(recorded: failure).isLeftOut ? "left out" : "failed"
            }
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
    /// All numbers of connections, and whatever else.
    fileprivate func groups(_ experiment: String) -> [Group] {
        let places = keys.filter { $0.experiment == experiment }
        return Set(places.map(\.ofAnySubject)).map(group)
    }

    fileprivate func group(_ place: FileComparison.Place) -> Group {
        let same = filter { $0.key.ofAnySubject == place.ofAnySubject }
        return Group(records: [String: [RunRecord]](uniqueKeysWithValues: same.map { ($0.key.subject, $0.value) }))
    }
}

extension FileComparison.Place {
    fileprivate var ofAnySubject: Self {
        Self(experiment: experiment, subject: "", connections: connections, duration: duration, workers: workers)
    }
}
