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
        #expect(fork.runs == 0 && fork.failures == ["it died | of <this>"] && !fork.isComparable)
        #expect(Report.remarks(results) == ["`fork`, 64 connections: failed: it died | of <this>"])
    }

    @Test func unvouchedRunsCountOnlyWhereThereAreNoOthers() throws {
        let doubt: [String: Any] = ["vouched": false, "doubts": ["the load was at its limit"]]
        let results = try #require(Sample.results(
            Sample.runs("architectures", "reactor", 64, "requests_per_second", [100, 102])
                + Sample.runs("architectures", "reactor", 64, "requests_per_second", [900], more: doubt)
                + Sample.runs("architectures", "floor", 64, "requests_per_second", [500, 510], more: doubt)))
        let reactor = try #require(results.cell("reactor", at: 64)), floor = try #require(results.cell("floor", at: 64))
        #expect(reactor["requests_per_second"]?.median == 101 && reactor.isComparable && reactor.marks == "†")
        #expect(floor["requests_per_second"]?.median == 505 && !floor.isComparable)
        #expect(Report.remarks(results).contains("† `floor`, 64 connections: 2 not vouched for: the load was at its limit"))
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
