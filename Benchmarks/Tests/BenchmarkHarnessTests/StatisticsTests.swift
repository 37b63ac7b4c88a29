import Testing

@testable import BenchmarkHarness

@Suite struct StatisticsTests {
    @Test(arguments: [
        ([3], 3), ([3, 1], 2), ([5, 1, 3], 3), ([4, 1, 3, 2], 2.5), ([7, 7, 7], 7), ([-1, 100, 0], 0),
    ] as [([Double], Double)])
    func median(values: [Double], expected: Double) {
        #expect(Statistics.median(values) == expected)
    }

    @Test func nothingHasNoMedian() {
        #expect(Statistics.median([]) == nil)
        #expect(Statistics.spread([]) == nil)
        #expect(Statistics.spread([0, 0]) == nil)
    }

    @Test func spreadIsHalfTheRange() {
        #expect(Statistics.spread([9, 10, 12]) == 0.15)
        #expect(Statistics.spread([10, 10]) == 0)
        #expect(Statistics.spread([10]) == nil)
    }
}
