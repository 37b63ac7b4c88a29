import ConnectionHandling
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

@testable import ReactorSampleSite

@Suite struct StatisticsTests {
    @Test func bucketsGrowWithWhatTheyHold() {
        var previous = 0
        var nanoseconds: UInt64 = 1
        while nanoseconds < 1 << 41 {
            let bucket = LatencyHistogram.bucket(nanoseconds)
            #expect(bucket >= previous && bucket < LatencyHistogram.buckets)
            let middle = Double(LatencyHistogram.middle(of: bucket))
            if nanoseconds >= 1024 { #expect(abs(middle / Double(nanoseconds) - 1) <= 0.125, "\(nanoseconds)") }
            previous = bucket
            nanoseconds += max(1, nanoseconds / 97)
        }
        #expect(LatencyHistogram.bucket(.max) == LatencyHistogram.buckets - 1)
    }

    @Test func quantiles() {
        let histogram = LatencyHistogram()
        for index in 1...1_000 { histogram.add(nanoseconds: UInt64(index) * 10_000) }
        var counts = [UInt64](repeating: 0, count: LatencyHistogram.buckets)
        #expect(LatencyHistogram.quantile(0.5, of: counts) == nil)
        histogram.add(to: &counts)
        for share in [0.01, 0.5, 0.9, 0.99, 1] {
            let found = Double(LatencyHistogram.quantile(share, of: counts) ?? 0)
            #expect(abs(found / (share * 10_000_000) - 1) <= 0.2, "\(share): \(found)")
        }
    }

    @Test func samplesAreOfTheirSecond() {
        let start = MonotonicTime(nanoseconds: 5_000_000_000)
        var sampling = Sampling(start)
        var totals = Totals()
        #expect(!sampling.isDue(at: start.advanced(by: .milliseconds(800))))
        #expect(sampling.isDue(at: start.advanced(by: .milliseconds(900))))
        totals.latency[LatencyHistogram.bucket(2_000_000)] = 30
        (totals.sent, totals.opened, totals.connections) = (5_000, 4, 3)
        sampling.take(totals, lag: 1_500_000, at: start.advanced(by: .seconds(2)))
        let first = sampling.samples[0]
        #expect(first.requests == 15 && first.sent == 2_500 && first.connections == 3 && first.lag == 1.5 && first.uptime == 2)
        #expect(first.total.requests == 30 && first.total.connections == 4)
        #expect(abs((first.median ?? 0) - 2) < 0.25)
        // Nothing came: there is no latency, and it is not the one of before.
        sampling.take(totals, lag: nil, at: start.advanced(by: .seconds(3)))
        #expect(sampling.samples[1].requests == 0 && sampling.samples[1].median == nil && sampling.samples[1].lag == nil)
        for second in 4...400 { sampling.take(totals, lag: nil, at: start.advanced(by: .seconds(second))) }
        #expect(sampling.samples.count == Sampling.kept && sampling.samples.last?.uptime == 400)
    }

    @Test func connectionsAndExchangesAreCounted() throws {
        let site = try SampleSite()
        let application = RoutedApplication(site.router())
        func connect() -> TestDriver {
            TestDriver(HTTPServerHandler(application: SiteApplication(application, in: site.statistics)))
        }
        do {
            let (first, second) = (connect(), connect())
            #expect(site.statistics.totals().connections == 2)
            first.receive("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n")
            second.receive("nonsense\r\n\r\n")
            #expect(site.statistics.totals().requests == 3)
            #expect(site.statistics.totals().sent >= 40)
            // What was cut off is nobody's latency.
            let third = connect()
            third.receive("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")
            third.reset()
            #expect(site.statistics.totals().requests == 3)
        }
        #expect(site.statistics.totals().connections == 0)
        #expect(site.statistics.totals().opened == 3)
    }

    @Test func theWorstLatenessOfASecondIsKept() {
        let statistics = SiteStatistics()
        let now = SiteStatistics.now()
        #expect(statistics.sample(at: now.advanced(by: .seconds(1))))
        #expect(statistics.samples.last?.lag == nil)
        for nanoseconds in [2_000_000, 7_000_000, 1_000_000] as [UInt64] { statistics.loopWasLate(nanoseconds: nanoseconds) }
        #expect(statistics.sample(at: now.advanced(by: .seconds(2))))
        #expect(statistics.samples.last?.lag == 7)
        #expect(!statistics.sample(at: now.advanced(by: .milliseconds(2_500))))
        #expect(statistics.sample(at: now.advanced(by: .seconds(3))))
        #expect(statistics.samples.last?.lag == 0)
    }

    /// Several threads count, and nothing is lost.
    @Test func countersAreShared() async {
        let statistics = SiteStatistics()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 { statistics.shard().exchangeEnded(nanoseconds: 1_000, bytes: 3) }
                }
            }
        }
        #expect(statistics.totals().requests == 8_000 && statistics.totals().sent == 24_000)
    }
}
