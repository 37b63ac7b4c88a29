import Foundation
import Glibc
@testable import ReactorMailQueue
import ReactorSMTP
import TestSupport
import Testing

/// Several processes on one spool, which may die at any moment.
@Suite(.serialized, .timeLimit(.minutes(40))) struct ProcessTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A queue-load, and where its output goes: a file, which keeps what was written before a kill.
    private final class Load {
        let process = Process()
        private let output: String

        init(_ command: String, _ spool: String, _ numbers: [Int], output: String) throws {
            self.output = output
            process.executableURL = ServerProcess.executable("queue-load")
            process.arguments = [command, spool] + numbers.map(String.init)
            _ = FileManager.default.createFile(atPath: output, contents: nil)
            process.standardOutput = FileHandle(forWritingAtPath: output)
            process.standardError = process.standardOutput
            try process.run()
        }

        deinit { kill() }

        func kill() {
            if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }

        var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
        /// Whole lines.
        var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
    }

    private func load(_ command: String, _ numbers: Int...) throws -> Load {
        try Load(command, directory.spool, numbers, output: directory.path + "/" + UUID().uuidString)
    }

    @Test func whatWasAcknowledgedSurvivesKill9() throws {
        _ = try Spool(directory: directory.spool)
        var random = SystemRandomNumberGenerator()
        var acknowledged: Set<String> = []
        var gone: Set<String> = []
        for round in 0..<12 {
            // Two that store, and one that takes out: all on one spool, all killed.
            let stores = [try load("commit", 8, 3_000), try load("commit", 3, 300)]
            let deliver = try load("deliver", 16)
            // Every other round is killed wherever it stands; the rest once there is something to lose.
            for _ in 0..<1_000 where round % 2 == 1 && (stores.contains { $0.lines.count < 5 } || deliver.lines.isEmpty) { usleep(5_000) }
            usleep(UInt32.random(in: 20_000...250_000, using: &random))
            for one in (stores + [deliver]).shuffled() { one.kill() }
            for one in stores { acknowledged.formUnion(one.lines) }
            gone.formUnion(deliver.lines)
        }
        #expect(!acknowledged.contains { $0.hasPrefix("queue-load") } && !gone.contains { $0.hasPrefix("queue-load") }, "\(acknowledged.filter { $0.count > 13 })")
        #expect(acknowledged.count > 100 && gone.count > 20, "the load was real: \(acknowledged.count), \(gone.count)")
        let spool = try Spool(directory: directory.spool)
        let lease = try spool.acquireLease()
        var left: Set<String> = []
        while true {
            let due = try spool.due(for: "example.org", at: .max, limit: 500, excluding: [])
            if due.isEmpty { break }
            for message in due {
                #expect(message.content.size == 3_000 || message.content.size == 300)
                #expect(left.insert(message.id.text).inserted && !gone.contains(message.id.text))
            }
            try waiting { spool.record(due.map { $0.attempt(.delivered(report)) }, under: lease, then: $0) }
        }
        // What is neither there nor reported gone was taken out by a process that died before it could say so: at most
        // what it had in flight, in each round.
        let unsaid = acknowledged.subtracting(left).subtracting(gone)
        #expect(unsaid.count <= 12 * 16, "\(unsaid.count) of \(acknowledged.count) are lost")
        #expect(spool.counters.quarantined == 0)
        lease.release()
    }

    /// The same without anybody who takes out: then every single one is there.
    @Test func everyAcknowledgedOneIsThere() throws {
        _ = try Spool(directory: directory.spool)
        var random = SystemRandomNumberGenerator()
        var acknowledged: Set<String> = []
        for round in 0..<10 {
            let stores = [try load("commit", 8, 3_000), try load("commit", 3, 300)]
            for _ in 0..<1_000 where round % 2 == 1 && stores.contains(where: { $0.lines.count < 5 }) { usleep(5_000) }
            usleep(UInt32.random(in: 20_000...200_000, using: &random))
            for one in stores.shuffled() {
                one.kill()
                acknowledged.formUnion(one.lines)
            }
        }
        #expect(acknowledged.count > 50, "the load was real")
        let there = Set(try Spool(existing: directory.spool).list().map(\.id))
        #expect(acknowledged.isSubset(of: there), "\(acknowledged.subtracting(there).count) of \(acknowledged.count) are lost")
    }

    /// What no kill can show: each commit has waited for the disk.
    @Test func everyCommitIsSynced() throws {
        let trace = directory.path + "/trace"
        let traced = try run(
            "strace", ["-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", trace, ServerProcess.executable("queue-load").path, "in", directory.spool, "40", "1", "100"])
        #expect(traced.status == 0, "\(traced.errors)")
        let syncs = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").count { $0.contains("sync") && $0.hasSuffix("= 0") }
        #expect(syncs >= 40 && traced.output.contains("batches=40"), "\(syncs) syncs; \(traced.output)")
    }

    /// The second on a spool is refused, and takes over when the first is gone.
    @Test func twoProcessesThatDeliver() throws {
        let spool = try Spool(directory: directory.spool)
        for _ in 0..<20 { try spool.store(envelope(["b@example.org"])) }
        let first = try load("deliver", 4)
        for _ in 0..<2_000 where first.lines.count < 20 { usleep(5_000) }
        #expect(Set(first.lines).count == 20)
        let second = try load("deliver", 4)
        second.process.waitUntilExit()
        #expect(second.process.terminationStatus == 1 && second.text.contains("another process delivers from the spool"))
        #expect(throws: MailQueueError.self) { _ = try spool.acquireLease() }
        first.kill()
        let third = try load("deliver", 4)
        try spool.store(envelope(["b@example.org"]))
        for _ in 0..<2_000 where third.lines.isEmpty { usleep(5_000) }
        #expect(third.lines.count == 1)
    }

    /// One that is stopped, loses its lock and goes on finds its outcomes refused.
    @Test func whoWasOvertakenEnds() throws {
        let spool = try Spool(directory: directory.spool)
        let first = try load("deliver", 4)
        for _ in 0..<2_000 where !spool.isLeased { usleep(5_000) }
        try spool.store(envelope(["b@example.org"]))
        for _ in 0..<2_000 where first.lines.isEmpty { usleep(5_000) }
        // As when the file of the lock is removed: the lock goes, the holder does not know.
        #expect(unlink(SpoolDirectory.lock(in: directory.spool)) == 0)
        let lease = try spool.acquireLease()
        try spool.store(envelope(["b@example.org"]))
        first.process.waitUntilExit()
        #expect(first.process.terminationStatus == 1 && first.text.contains("another process has taken over the queue"))
        #expect(first.lines.count { !$0.hasPrefix("queue-load") } == 1)
        #expect(try spool.list().count == 1)
        lease.release()
    }
}
