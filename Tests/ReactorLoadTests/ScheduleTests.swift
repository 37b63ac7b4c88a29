@testable import ReactorLoad
import Testing

/// When requests are due: pure numbers, no clock.
@Suite struct ScheduleTests {
    private func moments(_ schedule: Schedule) -> [UInt64] {
        var schedule = schedule
        var all: [UInt64] = []
        while let next = schedule.next() { all.append(next) }
        return all
    }

    private func arrivals(_ rate: Double, _ spacing: LoadPlan.Arrivals.Spacing = .uniform, seed: UInt64 = 1) -> LoadPlan.Arrivals {
        var arrivals = LoadPlan.Arrivals(rate: rate)
        arrivals.spacing = spacing
        arrivals.seed = seed
        return arrivals
    }

    @Test func uniformMomentsAreEvenAndAsManyAsAsked() {
        let all = moments(Schedule(arrivals(1_000), ramp: 0, warmUp: 1, duration: 2))
        #expect(all.count == 3_000)
        #expect(all.first == 500_000)
        #expect(zip(all, all.dropFirst()).allSatisfy { (999_990...1_000_010).contains($1 - $0) })
        #expect(all.count { $0 >= 1_000_000_000 } == 2_000)
    }

    @Test func aSlowRateHasItsMomentsToo() {
        #expect(moments(Schedule(arrivals(0.5), ramp: 0, warmUp: 0, duration: 10)).map { $0 / 1_000_000_000 } == [1, 3, 5, 7, 9])
    }

    @Test func aRampRisesFromNothing() {
        let all = moments(Schedule(arrivals(1_000), ramp: 2, warmUp: 0, duration: 1))
        // The area of the triangle, then the rectangle.
        #expect(all.count == 2_000)
        let tenths = (0..<20).map { tenth in all.count { $0 / 100_000_000 == UInt64(tenth) } }
        for (tenth, count) in tenths.enumerated() { #expect(abs(count - (tenth * 5 + 2)) <= 1, "\(tenths)") }
        #expect(all == all.sorted())
    }

    @Test(arguments: [(100.0, 900.0), (900, 100), (0, 1_000), (1_000, 0)])
    func aRateChangesEvenlyOverTheDuration(_ from: Double, _ to: Double) {
        let all = moments(Schedule(LoadPlan.Arrivals(from: from, to: to), ramp: 0, warmUp: 0, duration: 10))
        #expect(all.count == Int((from + to) / 2 * 10))
        let seconds = (0..<10).map { second in all.count { $0 / 1_000_000_000 == UInt64(second) } }
        for (second, count) in seconds.enumerated() {
            let middle = from + (to - from) * (Double(second) + 0.5) / 10
            #expect(abs(Double(count) - middle) <= 2, "\(seconds)")
        }
        #expect(all == all.sorted())
    }

    @Test func randomMomentsAreThoseOfTheirSeed() {
        let first = moments(Schedule(arrivals(10_000, .poisson, seed: 7), ramp: 0, warmUp: 0, duration: 10))
        #expect(first == moments(Schedule(arrivals(10_000, .poisson, seed: 7), ramp: 0, warmUp: 0, duration: 10)))
        #expect(first != moments(Schedule(arrivals(10_000, .poisson, seed: 8), ramp: 0, warmUp: 0, duration: 10)))
        // Of 100,000 with a deviation of 316.
        #expect(abs(first.count - 100_000) < 2_000)
        #expect(first == first.sorted())
        // Memoryless: a fraction of 1/e is farther apart than the mean.
        let far = zip(first, first.dropFirst()).count { $1 - $0 > 100_000 }
        #expect(abs(Double(far) / Double(first.count) - 0.3679) < 0.01)
    }

    @Test func randomMomentsFollowAChangingRate() {
        var rising = LoadPlan.Arrivals(from: 0, to: 20_000)
        rising.spacing = .poisson
        let all = moments(Schedule(rising, ramp: 0, warmUp: 0, duration: 10))
        let firstHalf = all.count { $0 < 5_000_000_000 }
        #expect(abs(Double(firstHalf) / Double(all.count) - 0.25) < 0.02)
    }
}

@Suite struct LatencyTests {
    @Test func percentilesAreThoseOfTheValues() {
        var latencies = Latencies()
        for value in 1...100_000 { latencies.record(UInt64(value) * 1_000) }
        #expect(latencies.count == 100_000)
        for percentile in [1.0, 50, 90, 99, 99.9, 99.99] {
            let expected = percentile * 1_000
            #expect(abs(latencies.percentile(percentile) - expected) <= expected / 500, "\(percentile)")
        }
        #expect(latencies.min == 1)
        #expect(latencies.max == 100_000)
        #expect(latencies.mean == 50_000.5)
    }

    @Test func nothingAndExtremesDoNotTrap() {
        var latencies = Latencies()
        #expect(latencies.percentile(50) == 0)
        #expect((latencies.min, latencies.max, latencies.mean) == (0, 0, 0))
        #expect(latencies.distribution.allSatisfy { $0[1] == 0 })
        latencies.record(0)
        latencies.record(.max / 2)
        #expect(latencies.min == 0)
        #expect(latencies.count == 2)
    }

    @Test func whatIsToldEachSecondIsRightToAPercent() {
        var (second, exact) = (CoarseLatencies(), [UInt64]())
        var random = SplitMix(state: 5)
        for round in 0..<100_000 {
            let value = random.next() >> UInt64(64 - (round % 40 + 1))
            second.record(value)
            exact.append(value)
        }
        exact.sort()
        for percentile in [10.0, 50, 90, 99, 99.9] {
            let expected = Double(exact[Int(percentile / 100 * 100_000) - 1]) / 1_000
            #expect(abs(second.percentile(percentile) - expected) <= expected / 100 + 0.001, "\(percentile)")
        }
        #expect(second.count == 100_000)
        second.record(.max)
        second.removeAll()
        #expect((second.count, second.percentile(99)) == (0, 0))
    }

    @Test func theDistributionIsDenseAtItsEnd() {
        var latencies = Latencies()
        for value in 1...10_000 { latencies.record(UInt64(value) * 1_000) }
        let points = latencies.distribution
        #expect((40...60).contains(points.count))
        #expect(points.first?[0] == 0)
        #expect(points.dropLast().last.map { $0[0] > 99.999 } == true)
        #expect(points.last == [100, 10_000])
        for (one, next) in zip(points, points.dropFirst()) { #expect(one[0] < next[0] && one[1] <= next[1]) }
    }

    @Test func jainsIndex() {
        #expect(jainIndex([5, 5, 5, 5]) == 1)
        #expect(jainIndex([20, 0, 0, 0]) == 0.25)
        #expect(jainIndex([0, 0]) == 0)
        #expect(abs(jainIndex([1, 2, 3]) - 36.0 / 42) < 1e-12)
    }

    @Test func pendingRequestsAreARing() {
        for most in [1, 2, 3, 16] {
            var ring = PendingRequests(atMost: most)
            var (sent, taken): (UInt64, UInt64) = (0, 0)
            for round in 0..<100 {
                for _ in 0..<(round % most) + 1 where ring.count < most {
                    ring.append(PendingRequests.Request(start: sent, sent: sent))
                    sent += 1
                }
                #expect(ring.oldest?.start == taken)
                #expect(ring.removeOldest()?.start == taken)
                taken += 1
            }
            while ring.removeOldest() != nil { taken += 1 }
            #expect(sent == taken)
        }
    }
}
