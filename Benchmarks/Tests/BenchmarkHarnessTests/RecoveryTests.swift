import Testing

@testable import BenchmarkHarness

@Suite struct RecoveryTests {
    /// Four seconds before, three of overload, and what comes after; p99 in µs, -1 where nothing was answered.
    private func recovery(_ after: [Double], errors: Int? = nil, before: Double = 2000) -> Double? {
        let p99s = [9e9, before, before, before, 5e5, 9e5, 9e5] + after
        let timeline: [[Double?]] = p99s.enumerated().map { second, p99 in
            let isAnswered = p99 >= 0
            return [Double(second), isAnswered ? 100 : 0, isAnswered ? p99 / 2 : nil, isAnswered ? p99 : nil, second == errors ? 1 : 0]
        }
        return Recovery.seconds(timeline, began: 4, ended: 7)
    }

    @Test func atOnce() { #expect(recovery([2100, 2000, 4000, 2000]) == 0) }
    @Test func afterTwoSeconds() { #expect(recovery([9e5, 4100, 3900, 2000, 2000]) == 2) }
    @Test func never() { #expect(recovery([9e5, 9e5, 9e5, 9e5]) == nil) }
    @Test func aSingleGoodSecondIsNoRecovery() { #expect(recovery([9e5, 2000, 9e5, 2000, 2000, 2000]) == 3) }
    @Test func theLastSecondsAloneShowNothing() { #expect(recovery([9e5, 9e5, 2000, 2000]) == nil) }
    @Test func aSecondWithoutAnswersIsNotUsual() { #expect(recovery([-1, 2000, 2000, 2000]) == 1) }
    @Test func anErrorIsNotUsual() { #expect(recovery([2000, 2000, 2000, 2000, 2000], errors: 8) == 2) }
    @Test func microsecondsAreNoRelapse() { #expect(recovery([900, 1050, 100], before: 100) == 0) }
    @Test func nothingBefore() { #expect(Recovery.seconds([[0, 1, 1, 1, 0]], began: 0, ended: 0) == nil) }
}
