public import Foundation

/// `check` and `update`, with the work that there is.
public struct CountingCommand {
    let file: URL
    let names: [String]
    /// Of a file, what is not about these names is left alone.
    let isWhole: Bool
    private let program: String

    /// - Parameter only: the names to look at; none for all.
    public init(file: URL, all: [String], only: [String], program: String) throws {
        for name in only where !all.contains(name) { throw CountingFailure("no work is called \(name): there is \(all.joined(separator: ", "))") }
        self.file = file
        names = only.isEmpty ? all : only
        isWhole = only.isEmpty
        self.program = program
    }

    private func count() throws -> Counts.OfOneProcessor {
        let callgrind = try Callgrind(program)
        var found: Counts.OfOneProcessor = [:]
        for name in names { found[name] = try callgrind.count(name) }
        return found
    }

    /// - Returns: whether all counts are as committed.
    public func check(print: (String) -> Void, complain: (String) -> Void) throws -> Bool {
        guard var committed = try Counts(reading: file).byProcessor[Counts.processor] else {
            // Not an error: who has another processor cannot have committed anything that holds for everybody.
            complain("\(file.relativePath) has no counts for \(Counts.processor): nothing is compared")
            return true
        }
        if !isWhole { committed = committed.filter { names.contains($0.key) } }
        let comparison = Comparison(committed: committed, found: try count())
        print(Comparison.heading)
        comparison.table.forEach(print)
        if comparison.failures.isEmpty { return true }
        comparison.failures.forEach(complain)
        complain(
            "counts of \(Int(Comparison.tolerance * 100)) % more or fewer instructions, or of other allocations, are a change of what things cost. "
                + "If it is meant, commit what `make update-counts` writes; another compiler or libc changes counts, too: see CONTRIBUTING.md")
        return false
    }

    public func update(print: (String) -> Void) throws {
        var counts = FileManager.default.fileExists(atPath: file.path) ? try Counts(reading: file) : Counts()
        let found = try count()
        let known = counts.byProcessor[Counts.processor] ?? [:]
        counts.byProcessor[Counts.processor] = isWhole ? found : known.merging(found) { $1 }
        try counts.write(to: file)
        print(Comparison.heading)
        Comparison(committed: known, found: found).table.forEach(print)
    }
}
