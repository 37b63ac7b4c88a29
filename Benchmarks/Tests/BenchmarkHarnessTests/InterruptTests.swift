import CBenchSystem
import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

/// The command itself, with a real tree of processes.
@Suite struct InterruptTests {
    private static var bench: String {
        let directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        return directory.appending(path: "bench").path()
    }

    /// All that descend from a process, which is itself among them.
    private func descendants(of process: Int32) -> [ProcessStat] { (try? ProcessTree(root: process).members()) ?? [] }

    private func isGone(_ process: Int32) -> Bool {
        let stat = readText("/proc/\(process)/stat").flatMap { ProcessStat($0) }
        return stat == nil || stat?.state == "Z" || stat?.state == "X"
    }

    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        for _ in 0..<6000 {
            if try condition() { return }
            usleep(10_000)
        }
        throw Failure("waited in vain for \(what)")
    }

    /// Runs bench on the fake reactor: the calibration of one subject succeeds, and the load of the next never ends.
    private func command(_ fake: borrowing FakeReactor, _ more: [String]) -> [String] {
        [
            Self.bench, "run", "idle-herd", "--connections", "0", "--subjects", "reactor", "--rounds", "2", "--duration", "1",
            "--reactor", fake.path,
        ] + more
    }

    private func lines(_ path: String) -> Int { (try? ResultFile(path: path))?.records.count ?? 0 }

    @Test(arguments: [SIGINT, SIGTERM]) func nothingIsLeftAndTheSuiteGoesOn(signal: Int32) throws {
        // The first run is made; in the second the load hangs, with a child of its own.
        let directory = try Scratch()
        let hangs = directory.file("hangs")
        let quick = "count=100"
        let fake = try FakeReactor(loading: "[ ! -e \(hangs) ] || { sleep 300 & wait; }; \(quick)")
        let results = directory.file("results.jsonl")
        var bench = try ChildProcess(command(fake, ["--json", results]), cpu: nil)
        try wait("the first result") { try bench.isRunning() && lines(results) == 1 }
        _ = ChildProcess.output(of: ["touch", hangs])
        try wait("the load that hangs") {
            try bench.isRunning() && descendants(of: bench.id).contains { readText("/proc/\($0.id)/cmdline")?.hasPrefix("sleep\0") == true }
        }
        let tree = descendants(of: bench.id).map(\.id).filter { $0 != bench.id }
        #expect(tree.count >= 3)

        bench.sendToLeader(signal)
        try wait("the end of bench") { try !bench.isRunning() }
        for process in tree { try wait("the end of \(process)") { isGone(process) } }
        let printed = bench.printed()
        #expect(printed.contains("interrupted"))
        let again = try #require(printed.split(separator: "\n").last?.split(separator: "To go on: ").last)
        #expect(again.hasSuffix("--resume \(results)") && !again.contains("--json"))
        #expect(lines(results) == 1)

        // What it says to type makes the one run that is missing.
        _ = ChildProcess.output(of: ["rm", hangs])
        var resumed = try ChildProcess(again.split(separator: " ").map(String.init), cpu: nil)
        try wait("the rest") { try !resumed.isRunning() }
        #expect(resumed.printed().contains("[2/2]") && !resumed.printed().contains("[1/2]"))
        #expect(lines(results) == 2)
    }

    @Test func aSubjectThatFailsIsReportedAndTheRestGoesOn() throws {
        let directory = try Scratch()
        let results = directory.file("results.jsonl")
        let fake = try FakeReactor(loading: "case $2 in */plaintext) echo it is no use; exit 1;; esac")
        var bench = try ChildProcess(
            [
                Self.bench, "run", "idle-herd", "burst", "--connections", "2", "--subjects", "floor", "--rounds", "1", "--duration",
                "1", "--reactor", fake.path, "--json", results,
            ], cpu: nil)
        var status: ChildProcess.ExitStatus?
        try wait("the end of bench") {
            status = try bench.wait(milliseconds: 10)
            return status != nil
        }
        #expect(status == .code(1))
        let printed = bench.printed()
        #expect(printed.contains("floor    failed:") && printed.contains("it is no use"))
        #expect(printed.contains("2 clients at once"))
        #expect(lines(results) == 2)
        let log = directory.file("results-logs/idle-herd-floor-2-1.log")
        #expect(printed.contains(log))
        #expect(try String(contentsOfFile: log, encoding: .utf8).contains("it is no use"))
    }

    @Test(arguments: [
        (["run", "idle-hred"], "did you mean idle-herd"), (["run", "burst", "--subjects", "thred"], "did you mean thread"),
        (["list", "bust"], "did you mean burst"), (["run", "burst", "--json", "a", "--resume", "b"], "leave --json out"),
        (["run", "burst", "--connections", "many"], "--connections takes numbers"),
    ])
    func mistakes(arguments: [String], message: String) throws {
        var bench = try ChildProcess([Self.bench] + arguments, cpu: nil)
        #expect(try bench.wait(milliseconds: 30_000) == .code(64))
        #expect(bench.printed().contains(message))
    }

    @Test func filesThatCannotBeComparedAreRefused() throws {
        let directory = try Scratch()
        var bench = try ChildProcess([Self.bench, "compare", directory.file("a"), directory.file("b")], cpu: nil)
        #expect(try bench.wait(milliseconds: 30_000) == .code(1))
        #expect(bench.printed().contains("\(directory.file("a")) cannot be read"))
    }
}

extension ChildProcess {
    mutating func isRunning() throws -> Bool { try wait(milliseconds: 0) == nil }
}
