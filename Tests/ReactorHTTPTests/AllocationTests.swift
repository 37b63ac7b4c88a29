import Foundation
import TestSupport
import Testing

/// Requests on a connection that stays open allocate nothing. Counted by a process of its own.
@Suite(.timeLimit(.minutes(40))) struct AllocationTests {
    @Test(arguments: ["handler", "loop"])
    func aRequestAllocatesNothing(_ mode: String) throws {
        if let count = try allocations(mode) { #expect(count == 0) }
    }

    /// That the count can be anything else.
    @Test func oneThatAsksForMoreIsCounted() throws {
        if let count = try allocations("allocates") { #expect(count >= 1_000) }
    }

    /// For 1,000 requests; nil where a sanitizer allocates instead.
    private func allocations(_ mode: String) throws -> Int? {
        let result = try run(ServerProcess.executable("allocation-probe").path, [mode])
        let count = try #require(Int(result.output.trimmingCharacters(in: .newlines)), "\(result)")
        return count == -1 ? nil : count
    }
}
