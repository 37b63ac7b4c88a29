import Foundation

/// The runs of one subject at one number of connections, a round each.
package struct Series: Sendable {
    package let subject: String
    package let connections: Int
    /// By round, from 0.
    private var runs: [(round: Int, run: Run)] = []
    /// Why there is no result, or fewer than there should be.
    package private(set) var failure: Failure?
    /// What the same subject run as two differed by, in the whole experiment.
    fileprivate(set) var noise: [Metric: Double] = [:]

    package init(subject: String, connections: Int) {
        self.subject = subject
        self.connections = connections
    }

    package mutating func add(_ run: Run, round: Int) { runs.append((round, run)) }
    package mutating func add(_ sample: Sample) { add(Run(sample: sample, command: []), round: runs.count) }
    package mutating func fail(_ failure: Failure) { self.failure = failure }

    package var count: Int { runs.count }
    package var unvouched: [Run] { runs.map(\.run).filter { !$0.isVouched } }
    package func values(_ metric: Metric) -> [Double] { runs.compactMap { $0.run.sample[metric] } }
    package func median(_ metric: Metric) -> Double? { Statistics.median(values(metric)) }

    /// The load says that what it measured was the server, and not itself. One round in doubt puts all in doubt: to leave it out
    /// would leave out the fast ones, at which generators are the bottleneck.
    func vouches(for metric: Metric) -> Bool { !metric.isSeenByClients || unvouched.isEmpty }

    /// The values of both in the rounds that both have.
    package func pairs(_ metric: Metric, with other: Series) -> [(Double, Double)] {
        let others = Dictionary(other.runs.map { ($0.round, $0.run) }) { first, _ in first }
        return runs.compactMap { round, run in
            guard let value = run.sample[metric], let second = others[round]?.sample[metric] else { return nil }
            return (value, second)
        }
    }
}

extension [Series] {
    /// What the same subject run as two differs by, for each number of connections.
    fileprivate func noise(_ metric: Metric) -> [(connections: Int, noise: Double)] {
        filter { $0.subject == Noise.pair.0 }.compactMap { one in
            let other = first { $0.subject == Noise.pair.1 && $0.connections == one.connections }
            return other.flatMap { Noise.of(one.pairs(metric, with: $0)) }.map { (one.connections, $0) }
        }
    }
}

/// What an experiment found.
package struct Results: Sendable {
    /// Grouped by the number of connections, in the order of the plan.
    package let series: [Series]

    package init(series: [Series]) {
        // The greatest of all: where few rounds happen to agree, there is noise all the same.
        let noise = Metric.allCases.compactMap { metric in series.noise(metric).map(\.noise).max().map { (metric, $0) } }
        self.series = series.map { row in
            var row = row
            row.noise = Dictionary(uniqueKeysWithValues: noise)
            return row
        }
    }

    /// What was left out has not failed.
    package var hasFailures: Bool { series.contains { $0.failure.map { !$0.isLeftOut } ?? false } }

    /// A section for each number of connections, a row for each subject. Behind it stands what the load does not vouch for.
    ///
    /// - Parameters:
    ///   - peer: what is connected.
    ///   - peers: more than one of them.
    package func table(_ columns: [Column], peer: String = "connection", peers: String? = nil) -> String {
        var table = TextTable(["subject"] + columns.map(\.heading))
        for (index, row) in series.enumerated() {
            if index == 0 || series[index - 1].connections != row.connections {
                let count = Format.count(Double(row.connections))
                table.addSection(row.connections == 1 ? "1 \(peer)" : "\(count) \(peers ?? peer + "s")")
            }
            if let failure = row.failure {
                table.add(row.subject, message: failure.isLeftOut ? "\(failure)" : "failed: \(failure)")
                continue
            }
            let all = series.filter { $0.connections == row.connections }
            let mark = row.unvouched.isEmpty ? "" : " (?)"
            table.add([row.subject + mark] + columns.map { $0.cell(row, all) ?? "–" })
        }
        let doubts = doubts(peers ?? peer + "s")
        return table.rendered() + (doubts.isEmpty ? "" : "\n\n" + doubts.joined(separator: "\n"))
    }

    private func doubts(_ peers: String) -> [String] {
        series.compactMap { row in
            guard let first = row.unvouched.first else { return nil }
            let reasons = first.doubts.isEmpty ? "no reason given" : first.doubts.joined(separator: "; ")
            return "(?) \(row.subject), \(peers) \(Format.count(Double(row.connections))): \(row.unvouched.count) of "
                + "\(row.count) runs not vouched for, so that throughput and latency may be the generator's: \(reasons)"
        }
    }

    /// What the same subject run as two differed by, for each number of connections; nil where it was not.
    package func noise(_ metric: Metric, _ name: String) -> String? {
        let found = series.noise(metric).map { String(format: "%.1f %% at \($0.connections)", $0.noise * 100) }
        guard !found.isEmpty else { return nil }
        return "noise: \(Noise.pair.0) and \(Noise.pair.1), which are the same, differ in \(name) by " + found.joined(separator: ", ")
    }
}
