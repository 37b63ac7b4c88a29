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
        #expect(text == "At 64 connections no difference in requests/s can be told between `thread` and `reactor` (3 runs): "
            + "105 to 112 requests/s.")
        let three = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100, 110, 105])
                + Sample.runs("e", "thread", 64, "requests_per_second", [112, 108, 120])
                + Sample.runs("e", "fork", 64, "requests_per_second", [10, 11, 12]))
        #expect(three.hasPrefix("At 64 connections no difference can be told between `thread` and `reactor` (3 runs), which are fastest: 112 requests/s; "
            + "slowest: `fork`, 11 requests/s"))
    }

    /// Two that can't be told from the first can be told from each other.
    @Test func whoLeadsIsNotOneOfEquals() throws {
        let text = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100, 200, 150]) + Sample.runs("e", "thread", 64, "requests_per_second", [140, 141, 142])
                + Sample.runs("e", "fork", 64, "requests_per_second", [120, 121, 122]))
        #expect(text == "At 64 connections no difference in requests/s can be told between `reactor` and each of `thread` and `fork` (3 runs): "
            + "121 to 150 requests/s.")
    }

    @Test func aDifferenceSmallerThanTheNoiseIsNone() throws {
        let apart = Sample.runs("e", "reactor", 64, "requests_per_second", [100, 101, 102])
            + Sample.runs("e", "thread", 64, "requests_per_second", [104, 105, 106])
        #expect(try ranking(apart).contains("`thread` is fastest"))
        let again = Sample.runs("e", "reactor-again", 64, "requests_per_second", [110, 111, 112])
        #expect(try ranking(apart + again).contains("no difference in requests/s can be told between `thread` and `reactor` (3 runs)"))
    }

    @Test func oneRunTellsNoDifference() throws {
        let text = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100]) + Sample.runs("e", "thread", 64, "requests_per_second", [900]))
        #expect(text == "At 64 connections one run each tells no difference: 100 to 900 requests/s.")
    }

    @Test func whoServesAFewOfManyOrIsNotVouchedForIsNotRanked() throws {
        let lines = Sample.runs("e", "reactor", 64, "requests_per_second", [100, 102]) + Sample.runs("e", "fork", 64, "requests_per_second", [50, 52])
            + (0..<2).map { _ in Sample.line("e", "iterative", 64, ["requests_per_second": 900, "connections_served": 1]) }
            + Sample.runs("e", "nginx", 64, "requests_per_second", [700, 702], more: ["vouched": false, "doubts": ["busy"]])
        #expect(try ranking(lines) == "At 64 connections, of those that can be ranked, `reactor` is fastest: 101 requests/s; slowest: `fork`, "
            + "51 requests/s (0.50 ×); not ranked: `iterative` (900‡) and `nginx` (701†).")
        let doubtful = lines + Sample.runs("e", "nio", 64, "requests_per_second", [9, 8], more: ["vouched": false])
        #expect(Sentences(try #require(Sample.results(doubtful))).notes(speed.key, at: [64]).last
            == "† `nginx` and `nio` are not vouched for at 64, drawn hollow and not ranked.")
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
            + "`fork` 0.50 ×; no difference in requests/s can be told for `reactor` (2 runs).")
        let steady = Sentences(try #require(Sample.results(runs("reactor", 0, [100, 102]) + runs("reactor", 9, [101, 99]))))
        #expect(steady.change(speed) == "From 0 to 9 slow peers no difference in requests/s can be told for `reactor` (2 runs).")
    }

    @Test func howMuchLoadIsBorne() throws {
        func runs(_ subject: String, _ rate: Int, _ p99: Double) -> [String] {
            (0..<2).map { _ in Sample.line("offered-load", subject, rate, ["p99_us": p99, "offered_per_second": Double(rate)]) }
        }
        let lines = runs("reactor", 1000, 500) + runs("reactor", 9000, 9000) + runs("fork", 1000, 600) + runs("fork", 9000, 50_000)
        // What the generator could not tell is not what a server could not do.
        let doubt: [String: Any] = ["vouched": false, "doubts": ["the generator was late"]]
        let more = Sample.runs("offered-load", "nginx", 1000, "p99_us", [400, 90_000, 410])
            + Sample.runs("offered-load", "nginx", 9000, "p99_us", [700, 800], more: doubt)
            + (1...2).map { Sample.line("offered-load", "thread", 1000, ["p99_us": 9, "requests": 90, "errors_unanswered": 10], more: ["round": $0]) }
        #expect(Sentences(try #require(Sample.results(lines + more))).endurance(Measure("p99_us"))
            == "Of the loads tried (1,000, 9,000 requests/s) these keep p99 within 10 ms: `reactor` to 9,000, the most that was tried; "
            + "`nginx` to at least 1,000, beyond which the generator could not tell; `fork` to 1,000; `thread` at none.")
    }

    /// One run cannot lead, and cannot be as good as who leads.
    @Test func oneRunBesideSeveralIsNeitherFirstNorEqual() throws {
        let lines = Sample.runs("e", "reactor", 64, "requests_per_second", [200, 202]) + Sample.runs("e", "fork", 64, "requests_per_second", [100, 102])
            + Sample.runs("e", "thread", 64, "requests_per_second", [900]) + Sample.runs("e", "nginx", 64, "requests_per_second", [201])
        #expect(try ranking(lines) == "At 64 connections `reactor` is fastest: 201 requests/s; slowest: `fork`, 101 requests/s (0.50 ×).")
        #expect(Sentences(try #require(Sample.results(lines))).notes(speed.key, at: [64]) == [
            "`thread`: one run only at 64, which cannot be compared.", "`nginx`: one run only at 64, which cannot be compared.",
        ])
        let one = Sample.runs("e", "reactor", 64, "requests_per_second", [200, 202]) + Sample.runs("e", "thread", 64, "requests_per_second", [900])
        #expect(try ranking(one) == "At 64 connections too few runs tell no difference: 201 to 900 requests/s.")
    }

    @Test func whoAnswersNothingIsWhatThereIsToSay() throws {
        func runs(_ subject: String, _ peers: Int, _ values: [Double]) -> [String] {
            values.enumerated().map {
                Sample.line("slow-clients", subject, peers, ["requests": $1 * 2, "requests_per_second": $1, "errors_unanswered": 64],
                    more: ["peer": "slow client", "round": $0 + 1])
            }
        }
        let held = runs("thread-pool", 0, [100, 102]) + runs("thread-pool", 256, [0, 0])
        let lines = held + runs("fork", 0, [100, 100.2]) + runs("fork", 256, [50, 50.1])
        let sentences = Sentences(try #require(Sample.results(lines)))
        #expect(sentences.change(speed) == "At 256 slow clients `thread-pool` answered nothing. "
            + "From 0 to 256 slow clients `fork` goes from 100 to 50 requests/s (0.50 ×).")
        #expect(sentences.notes("p99_us", at: [0, 256]) == ["`thread-pool` answered nothing at 256."])
        #expect(sentences.ranking(speed, at: 256) == "`fork` at 256 slow clients: 50 requests/s; `thread-pool` answered nothing.")
        // Also where all the others are not vouched for.
        let doubt: [String: Any] = ["vouched": false, "doubts": ["the generator was late"], "peer": "slow client"]
        let doubted = Sentences(try #require(Sample.results(
            held + Sample.runs("slow-clients", "nginx", 256, "requests_per_second", [70, 70], more: doubt))))
        #expect(doubted.change(speed)
            == "At 256 slow clients `thread-pool` answered nothing. At 256 slow clients nothing can be ranked; what was counted: `nginx` (70†).")
    }

    @Test func errorsKeepFromBeingRanked() throws {
        func runs(_ subject: String, _ seconds: Double, _ errors: Double) -> [String] {
            (1...2).map {
                Sample.line("burst", subject, 256, ["requests": 1000, "burst_seconds": seconds, "errors_closed": errors], more: ["round": $0])
            }
        }
        let lines = runs("reactor", 2, 0) + runs("thread", 3, 10) + runs("fork", 1, 11)
        #expect(try ranking(lines, "burst_seconds") == "At 256 connections, of those that can be ranked, `reactor` is done first: 2.00 s; "
            + "last: `thread`, 3.00 s (1.50 ×); not ranked: `fork` (1.00 s§).")
        let results = try #require(Sample.results(lines))
        #expect(Sentences(results).notes("burst_seconds", at: [256])
            == ["§ `fork` is not ranked at 256, and drawn hollow: 1.1 % of the requests went wrong (11 closed)."])
        #expect(results.cell("fork", at: 256)?.marks == "§" && results.cell("thread", at: 256)?.marks == "")
    }

    @Test func failuresAreInTheSentence() throws {
        let text = try ranking(
            Sample.runs("e", "reactor", 64, "requests_per_second", [200, 201]) + Sample.runs("e", "thread", 64, "requests_per_second", [100, 101])
                + [Sample.line("e", "fork", 64, nil, more: ["failure": "it hung"]), Sample.line("e", "nio", 64, nil, more: ["failure": "left out: no"])])
        #expect(text.hasSuffix("; `fork` failed; `nio` is left out."))
    }

    @Test func generatorsAreComparedAndNotServers() throws {
        func runs(_ subject: String, _ own: Double, _ wrk: Double) -> [String] {
            (1...3).map {
                Sample.line("load-against-wrk", subject, 64, ["requests_per_second": own, "wrk_requests_per_second": wrk], more: ["round": $0])
            }
        }
        let figures = Sample.report(runs("reactor", 98, 100) + runs("nginx", 90, 100) + runs("floor", 303, 300)).figures
        #expect(figures.first?.sentence == "`reactor load` counts, beside wrk, 0.98 × the requests/s of `reactor`, 0.90 × the requests/s of "
            + "`nginx` and 1.01 × the requests/s of `floor`: within 5 % but for `nginx` (3 runs).")
        #expect(!figures.contains { $0.sentence.contains("fastest") })
    }

    @Test func recoveriesAreToTheSecond() throws {
        func runs(_ subject: String, _ seconds: [Double]) -> [String] {
            Sample.runs("overload", subject, 64, "recovery_seconds", seconds)
        }
        let text = try ranking(runs("reactor", [1, 1.1, 1]) + runs("thread", [1.9, 1.8, 1.9]) + runs("fork", [5, 5, 5.1]), "recovery_seconds")
        #expect(text == "At 64 connections no difference can be told between `reactor` and `thread` (3 runs), which recover first: 1 s; "
            + "last: `fork`, 5 s.")
    }

    @Test func theMethodSaysWhatDecided() {
        let once = Sample.runs("e", "reactor", 64, "requests_per_second", [100, 101])
        let again = Sample.runs("e", "reactor-again", 64, "requests_per_second", [100, 101])
        let own = "than the same server was from itself", alone = "was not measured twice, the interval alone decides"
        #expect(!Sample.report(once).method.contains(own) && Sample.report(once).method.contains(alone))
        #expect(Sample.report(once + again).method.contains(own) && !Sample.report(once + again).method.contains(alone))
        let both = Sample.report(once + again + Sample.runs("f", "reactor", 64, "requests_per_second", [1, 2])).method
        #expect(both.contains(own) && both.contains(alone))
    }

    @Test func theLeadIsTrueOfTheFile() {
        let own = Sample.line("e", "reactor", 64, ["p99_us": 1]), other = Sample.line("e", "nginx", 64, ["p99_us": 1])
        let elsewhere = Sample.line("e", "floor", 64, ["p99_us": 1], more: ["machine": ["cpu": "Another"]])
        #expect(Sample.report([own]).lead == "The same protocol code under different architectures, on one machine.")
        #expect(Sample.report([own, other]).lead.contains(", and servers of others beside it, on one machine."))
        #expect(Sample.report([own, elsewhere]).lead.contains("on 2 machines, settings or commits."))
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
        #expect(sentences.ranking(Measure("recovery_seconds")).hasPrefix("At 64 connections `reactor` recovers first: 1 s; last: `thread`, 3 s"))
        #expect(sentences.notes("recovery_seconds", at: [64]) == [
            "Recovery is seen to the second: shorter differences are none.",
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
