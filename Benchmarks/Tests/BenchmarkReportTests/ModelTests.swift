import Testing

@testable import BenchmarkReport

/// What becomes of lines.
@Suite struct ModelTests {
    @Test func aTornLineIsPassedOverAndNamed() {
        let whole = Sample.line("echo", "reactor", 64, ["p99_us": 80])
        let lines = ResultLines(whole + "\n\nno JSON\n[]\n" + whole + "\n" + whole.dropLast(20))
        #expect(lines.lines.count == 2)
        #expect(lines.unreadable == [3, 4, 6])
        #expect(Report(lines).warnings.contains { $0.contains("3, 4, 6") })
    }

    @Test func whatIsUnknownMissingOrOfAnotherTypeIsNoObstacle() throws {
        let line = try #require(ResultLines("""
            {"experiment":"e","subject":"s","schema":"x","connections":"many","metrics":{"a":1,"b":"two","c":null},"new":{"x":[1]},\
            "latency":[[50,10],[99]],"timeline":[[0,5,null,7,0],[1]],"machine":{"cpus":"two","versions":{"x":"1","y":2}},"vouched":null}
            """).lines.first)
        #expect(line.metrics == ["a": 1])
        #expect(line.latency == [[50, 10]])
        #expect(line.timeline.count == 1 && line.timeline[0][3] == 7)
        #expect(line.connections == 0 && line.schema == nil && line.vouched)
        #expect(line.machine.versions == ["x": "1"] && line.machine.cpus == nil)
    }

    @Test func recordsOfAnOlderSchemaAreRead() throws {
        let results = try #require(Sample.results([
            #"{"experiment":"idle","subject":"reactor","connections":10000,"metrics":{"pss_per_connection_bytes":431.5},"round":1}"#
        ]))
        #expect(results.cells[0]["pss_per_connection_bytes"]?.median == 431.5)
        #expect(results.count(10_000) == "10,000 connections")
    }

    @Test func medianAndIntervalAreOfTheRounds() throws {
        let estimate = try #require(Estimate([(1, 3), (2, 1), (3, 2), (4, .nan)]))
        #expect(estimate.median == 2 && estimate.low <= 1 && estimate.high >= 3 && estimate.count == 3)
        #expect(Estimate([]) == nil && Estimate([(1, .nan)]) == nil)
    }

    @Test func failuresAreKeptWithTheirReasons() throws {
        let results = try #require(Sample.results(
            Sample.runs("architectures", "reactor", 64, "requests_per_second", [100, 101])
                + [Sample.line("architectures", "fork", 64, nil, more: ["failure": "it died | of <this>"])]))
        let fork = try #require(results.cell("fork", at: 64))
        #expect(fork.runs == 0 && fork.failures == ["it died | of <this>"] && fork.obstacle("requests_per_second") == .failed)
        #expect(Report.remarks(results) == ["`fork`, 64 connections: failed: it died | of <this>"])
    }

    /// To leave out the rounds that the generator doubts would leave the slow ones.
    @Test func oneUnvouchedRunMakesThePlaceUnvouchedAndStays() throws {
        let doubt: [String: Any] = ["vouched": false, "doubts": ["the load was at its limit"], "round": 3]
        let results = try #require(Sample.results(
            Sample.runs("architectures", "reactor", 64, "requests_per_second", [100, 102])
                + Sample.runs("architectures", "reactor", 64, "requests_per_second", [900], more: doubt)))
        let reactor = try #require(results.cell("reactor", at: 64))
        #expect(reactor["requests_per_second"]?.median == 102 && reactor.runs == 3 && reactor.marks == "†")
        #expect(reactor.obstacle("requests_per_second") == .unvouched)
        #expect(Report.remarks(results).contains("† `reactor`, 64 connections: 1 of 3 runs not vouched for: the load was at its limit"))
    }

    @Test(arguments: [
        ("requests_per_second", true), ("p99_us", true), ("percentile 99.9", true), ("burst_seconds", true), ("fairness_jain", true),
        ("server_cpu_us_per_request", false), ("pss_per_connection_bytes", false), ("system_calls_per_request", false),
        ("voluntary_switches_per_request", false),
    ])
    func aGeneratorAtItsLimitSaysNothingAgainstCosts(key: String, isDoubtful: Bool) throws {
        func obstacle(_ doubts: [String]) throws -> Obstacle? {
            let more: [String: Any] = ["vouched": false, "doubts": doubts]
            return try #require(Sample.results(Sample.runs("e", "reactor", 64, key, [1, 2], more: more))).cells[0].obstacle(key)
        }
        let generator = "the generator used 96 % of a core: it was the bottleneck, or nearly so"
        #expect(try obstacle([generator]) == (isDoubtful ? .unvouched : nil))
        #expect(try obstacle(["the generator, wrk, used 99 % of a core"]) == (isDoubtful ? .unvouched : nil))
        #expect(try obstacle(["the overload: " + generator]) == (isDoubtful ? .unvouched : nil))
        let twice = Sample.runs("e", "reactor", 64, key, [1], more: ["vouched": false, "doubts": ["it used 96 %"]])
            + Sample.runs("e", "reactor", 64, key, [1], more: ["vouched": false, "doubts": ["it used 97 %", "it was late"]])
        #expect(Sample.results(twice)?.cells[0].doubts == ["it used 96 %", "it was late"])
        // Connections that weren't there are missing from every measure.
        #expect(try obstacle([generator, "only 3 of 64 connections were there when it began"]) == .unvouched)
        #expect(try obstacle([]) == .unvouched)
    }

    @Test func oneFailureIsAFailureAsInTheTables() throws {
        let report = Sample.report(
            Sample.runs("e", "reactor", 64, "requests_per_second", [100, 101])
                + [Sample.line("e", "reactor", 64, nil, more: ["failure": "it hung", "round": 3])])
        let results = report.sections[0].results
        #expect(results.cells[0].obstacle("requests_per_second") == .failed)
        #expect(ReportTable(results, main: true)?.groups[0].rows[0].failure == "failed in 1 of 3 rounds: it hung")
        #expect(report.warnings.contains { $0.hasPrefix("1 of 3 runs failed") })
    }

    @Test func whatIsLeftOutHasNotFailed() throws {
        let report = Sample.report(
            Sample.runs("e", "reactor", 5000, "requests_per_second", [100, 101])
                + [Sample.line("e", "thread", 5000, nil, more: ["failure": "left out: it needs a thread for each connection"])])
        let results = report.sections[0].results
        #expect(results.cell("thread", at: 5000)?.obstacle("requests_per_second") == .leftOut)
        #expect(ReportTable(results, main: true)?.groups[0].rows[1].failure == "left out: it needs a thread for each connection")
        #expect(!report.warnings.contains { $0.contains("failed") })
        #expect(Sentences(results).notes("requests_per_second", at: [5000])
            == ["`thread` is left out at 5,000: it needs a thread for each connection."])
        #expect(report.facts.contains { $0.value.hasPrefix("2 runs of 1 experiments") })
    }

    /// 2 % were not answered by the end, which p90 is not touched by.
    @Test func percentilesOfSomeAreLowerBounds() throws {
        let metrics = ["requests": 980.0, "errors_unanswered": 15, "errors_timeout": 5, "p90_us": 10, "p99_us": 20, "p999_us": 30]
        let results = try #require(Sample.results((1...2).map { Sample.line("e", "reactor", 64, metrics, more: ["round": $0]) }))
        let cell = results.cells[0]
        #expect(cell.obstacle("p90_us") == nil && cell.obstacle("p99_us") == .bound && cell.obstacle("p999_us") == .bound)
        #expect(cell.obstacle("server_cpu_us_per_request") == nil)
        let row = try #require(ReportTable(results, main: true)?.groups[0].rows[0])
        #expect(row.cells.prefix(3).map(\.value) == ["10 µs", "> 20 µs", "> 30 µs"])
        #expect(Sentences(results).notes("p99_us", at: [64])
            == ["> `reactor` left 2.0 % unanswered at 64: its p99 is a lower bound, drawn hollow and not ranked."])
        let figure = try #require(Figures(results, styles: [:]).all.first { $0.id == "e-p99-us" })
        #expect(figure.series[0].points[0].hollow && figure.series[0].points[0].text == "> 20 µs")
    }

    @Test func aTenthOfAPercentIsEnoughForTheLastPercentile() throws {
        let metrics = ["requests": 9980.0, "errors_unanswered": 20]
        let cell = try #require(Sample.results([Sample.line("e", "reactor", 64, metrics)])).cells[0]
        #expect(!cell.isBound("p99_us") && cell.isBound("p999_us"))
    }

    @Test func atARateThatAllBearLatencyComesFirst() throws {
        func titles(_ more: [String: Double]) -> [String] {
            let lines = [0, 5000].flatMap { swept in
                (1...2).map { Sample.line("idle-herd", "reactor", swept, ["requests_per_second": 20_000, "p99_us": 300].merging(more) { $1 },
                    more: ["peer": "idle connection", "round": $0]) }
            }
            return Sample.report(lines).figures.map(\.title)
        }
        #expect(titles([:]).first == "Throughput against idle connections")
        #expect(titles(["offered_per_second": 20_000]).first == "Latency (p99) against idle connections")
    }

    @Test func memoryIsTheOneThatSeveralRoundsMeasured() throws {
        func lines(_ subject: String, _ idle: Double, _ loaded: [Double]) -> [String] {
            loaded.enumerated().map { index, value in
                var metrics = ["pss_per_connection_bytes": value]
                if index == 0 { metrics["pss_per_idle_connection_bytes"] = idle }
                return Sample.line("e", subject, 64, metrics, more: ["round": index + 1])
            }
        }
        let report = Sample.report(lines("reactor", 512, [576, 577, 578]) + lines("fork", 160_000, [150_000, 151_000, 152_000]))
        #expect(report.figures.first?.sentence == "At 64 connections `reactor` needs the least memory: 577 B; the most: `fork`, 147.5 KiB (262 ×).")
        let row = try #require(ReportTable(report.sections[0].results, main: true)?.groups[0].rows[0])
        #expect(row.cells.first?.interval == "1 run")
        #expect(!report.warnings.contains { $0.contains("interval") })
    }

    @Test func mixturesAndCongestionControlAreWarnedOf() {
        let machine: [String: Any] = ["congestionControl": "bbr"]
        let mixed = Sample.report([
            Sample.line("http-static", "reactor", 16, ["requests_per_second": 1], more: ["machine": machine]),
            Sample.line("http-static", "reactor", 16, ["requests_per_second": 1], more: ["machine": machine, "duration": 5, "workers": 3]),
        ]).warnings
        #expect(mixed.contains("http-static has runs of 2 and 5 s: they are mixed here."))
        #expect(mixed.contains("http-static has runs with 3 and 16 workers at the same place: they are mixed here."))
        #expect(mixed.contains { $0.hasPrefix("TCP was bbr, not cubic") })
        // As many workers as connections are no mixture, and small answers know no congestion.
        let plain = Sample.report([16, 64].map { Sample.line("echo", "reactor", $0, ["p99_us": 1], more: ["machine": machine]) }).warnings
        #expect(!plain.contains { $0.contains("mixed") || $0.contains("TCP") })
    }

    @Test func aCalibrationIsNoRound() throws {
        let results = try #require(Sample.results(
            Sample.runs("e", "reactor", 64, "p99_us", [900], more: ["round": 0]) + Sample.runs("e", "reactor", 64, "p99_us", [5], more: ["round": 1])))
        #expect(results.cells[0]["p99_us"]?.median == 5 && results.cells[0].runs == 1)
    }

    @Test(arguments: [("connection", "connections"), ("request a second", "requests a second"), ("client at once", "clients at once")])
    func plurals(one: String, several: String) throws {
        let results = try #require(Sample.results([Sample.line("e", "reactor", 2, [:], more: ["peer": one])]))
        #expect(results.count(2) == "2 \(several)" && results.count(1) == "1 \(one)")
    }

    /// With ten slow peers, 64 connections that are served are no few of many.
    @Test func servedIsComparedWithConnectionsOnly() throws {
        let results = try #require(Sample.results([
            Sample.line("slow-clients", "reactor", 1000, ["connections_served": 64, "p99_us": 1], more: ["peer": "slow peer"])
        ]))
        #expect(results.cells[0].servesAll)
    }

    @Test func percentilesAreThoseOfTheShortestList() throws {
        let results = try #require(Sample.results([
            Sample.line("e", "reactor", 64, [:], more: ["latency": [[50, 10], [90, 20], [99, 40], [99.9, 80], [100, 90]]]),
            Sample.line("e", "reactor", 64, [:], more: ["latency": [[50, 12], [90, 22], [99, 42]]]),
        ]))
        #expect(results.cells[0].percentiles.map(\.percentile) == [50, 90, 99])
        #expect(results.cells[0].percentiles.map(\.latency.median) == [11, 21, 41])
    }

    @Test func secondsOfARunAreMediansOfTheRounds() throws {
        let results = try #require(Sample.results([
            Sample.line("burst", "reactor", 64, [:], more: ["timeline": [[0, 10, 1, 5, 0], [1, 20, 1, 7, 0]]]),
            Sample.line("burst", "reactor", 64, [:], more: ["timeline": [[0, 30, 1, 9, 0]]]),
        ]))
        #expect(results.cells[0].timeline.map { $0.answered?.median } == [20, 20])
        #expect(results.cells[0].estimates[Cell.worstSecond]?.median == 8)
    }

    @Test func everySubjectLooksDifferent() {
        let names = ["reactor", "thread", "floor", "nginx"] + (0..<60).map { "peer-\($0)" }
        let styles = SubjectStyle.assigned(to: names)
        #expect(styles.count == names.count)
        #expect(Set(styles.values.map { "\($0.colour) \($0.marker)" }).count == names.count)
        #expect(styles.values.allSatisfy { (1...8).contains($0.colour) })
    }

    @Test func theCommandMakesTheRunsAgain() throws {
        let results = try #require(Sample.results(
            Sample.runs("echo", "floor", 16, "p99_us", [1, 2]) + Sample.runs("echo", "reactor", 1, "p99_us", [1, 2])))
        #expect(Report.command(results)
            == "bench run echo --subjects reactor,floor --connections 1,16 --duration 2 --rounds 2 --json results.jsonl")
        #expect(Report.command(results, isFirst: false).hasSuffix("--rounds 2 --resume results.jsonl"))
    }

    @Test(arguments: [
        ("requests_per_second", "requests/s"), ("server_cpu_us_per_request", "CPU µs/req"), ("p999_us", "p99.9"), ("some_new_us", "some new"),
        ("server_cpu_system_us_per_request", "system µs"), ("frobs_per_second", "frobs/s"), ("never_seen", "never seen"),
    ])
    func metricsHaveNames(key: String, label: String) { #expect(Measure(key).label == label) }

    @Test(arguments: [
        (0.4, "0 µs"), (85, "85 µs"), (999.7, "1.00 ms"), (9996, "10.0 ms"), (24_610, "24.6 ms"), (371_330, "371 ms"), (999_600, "1.00 s"),
        (12_340_000, "12.3 s"),
    ])
    func times(value: Double, text: String) { #expect(Measure("p99_us").text(value) == text) }
}
