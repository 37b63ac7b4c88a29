import Foundation
import InstructionCounting
import TestSupport
import Testing

/// What is counted is held against what is committed, and a difference is seen.
@Suite struct ComparisonTests {
    private let committed = ["parse": Count(instructions: 1_000, allocations: 0), "turn": Count(instructions: 5_000, allocations: 0.02)]

    private func failures(_ change: (inout Counts.OfOneProcessor) -> Void) -> [String] {
        var found = committed
        change(&found)
        return Comparison(committed: committed, found: found).failures
    }

    @Test func whatIsAsCommittedPasses() { #expect(failures { _ in } == []) }

    @Test(arguments: [981.0, 990, 1_010, 1_019])
    func whatIsNearPasses(_ instructions: Double) { #expect(failures { $0["parse"]?.instructions = instructions } == []) }

    @Test(arguments: [(1_021.0, "1.021"), (979, "0.979"), (2_000, "2.000"), (0, "0.000")])
    func moreAndFewerInstructionsFail(_ instructions: Double, _ ratio: String) {
        #expect(
            failures { $0["parse"]?.instructions = instructions }
                == ["parse: committed 1000.0 instructions, found \(instructions), a ratio of \(ratio)"])
    }

    @Test(arguments: [0.01, 1])
    func otherAllocationsFail(_ allocations: Double) {
        #expect(
            failures { $0["parse"]?.allocations = allocations }
                == ["parse: committed 0.00 allocations, found \(String(format: "%.2f", allocations))"])
    }

    @Test func allocationsAreCountedInHundredths() { #expect(failures { $0["turn"]?.allocations = 0.0204 } == []) }

    @Test func whatIsNotCommittedFails() {
        #expect(failures { $0["new"] = Count(instructions: 1, allocations: 0) } == ["new: no count is committed"])
    }

    @Test func whatIsNoLongerThereFails() {
        #expect(failures { $0["parse"] = nil } == ["parse: a count is committed, and there is no such work"])
    }

    /// A division by nothing must not pass for a ratio that is near enough.
    @Test func aCommittedZeroFails() {
        let zero = ["parse": Count(instructions: 0, allocations: 0)]
        #expect(Comparison(committed: zero, found: zero).failures.count == 1)
    }

    @Test func whatIsWrittenIsRead() throws {
        let directory = try TemporaryDirectory()
        let file = URL(filePath: directory.path + "/counts.json")
        let counts = Counts(["x86_64": committed, "aarch64": ["parse": Count(instructions: 7, allocations: 1)]])
        try counts.write(to: file)
        #expect(try Counts(reading: file) == counts)
    }
}
