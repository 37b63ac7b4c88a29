import Glibc
import Testing

@testable import BenchmarkHarness

/// With real processes: what a text cannot show.
@Suite struct ProcessTests {
    @Test func outputAndStatusAreKept() throws {
        var child = try ChildProcess(["sh", "-c", "echo out; echo err >&2; exit 3"], cpu: nil)
        #expect(try child.wait(milliseconds: 5000) == .code(3))
        #expect(child.printed() == "out\nerr\n")
    }

    @Test func cpuTimeIsKept() throws {
        let burn = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
        var child = try ChildProcess(["sh", "-c", "(\(burn)); \(burn)"], cpu: nil)
        while try child.wait(milliseconds: 100) == nil {}
        #expect(child.cpuNanoseconds > 20_000_000)
    }

    @Test func aSignalIsToldFromAStatus() throws {
        var child = try ChildProcess(["sleep", "60"], cpu: nil)
        #expect(try child.wait(milliseconds: 0) == nil)
        child.send(SIGTERM)
        #expect(try child.wait(milliseconds: 5000) == .signal(SIGTERM))
    }

    @Test func aProgramThatIsNotThereIsAnError() {
        #expect { _ = try ChildProcess(["/nonexistent/program"], cpu: nil).id } throws: { error in
            "\(error)".contains("/nonexistent/program") && "\(error)".contains("No such file")
        }
    }

    /// Grandchildren too, although their parent is killed before it could see to them.
    @Test func nothingIsLeftWhenTheOwnerIsGone() throws {
        var grandchild: Int32 = 0
        do {
            let child = try ChildProcess(["sh", "-c", "sleep 60 & echo $!; wait"], cpu: nil)
            while child.printed().isEmpty { usleep(1000) }
            grandchild = try #require(Int32(child.printed().split(separator: "\n")[0]))
            #expect(try ProcessTree(root: child.id).members().map(\.id) == [child.id, grandchild])
        }
        // The leader's end is waited for; the others have been sent SIGKILL and die when they next run. Whoever adopts an
        // orphan reaps it in its own time: a zombie is as good as gone.
        func isGone() -> Bool {
            let stat = readText("/proc/\(grandchild)/stat").flatMap { ProcessStat($0) }
            return stat == nil || stat?.state == "Z" || stat?.state == "X"
        }
        for _ in 0..<5_000 where !isGone() { usleep(1_000) }
        #expect(isGone())
    }

    /// The time of a child that has ended and been reaped is not lost, nor that of one which lives.
    @Test func cpuTimeIncludesChildren() throws {
        let burn = "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo burnt)"
        let alive = "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo burnt; sleep 60) & wait"
        let child = try ChildProcess(["sh", "-c", "\(burn); \(alive)"], cpu: nil)
        let tree = ProcessTree(root: child.id)
        while child.printed().isEmpty { usleep(1000) }
        let first = try tree.cpuNanoseconds()
        #expect(first > 30_000_000)
        while child.printed() != "burnt\nburnt\n" { usleep(1000) }
        #expect(try tree.cpuNanoseconds() > first + 30_000_000)
        #expect(try tree.memory().total > 0)
    }
}
