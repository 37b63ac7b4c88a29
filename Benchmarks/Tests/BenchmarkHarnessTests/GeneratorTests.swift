import Foundation
import Testing

@testable import BenchmarkHarness

/// Whose numbers they are: the server's, or the generator's.
@Suite struct GeneratorTests {
    private func ours(_ rate: Double, doubts: [String] = []) throws -> ReactorLoadReport {
        let words = doubts.map { "\"\($0)\"" }.joined(separator: ",")
        return try ReactorLoadReport(
            """
            {"duration_seconds":1,"offered_rate":null,"achieved_rate":\(rate),"requests":\(rate),"errors":{},"latency_us":{},
            "load_cpu":{"share":0.5},"vouched":\(doubts.isEmpty),"doubts":[\(words)]}
            """)
    }

    private func wrk(_ rate: Double, share: Double = 0.5) throws -> WrkReport {
        var report = try WrkReport(
            """
              Thread Stats   Avg      Stdev     Max   +/- Stdev
                Latency   243.39us  156.29us   5.30ms   93.94%
                 50%  244.00us
                 90%  300.00us
                 99%    1.69ms
              1000 requests in 2.00s, 29.31MB read
            Requests/sec: \(rate)
            """)
        report.share = share
        return report
    }

    private func run(_ ours: [ReactorLoadReport], _ theirs: [WrkReport]) -> Run {
        var run = Run(sample: [:], command: [])
        run.take(ours, theirs)
        return run
    }

    @Test func generatorsThatAgreeAreBelieved() throws {
        let agreed = run([try ours(100), try ours(104, doubts: ["busy"]), try ours(90)], [try wrk(101, share: 0.99), try wrk(99), try wrk(98)])
        #expect(agreed.isVouched && agreed.doubts.count == 2)
        #expect(agreed.sample[.requestsPerSecond] == 100 && agreed.sample[.wrkRequestsPerSecond] == 99)
        #expect(agreed.sample[.loadShare] == 0.5 && agreed.sample[.wrkShare] == 0.5)
        #expect(!run([try ours(100, doubts: ["busy"])], [try wrk(120)]).isVouched)
        // Without a doubt it is the difference that is to be seen.
        #expect(run([try ours(100)], [try wrk(120)]).isVouched)
        #expect(!run([try ours(100)], [try wrk(0, share: 1)]).isVouched)
    }

    @Test func theVerdictIsShown() {
        func verdict(_ ours: Double, _ theirs: Double) -> String? {
            var series = Series(subject: "reactor", connections: 64)
            series.add([.requestsPerSecond: ours, .wrkRequestsPerSecond: theirs])
            return Column.verdict(.requestsPerSecond, toOwn: .wrkRequestsPerSecond, within: 0.95...1.05, "").cell(series, [])
        }
        #expect(verdict(96, 100) == "yes" && verdict(94, 100) == "NO" && verdict(106, 100) == "NO" && verdict(1, 0) == nil)
    }

    @Test func doubtsOfPartsAreOfTheWhole() {
        var (whole, part) = (Run(sample: [:], command: []), Run(sample: [:], command: []))
        (part.isVouched, part.doubts) = (false, ["busy"])
        whole.doubt(part)
        whole.doubt(part)
        #expect(!whole.isVouched && whole.doubts == ["busy"])
    }

    @Test(arguments: [
        ("h2o version 2.2.5\nOpenSSL: OpenSSL 3.5", "2.2.5"), ("Server version: Apache/2.4.66 (Debian)\nServer built: 2025", "2.4.66"),
        ("strace -- version 6.13\nCopyright", "6.13"), ("no number", nil), ("", nil),
    ])
    func versions(text: String, version: String?) { #expect(Machine.version(text) == version) }

    @Test func versionsOfPackages() {
        let manifest = #"    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),"#
        #expect(Machine.exactVersion(of: "swift-nio", in: manifest) == "2.101.2")
        #expect(Machine.exactVersion(of: "nio", in: manifest) == nil && Machine.exactVersion(of: "swift-nio", in: "") == nil)
    }

    /// Everybody may read it, whatever the umask; what somebody else may change is not served.
    @Test func materialIsForEverybodyButTheKey() throws {
        let scratch = try Scratch()
        let material = Material(directory: scratch.file("material"))
        try material.make()
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(scratch.file("material")) == 0o755 && mode(material.root) == 0o755)
        #expect(try mode(material.root + "/plaintext") == 0o644 && mode(material.key) == 0o600)
        chmod(scratch.file("material"), 0o777)
        #expect { try material.make() } throws: { "\($0)".contains("remove it") }
        let link = Material(directory: scratch.file("link"))
        symlink(scratch.file("material"), scratch.file("link"))
        #expect { try link.make() } throws: { "\($0)".contains("remove it") }
    }
}
