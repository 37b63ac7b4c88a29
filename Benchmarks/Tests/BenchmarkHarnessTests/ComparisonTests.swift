import Foundation
import Testing

@testable import BenchmarkHarness

/// Runs as machines make them: rounds that are all slower, most values close together, and now and then one far out.
private struct NoisyMachine {
    var random: SeededGenerator

    private mutating func uniform() -> Double { Double.random(in: 0.000_001..<1, using: &random) }
    private mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }

    /// One round of two subjects, of which the first costs `factor` times as much.
    mutating func round(_ factor: Double) -> (Double, Double) {
        let drift = 1 + 0.1 * uniform()
        func value(_ machine: inout NoisyMachine) -> Double {
            // One in eight is disturbed, by a tail without a variance.
            let disturbance = machine.uniform() < 0.125 ? 0.03 * pow(machine.uniform(), -0.6) : 0
            return 10 * drift * exp(0.02 * machine.normal()) * (1 + disturbance)
        }
        return (factor * value(&self), value(&self))
    }

    mutating func rounds(_ count: Int, _ factor: Double = 1) -> [(Double, Double)] { (0..<count).map { _ in round(factor) } }
}

@Suite struct ComparisonTests {
    /// Of the same subject run as two, fewer than one comparison in twenty says that they differ: by the interval alone, and
    /// by the interval and the noise of another pair.
    @Test(arguments: [3, 5, 9])
    func theSameIsSeldomCalledDifferent(rounds: Int) throws {
        var machine = NoisyMachine(random: SeededGenerator(seed: UInt64(rounds)))
        var byInterval = 0, byBoth = 0, unpaired = 0
        let comparisons = 100
        for _ in 0..<comparisons {
            let pairs = machine.rounds(rounds)
            let noise = try #require(Noise.of(machine.rounds(rounds)))
            let verdict = Comparison(paired: pairs, noise: noise)?.verdict
            if verdict != .noDifference { byInterval += 1 }
            if verdict == .significant { byBoth += 1 }
            let other = machine.rounds(rounds).map(\.0)
            if Comparison(pairs.map(\.0), other, noise: 0)?.verdict == .significant { unpaired += 1 }
        }
        #expect(byInterval <= comparisons / 20)
        #expect(byBoth <= comparisons / 20)
        #expect(unpaired <= comparisons / 20)
    }

    /// What is there is found, the sooner the more rounds there are.
    @Test(arguments: [(5, 1.3), (9, 1.15)])
    func aDifferenceIsFound(rounds: Int, factor: Double) throws {
        var machine = NoisyMachine(random: SeededGenerator(seed: 7))
        var found = 0
        for _ in 0..<50 {
            let noise = try #require(Noise.of(machine.rounds(rounds)))
            if Comparison(paired: machine.rounds(rounds, factor), noise: noise)?.verdict == .significant { found += 1 }
        }
        #expect(found >= 40)
    }

    @Test func verdicts() throws {
        let steady = [(11.0, 10.0), (11.1, 10.1), (10.9, 9.9), (11, 10), (11.05, 10.05)]
        let found = try #require(Comparison(paired: steady, noise: 0.02))
        #expect(found.verdict == .significant && abs(found.ratio - 1.1) < 0.001)
        #expect(try #require(found.interval).low > 1)
        #expect(Comparison(paired: steady, noise: 0.2)?.verdict == .withinNoise)
        #expect(Comparison(paired: [(10, 11), (11, 10), (10, 10)], noise: 0)?.verdict == .noDifference)
        // A single round shows nothing, however far apart.
        #expect(Comparison(paired: [(30, 10)], noise: 0)?.verdict == .noDifference)
        #expect(Comparison(paired: [], noise: 0) == nil)
        #expect(Comparison([0, 0], [1, 1], noise: 0) == nil)
        // Equal to the last digit, and different: nothing is left to chance.
        #expect(Comparison([2, 2], [1, 1], noise: 0)?.verdict == .significant)
        #expect(Comparison([1, 1], [1, 1], noise: 0)?.verdict == .noDifference)
    }

    @Test func noiseIsTheGreaterOfTheRatioAndWhatRoundsDifferBy() throws {
        #expect(Noise.of([(1, 1), (1, 1)]) == 0)
        #expect(abs(try #require(Noise.of([(11, 10), (11, 10)])) - 0.1) < 1e-9)
        // The medians are the same by chance; the rounds are not.
        #expect(try #require(Noise.of([(11, 10), (10, 11), (10.5, 10.5), (12, 10), (10, 12)])) > 0.03)
        #expect(Noise.of([]) == nil)
        #expect(Noise.of([(0, 1)]) == nil)
    }
}
