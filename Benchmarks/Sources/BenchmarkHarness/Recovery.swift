import Foundation

/// How long a server takes to be itself again behind an overload, from the seconds of a load that went on all the time.
package enum Recovery {
    /// So many seconds in a row must be as they were before.
    private static let steady = 3

    /// - Parameters:
    ///   - timeline: [second, answered, p50 in µs, p99 in µs, errors] each, as `reactor load` reports it.
    ///   - began, ended: the overload, in seconds of the timeline.
    /// - Returns: seconds from the end of the overload to the first second from which p99 stays within twice what it was
    ///   before, or a millisecond of it, and nothing fails; nil if that second did not come.
    package static func seconds(_ timeline: [[Double?]], began: Double, ended: Double) -> Double? {
        let seconds = timeline.compactMap(Second.init)
        let before = seconds.filter { $0.number >= 1 && $0.number + 1 <= began }.compactMap(\.p99)
        guard let usual = Statistics.median(before) else { return nil }
        let after = seconds.filter { $0.number >= ended.rounded(.down) }
        for (index, second) in after.enumerated() {
            let stretch = after[index...].prefix(steady)
            guard stretch.count == steady || index == 0 else { return nil }
            if stretch.allSatisfy({ $0.isUsual(usual) }) { return max(0, second.number - ended) }
        }
        return nil
    }

    private struct Second {
        let number: Double
        let p99: Double?
        let answered: Double, errors: Double

        init?(_ row: [Double?]) {
            guard row.count >= 5, let number = row[0], let answered = row[1] else { return nil }
            (self.number, self.answered, p99, errors) = (number, answered, row[3], row[4] ?? 0)
        }

        func isUsual(_ usual: Double) -> Bool {
            guard let p99, answered > 0, errors == 0 else { return false }
            return p99 <= max(2 * usual, usual + 1000)
        }
    }
}
