import Glibc

/// How often a program made which system call, all its threads and children together, as `strace -c` counts them.
package struct SystemCalls: Equatable, Sendable {
    package let counts: [String: Int]
    package var total: Int { counts.values.reduce(0, +) }

    package subscript(names: String...) -> Int { names.reduce(0) { $0 + (counts[$1] ?? 0) } }

    /// What is put before a command. The table comes behind what the command prints.
    static let counting = ["strace", "-f", "-qq", "-c", "-U", "name,calls"]

    static let isInstalled = ChildProcess.output(of: ["strace", "-V"]) != nil

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

/// strace, attached to a server that runs, for as long as its system calls are counted.
final class SystemCallCounter {
    private var strace: ChildProcess

    private init(_ strace: consuming ChildProcess) { self.strace = strace }

    /// - Returns: nil where there is no strace, or it may not look at the server: there is one measure less then.
    static func attached(to tree: ProcessTree, cpu: Int?) throws -> SystemCallCounter? {
        guard SystemCalls.isInstalled else { return nil }
        let members = try tree.members()
        let command = SystemCalls.counting + members.flatMap { ["-p", "\($0.id)"] }
        let counter = SystemCallCounter(try ChildProcess(command, cpu: cpu))
        for _ in 0..<1000 {
            if members.allSatisfy({ isTraced($0.id) }) { return counter }
            if try counter.strace.wait(milliseconds: 5) != nil { return nil }
        }
        return nil
    }

    func stop() throws -> SystemCalls {
        strace.sendToLeader(SIGINT)
        guard try strace.wait(milliseconds: 10_000) != nil else { throw strace.failure("strace did not end") }
        return try SystemCalls(strace.printed())
    }

    /// Or has ended meanwhile: then there is nothing left to count.
    private static func isTraced(_ process: Int32) -> Bool {
        guard ProcessTree(root: process).isAlive else { return true }
        let threads = entries("/proc/\(process)/task")
        return !threads.isEmpty && threads.allSatisfy { thread in
            let status = readText("/proc/\(process)/task/\(thread)/status") ?? ""
            return !status.contains("TracerPid:\t0\n")
        }
    }
}
