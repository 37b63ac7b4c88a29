/// What was found, held against what was committed.
public struct Comparison: Sendable {
    /// How far instructions may be from what was committed, either way.
    ///
    /// The same program counts the same every time, to one in ten thousand. Other builds of libc and libev, and processors whose memcpy is another,
    /// move counts by less than this; what is worth knowing moves them by more. A change for the better fails as well: unless
    /// it is committed, as much could be lost again unseen.
    public static let tolerance = 0.02

    /// A line for each piece of work.
    public let table: [String]
    /// What is wrong, a line for each; empty if all is well.
    public let failures: [String]

    public init(committed: Counts.OfOneProcessor, found: Counts.OfOneProcessor) {
        var (table, failures): ([String], [String]) = ([], [])
        for (name, count) in found.sorted(by: { $0.key < $1.key }) {
            let known = committed[name]
            table.append(Self.line(name, count, known))
            guard let known else {
                failures.append("\(name): no count is committed")
                continue
            }
            let ratio = count.instructions / known.instructions
            // Written so that a ratio which is no number fails.
            if !(abs(ratio - 1) <= Self.tolerance) {
                failures.append(
                    "\(name): committed \(Counts.decimal(known.instructions, 1)) instructions, found "
                        + "\(Counts.decimal(count.instructions, 1)), a ratio of \(Counts.decimal(ratio, 3))")
            }
            if Counts.decimal(count.allocations, 2) != Counts.decimal(known.allocations, 2) {
                failures.append(
                    "\(name): committed \(Counts.decimal(known.allocations, 2)) allocations, found "
                        + Counts.decimal(count.allocations, 2))
            }
        }
        for name in committed.keys.sorted() where found[name] == nil {
            failures.append("\(name): a count is committed, and there is no such work")
        }
        (self.table, self.failures) = (table, failures)
    }

    static let heading = line("", ["instructions", "committed", "ratio", "allocations"])

    private static func line(_ name: String, _ count: Count, _ known: Count?) -> String {
        let ratio = known.map { Counts.decimal(count.instructions / $0.instructions, 3) }
        return line(
            name,
            [
                Counts.decimal(count.instructions, 1), known.map { Counts.decimal($0.instructions, 1) } ?? "none", ratio ?? "",
                Counts.decimal(count.allocations, 2),
            ])
    }

    private static func line(_ name: String, _ columns: [String]) -> String {
        let width = 14
        return name + String(repeating: " ", count: max(10 - name.count, 1))
            + columns.map { String(repeating: " ", count: max(width - $0.count, 1)) + $0 }.joined()
    }
}
