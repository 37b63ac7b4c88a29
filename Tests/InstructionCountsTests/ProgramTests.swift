import Foundation
import InstructionCounting
import TestSupport
import Testing

/// The program that CI runs, as it is built for tests: slower than the one that CI counts with, and held to its own counts.
@Suite(.timeLimit(.minutes(40))) struct ProgramTests {
    private static let committed = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "InstructionCounts/counts.json")

    private let directory: TemporaryDirectory
    private var path: String { directory.path + "/counts.json" }
    private var file: URL { URL(filePath: path) }

    init() throws { directory = try TemporaryDirectory() }

    private func counts(_ arguments: String...) throws -> CommandResult {
        try run(ServerProcess.executable("instruction-counts").path, arguments, seconds: 300)
    }

    /// Not where a sanitizer is, under which valgrind runs nothing.
    private func canCount() throws -> Bool { try !counts("run", "queue", "44").output.contains("=-1") }

    @Test func aChangedCountFails() throws {
        guard try canCount() else { return }
        let update = try counts("update", "--file", path, "--only", "queue")
        try #require(update.status == 0, "\(update)")
        let same = try counts("check", "--file", path, "--only", "queue")
        #expect(same.status == 0 && same.errors == "", "\(same)")

        let written = try Counts(reading: file)
        let count = try #require(written.byProcessor[Counts.processor]?["queue"])
        #expect(count.instructions > 100 && count.allocations == 0)
        for (factor, allocations) in [(0.97, 0.0), (1.03, 0), (1, 1)] {
            let changed = Count(instructions: count.instructions * factor, allocations: allocations)
            try Counts([Counts.processor: ["queue": changed]]).write(to: file)
            let check = try counts("check", "--file", path, "--only", "queue")
            #expect(check.status == 1 && check.errors.contains("instruction-counts: queue: committed "), "\(check)")
            #expect(check.errors.contains("make update-counts"), "\(check)")
        }
    }

    /// Other work's counts, and other processors', stay as they are.
    @Test func anUpdateOfOneLeavesTheOthers() throws {
        guard try canCount() else { return }
        let other = Count(instructions: 5, allocations: 0)
        try Counts(["pdp11": ["queue": other], Counts.processor: ["turn": other]]).write(to: file)
        #expect(try counts("update", "--file", path, "--only", "queue").status == 0)
        let written = try Counts(reading: file).byProcessor
        #expect(written["pdp11"] == ["queue": other])
        #expect(written[Counts.processor]?["turn"] == other && written[Counts.processor]?["queue"] != nil)
    }

    /// Every piece of work is committed for the processors that CI has, and nothing else is.
    @Test func whatIsCommittedIsThere() throws {
        let list = try counts("list")
        let names = list.output.split(separator: "\n").compactMap { $0.split(separator: ":").first.map(String.init) }
        let committed = try Counts(reading: Self.committed)
        #expect(committed.byProcessor["x86_64"].map { Set($0.keys) } == Set(names))
        #expect(names.count > 5)
    }

    @Test func anotherProcessorIsToldSo() throws {
        try Counts(["pdp11": ["queue": Count(instructions: 1, allocations: 0)]]).write(to: file)
        let check = try counts("check", "--file", path)
        #expect(check.status == 0 && check.errors.contains("has no counts for"), "\(check)")
    }

    @Test(arguments: [
        (["check", "--file", "/nowhere/counts.json"], 1, "cannot read /nowhere/counts.json"), (["check", "--only", "juggle"], 1, "juggle"),
        (["check", "--fast"], 64, "--fast"), (["check", "--file"], 64, "--file"), (["run", "queue", "x"], 64, "rounds"),
        (["run", "juggle", "1"], 64, "juggle"), (["measure"], 64, "measure"), ([], 64, "command"),
    ] as [([String], Int32, String)])
    func mistakesAreExplainedInALine(_ arguments: [String], _ status: Int32, _ word: String) throws {
        let result = try run(ServerProcess.executable("instruction-counts").path, arguments)
        #expect(result.status == status && result.output == "" && result.errors.contains(word), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func helpTeaches() throws {
        let help = try counts("--help")
        #expect(help.status == 0 && help.output.contains("check") && help.output.contains("counts.json"))
    }
}
