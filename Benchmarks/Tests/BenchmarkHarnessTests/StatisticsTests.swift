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

    @Test func quantilesOfStudent() {
        #expect(Resampling.studentQuantile(1) == 12.706)
        #expect(Resampling.studentQuantile(4.9) == 2.776)
        #expect(Resampling.studentQuantile(1e9) == 2.042)
        #expect(Resampling.studentQuantile(0.1) == 12.706)
    }

    @Test func theIntervalHoldsMedianAndBootstrap() throws {
        let values = [9.0, 10, 11, 10.5, 9.5]
        let interval = try #require(Resampling.interval(ofMedian: values))
        #expect(interval.low <= 9 && interval.high >= 11)
        #expect(interval == Resampling.interval(ofMedian: values))
        #expect(try #require(Resampling.interval(ofMedian: [10, 10, 10])).contains(10))
        #expect(Resampling.interval(ofMedian: [10]) == nil)
        #expect(Resampling.interval(ofMedian: [10, 0]) == nil)
    }

    @Test func theGeneratorIsSplitMix64() {
        var generator = SeededGenerator(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
    }
}
