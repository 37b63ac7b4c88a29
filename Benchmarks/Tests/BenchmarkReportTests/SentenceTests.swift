import Testing

@testable import BenchmarkReport

/// What is said of constructed data.
@Suite struct SentenceTests {
    private let speed = Measure("requests_per_second")

    private func ranking(_ lines: [String], _ key: String = "requests_per_second") throws -> String {
        Sentences(try #require(Sample.results(lines))).ranking(Measure(key))
    }

    @Test func theFastestIsNamed() throws {
        let text = try ranking(
            Sample.runs("e", "fork", 64, "requests_per_second", [100, 101, 102])
                + Sample.runs("e", "reactor", 64, "requests_per_second", [200, 201, 202])
                + Sample.runs("e", "floor", 64, "requests_per_second", [300, 301, 302]))
        #expect(text == "At 64 connections `reactor` is fastest: 201 requests/s; slowest: `fork`, 101 requests/s (0.50 ×); "
            + "the floor, hand-written C: 301.")
    }

    @Test func theLeastIsBestOfCostsAndTimes() throws {
        let text = try ranking(
            Sample.runs("e", "reactor", 64, "p99_us", [900, 901, 902]) + Sample.runs("e", "thread", 64, "p99_us", [100, 101, 102]), "p99_us")
        #expect(text == "At 64 connections `thread` has the lowest p99: 101 µs; the highest: `reactor`, 901 µs (8.92 ×).")
    }

    @Test func overlappingIntervalsAreNoDifference() throws {
        let text = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100, 110, 105])
                + Sample.runs("e", "thread", 64, "requests_per_second", [112, 108, 120]))
        #expect(text == "At 64 connections there is no difference between `thread` and `reactor` in requests/s that exceeds the noise: "
            + "105 to 112 requests/s.")
        let three = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100, 110, 105])
                + Sample.runs("e", "thread", 64, "requests_per_second", [112, 108, 120])
                + Sample.runs("e", "fork", 64, "requests_per_second", [10, 11, 12]))
        #expect(three.hasPrefix("At 64 connections there is no difference between `thread` and `reactor`, which are fastest: 112 requests/s; "
            + "slowest: `fork`, 11 requests/s"))
    }

    @Test func aDifferenceSmallerThanTheNoiseIsNone() throws {
        let apart = Sample.runs("e", "reactor", 64, "requests_per_second", [100, 101, 102])
            + Sample.runs("e", "thread", 64, "requests_per_second", [104, 105, 106])
        #expect(try ranking(apart).contains("`thread` is fastest"))
        let again = Sample.runs("e", "reactor-again", 64, "requests_per_second", [110, 111, 112])
        #expect(try ranking(apart + again).contains("no difference between `thread` and `reactor`"))
    }

    @Test func oneRunTellsNoDifference() throws {
        let text = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100]) + Sample.runs("e", "thread", 64, "requests_per_second", [900]))
        #expect(text == "At 64 connections one run each tells no difference: 100 to 900 requests/s.")
    }

    @Test func whoServesAFewOfManyOrIsNotVouchedForIsNotRanked() throws {
        let lines = Sample.runs("e", "reactor", 64, "requests_per_second", [100, 101]) + Sample.runs("e", "fork", 64, "requests_per_second", [50, 51])
            + (0..<2).map { _ in Sample.line("e", "iterative", 64, ["requests_per_second": 900, "connections_served": 1]) }
            + Sample.runs("e", "nginx", 64, "requests_per_second", [700, 701], more: ["vouched": false, "doubts": ["busy"]])
        #expect(try ranking(lines).contains("`reactor` is fastest"))
        let notes = Sentences(try #require(Sample.results(lines))).notes(speed.key, at: [64])
        #expect(notes == [
            "‡ `iterative` serves 1 of 64 connections and is not ranked there.", "† `nginx` is not vouched for at 64, drawn hollow and not ranked.",
        ])
    }

    @Test func anotherLeaderAtTheLeastIsSaid() throws {
        let text = try ranking(
            Sample.runs("e", "thread", 1, "requests_per_second", [20, 21]) + Sample.runs("e", "reactor", 1, "requests_per_second", [10, 11])
                + Sample.runs("e", "thread", 64, "requests_per_second", [30, 31])
                + Sample.runs("e", "reactor", 64, "requests_per_second", [90, 91]))
        #expect(text.hasPrefix("At 64 connections `reactor` is fastest"))
        #expect(text.hasSuffix("; at 1 connection `thread` leads."))
    }

    @Test func whatSlowPeersDo() throws {
        let peer = ["peer": "slow peer"]
        func runs(_ subject: String, _ peers: Int, _ values: [Double]) -> [String] {
            Sample.runs("slow-clients", subject, peers, "requests_per_second", values, more: peer)
        }
        let lines = runs("reactor", 0, [100, 102]) + runs("reactor", 1000, [101, 99]) + runs("thread-pool", 0, [100, 102])
            + runs("thread-pool", 1000, [2, 2.04]) + runs("fork", 0, [100, 100.2]) + runs("fork", 1000, [50, 50.1])
        let sentences = Sentences(try #require(Sample.results(lines)))
        #expect(sentences.change(speed) == "From 0 to 1,000 slow peers `thread-pool` goes from 101 to 2 requests/s (2.0 %); "
            + "`fork` 0.50 ×; no difference for `reactor`.")
        let steady = Sentences(try #require(Sample.results(runs("reactor", 0, [100, 102]) + runs("reactor", 9, [101, 99]))))
        #expect(steady.change(speed) == "No difference from 0 to 9 slow peers exceeds the noise, for any of `reactor`.")
    }

    @Test func howMuchLoadIsBorne() throws {
        func runs(_ subject: String, _ rate: Int, _ p99: Double) -> [String] {
            (0..<2).map { _ in Sample.line("offered-load", subject, rate, ["p99_us": p99, "offered_per_second": Double(rate)]) }
        }
        let lines = runs("reactor", 1000, 500) + runs("reactor", 9000, 9000) + runs("fork", 1000, 600) + runs("fork", 9000, 50_000)
        #expect(Sentences(try #require(Sample.results(lines))).endurance(Measure("p99_us"))
            == "`reactor` keeps p99 under 10 ms up to 9,000 offered requests/s; `fork` up to 1,000.")
    }

    @Test func oneBesideTheFloor() throws {
        let text = try ranking(Sample.runs("e", "reactor", 64, "requests_per_second", [100, 102])
            + Sample.runs("e", "floor", 64, "requests_per_second", [110, 112]))
        #expect(text == "`reactor` at 64 connections: 101 requests/s; the floor, hand-written C: 111.")
    }

    @Test func whatDoesNotRecoverIsNotRanked() throws {
        func runs(_ subject: String, _ seconds: [Double?]) -> [String] {
            seconds.map { Sample.line("overload", subject, 64, $0.map { ["recovery_seconds": $0] } ?? [:], more: ["timeline": [[0, 1, 1, 1, 0]]]) }
        }
        let lines = runs("reactor", [1, 1.1]) + runs("thread", [3, 3.1]) + runs("fork", [0.5, nil]) + runs("prefork", [nil, nil])
        let sentences = Sentences(try #require(Sample.results(lines)))
        #expect(sentences.ranking(Measure("recovery_seconds")).hasPrefix("At 64 connections `reactor` recovers first: 1.05 s; last: `thread`"))
        #expect(sentences.notes("recovery_seconds", at: [64]) == [
            "`fork` did not recover in 1 of 2 runs while it was watched, and is not ranked.",
            "`prefork` did not recover in 2 of 2 runs while it was watched, and is not ranked.",
        ])
    }

    @Test func theNoiseIsShown() throws {
        let report = Sample.report(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100, 101, 102])
                + Sample.runs("e", "reactor-again", 64, "requests_per_second", [104, 106, 108]))
        #expect(report.noise.sentence.contains("5.0 % in throughput") && report.noise.sentence.contains("in 1 of 1 comparisons"))
        #expect(report.noise.figure?.series.first?.name == "e, throughput")
        #expect(Sample.report(Sample.runs("e", "reactor", 64, "requests_per_second", [1])).noise.sentence.contains("not measured"))
    }
}
