/// The runs of one subject at one number of connections, a round each.
package struct Series: Sendable {
    package let subject: String
    package let connections: Int
    package private(set) var samples: [Sample] = []
    /// Why there is no result, or fewer than there should be.
    package private(set) var failure: Failure?

    package init(subject: String, connections: Int) {
        self.subject = subject
        self.connections = connections
    }

    package mutating func add(_ sample: Sample) { samples.append(sample) }
    package mutating func fail(_ failure: Failure) { self.failure = failure }

    package func values(_ metric: Metric) -> [Double] { samples.compactMap { $0[metric] } }
    package func median(_ metric: Metric) -> Double? { Statistics.median(values(metric)) }
}

/// What an experiment found.
package struct Results: Sendable {
    /// Grouped by the number of connections, in the order of the plan.
    package let series: [Series]
    package var hasFailures: Bool { series.contains { $0.failure != nil } }

    /// A section for each number of connections, a row for each subject.
    ///
    /// - Parameter peer: what is connected.
    package func table(_ columns: [Column], peer: String = "connection") -> String {
        var table = TextTable(["subject"] + columns.map(\.heading))
        for (index, row) in series.enumerated() {
            if index == 0 || series[index - 1].connections != row.connections {
                let count = Format.count(Double(row.connections))
                table.addSection(row.connections == 1 ? "1 \(peer)" : "\(count) \(peer)s")
            }
            if let failure = row.failure {
                table.add(row.subject, message: "failed: \(failure)")
                continue
            }
            let all = series.filter { $0.connections == row.connections }
            table.add([row.subject] + columns.map { $0.cell(row, all) ?? "–" })
        }
        return table.rendered()
    }
}
