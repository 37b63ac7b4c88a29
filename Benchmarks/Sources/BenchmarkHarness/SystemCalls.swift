/// How often a program made which system call, all its threads and children together, as `strace -c` counts them.
package struct SystemCalls: Equatable, Sendable {
    package let counts: [String: Int]
    package var total: Int { counts.values.reduce(0, +) }

    package subscript(names: String...) -> Int { names.reduce(0) { $0 + (counts[$1] ?? 0) } }

    /// What is put before a command. The table comes behind what the command prints.
    static let counting = ["strace", "-f", "-qq", "-c", "-U", "name,calls"]

    /// - Throws: ``Failure`` if the text ends with no table.
    package init(_ text: String) throws(Failure) {
        var counts: [String: Int] = [:]
        var isTable = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words == ["syscall", "calls"] { isTable = true }
            if isTable, words.count == 2, words[0] != "total", let count = Int(words[1]) { counts[String(words[0])] = count }
        }
        guard !counts.isEmpty else { throw Failure("strace counted nothing; it printed: \(text.oneLine)") }
        self.counts = counts
    }
}
