import Testing

@testable import BenchmarkHarness

@Suite struct WrkReportTests {
    static let plain = """
        Running 2s test @ http://127.0.0.1:18099/plaintext
          1 threads and 64 connections
          Thread Stats   Avg      Stdev     Max   +/- Stdev
            Latency   277.69us  143.02us   4.27ms   89.30%
            Req/Sec   134.25k    13.87k  156.14k    65.00%
          Latency Distribution
             50%  244.00us
             75%  306.00us
             90%  417.00us
             99%    1.69ms
          267255 requests in 2.00s, 29.31MB read
        Requests/sec: 133402.98
        Transfer/sec:     14.63MB

        """

    static let troubled = """
        Running 2s test @ http://127.0.0.1:18099/plaintext
          Latency Distribution
             50%    1.02s 
             75%    1.10s 
             90%    1.90s 
             99%    1.99s 
          120 requests in 1.00m, 29.31KB read
          Socket errors: connect 1, read 20, write 300, timeout 45
          Non-2xx or 3xx responses: 7
        Requests/sec:      2.00
        Transfer/sec:      0.49KB
        """

    @Test func aPlainReport() throws {
        var report = try WrkReport(Self.plain)
        // wrk knows nothing of itself; what was measured may have been it.
        report.share = 0.94
        #expect(report.doubts == [])
        report.share = 0.97
        #expect(report.doubts == ["the generator, wrk, used 97 % of a core: it was the bottleneck, or nearly so"])
        report.share = 0
        #expect(report.requests == 267_255)
        #expect(report.seconds == 2)
        #expect(report.requestsPerSecond == 133402.98)
        #expect(report.p50 == 244)
        #expect(report.p99 == 1690)
        #expect(report.socketErrors == 0)
        #expect(report.timeouts == 0)
        #expect(report.badStatuses == 0)
    }

    @Test func errorsAreFound() throws {
        let report = try WrkReport(Self.troubled)
        #expect(report.requests == 120)
        #expect(report.seconds == 60)
        #expect(report.p50 == 1_020_000)
        #expect(report.socketErrors == 321)
        #expect(report.timeouts == 45)
        #expect(report.badStatuses == 7)
    }

    /// A report cut off anywhere before its rate is no report.
    @Test func aTruncatedReportIsRefused() {
        let lines = Self.plain.split(separator: "\n")
        let rate = lines.firstIndex { $0.hasPrefix("Requests/sec") } ?? 0
        #expect(rate > 0)
        for count in 0...rate {
            #expect(throws: Failure.self) { try WrkReport(lines[..<count].joined(separator: "\n")) }
        }
    }

    @Test func theErrorSaysWhatWrkPrinted() {
        #expect {
            try WrkReport("Running\nunable to connect to 127.0.0.1:1 Connection refused\n")
        } throws: { error in
            "\(error)".hasSuffix("unable to connect to 127.0.0.1:1 Connection refused")
        }
    }

    @Test(arguments: [
        ("1.00us", 1.0), ("12.50ms", 12500), ("2.00s", 2e6), ("1.50m", 90e6), ("1.00h", 3600e6),
        ("0.00us", 0),
    ])
    func units(text: String, microseconds: Double) {
        #expect(WrkReport.microseconds(text[...]) == microseconds)
    }

    @Test(arguments: ["", "us", "1.2.3ms", "12", "-nan%"])
    func notATime(text: String) {
        #expect(WrkReport.microseconds(text[...]) == nil)
    }
}
