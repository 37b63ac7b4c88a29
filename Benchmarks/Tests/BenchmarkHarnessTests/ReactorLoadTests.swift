import Foundation
import Testing

@testable import BenchmarkHarness

private let reported = """
    {"url":"http://127.0.0.1:1/plaintext","mode":"closed","connections":4,"duration_seconds":1.5,"offered_rate":null,
    "achieved_rate":1000,"requests":1500,"bytes_received":99,
    "errors":{"connect":1,"closed":2,"timeout":3,"status":4,"protocol":5,"unanswered":6},
    "latency_us":{"min":10,"mean":50,"p50":40,"p90":80,"p99":120,"p99_9":300,"max":900},
    "percentiles":[[50,40],[99,120]],"fairness":0.98,"timeline":[[0,1500,40,120,0]],
    "load_cpu":{"user_seconds":0.1,"system_seconds":0.2,"share":0.3},"send_lag_us":{"p99":1,"max":2},"vouched":true,"doubts":[]}
    """

@Suite struct ReactorLoadReportTests {
    @Test func aReport() throws {
        let report = try ReactorLoadReport("a hint on standard error\n" + reported + "\n")
        let sample = report.sample
        #expect(report.requests == 1500 && report.vouched && report.percentiles == [[50, 40], [99, 120]])
        #expect(sample[.requestsPerSecond] == 1000 && sample[.offeredPerSecond] == nil && sample[.fairness] == 0.98)
        #expect(sample[.p50] == 40 && sample[.p90] == 80 && sample[.p99] == 120 && sample[.p999] == 300 && sample[.worst] == 900)
        #expect(Metric.errors.map { sample[$0] } == [1, 2, 3, 4, 5, 6])
    }

    @Test func withoutAnswersThereIsNoLatency() throws {
        let text = reported.replacing("\"requests\":1500", with: "\"requests\":0").replacing("\"p50\":40", with: "\"p50\":null")
        #expect(try ReactorLoadReport(text).sample[.p99] == nil)
    }

    @Test(arguments: ["", "nothing", "{\"requests\":1}", "{", "}"])
    func noReport(text: String) {
        #expect(throws: Failure.self) { try ReactorLoadReport(text) }
    }
}

/// A command that is the floor when it is to serve, and when it is to load makes requests with `load` and reports as
/// `reactor load` does.
struct FakeReactor: ~Copyable {
    let scratch: Scratch
    var path: String { scratch.file("reactor") }
    var environment: Environment {
        let there = Environment.ofThisPackage.executables
        return Environment(executables: Executables(reactor: path, floor: there.floor, load: there.load, material: there.material))
    }

    /// - Parameters:
    ///   - vouches: what is reported; it ends with status 3 otherwise.
    ///   - loading: shell commands instead of the requests.
    init(vouches: Bool = true, loading: String? = nil) throws {
        let scratch = try Scratch()
        let there = Environment.ofThisPackage.executables
        let report = reported.split(separator: "\n").joined().replacing("\"requests\":1500", with: "\"requests\":$count")
            .replacing("\"vouched\":true,\"doubts\":[]", with: vouches ? "\"vouched\":true,\"doubts\":[]" : "\"vouched\":false,\"doubts\":[\"busy\"]")
        let requests = """
            port=${2##*:}; port=${port%%/*}
            count=$(\(there.load) short-connections $port 4 300) || exit 1
            count=${count#count=}; count=${count%% *}
            """
        let script = """
            #!/bin/sh
            [ "$1" = load ] || exec \(there.floor) http
            \(loading ?? requests)
            cat <<END
            \(report)
            END
            exit \(vouches ? 0 : 3)
            """
        // Written by another process: a child that some other test forks meanwhile would hold it open, and it could not be run.
        let write = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\""
        _ = ChildProcess.output(of: ["sh", "-c", write, "sh", script, scratch.file("reactor")])
        self.scratch = scratch
    }
}

@Suite struct ReactorLoadRunTests {
    private func run(
        _ fake: borrowing FakeReactor, _ change: (inout ReactorLoadRun) -> Void = { _ in }
    ) throws -> Run {
        var run = ReactorLoadRun(ReactorLoad(connections: 4, seconds: 1), workers: 4)
        change(&run)
        return try run.run(.reactor, in: fake.environment)
    }

    @Test func whatServerAndClientsDidIsMeasured() throws {
        let run = try run(FakeReactor()) { $0.measuresApart = SystemCalls.isInstalled }
        let sample = run.sample
        #expect(run.isVouched && run.latency == [[50, 40], [99, 120]] && run.timeline?.count == 1)
        #expect(sample[.p99] == 120 && sample[.fairness] == 0.98)
        let cost = try #require(sample[.cpuPerRequest])
        #expect(cost > 0)
        if let user = sample[.userPerRequest], let system = sample[.systemPerRequest] {
            #expect(abs(user + system - cost) < 0.001)
        }
        #expect(try #require(sample[.voluntarySwitches]) >= 0)
        #expect(try #require(sample[.memoryAtRest]) > 0)
        #expect(sample[.memoryPerIdleConnection] != nil)
        #expect(try #require(sample[.harnessShare]) < 1)
        // Accept, read, write, close, and the turns of the loop: for each request on a connection of its own.
        if SystemCalls.isInstalled { #expect((3...20).contains(try #require(sample[.systemCallsPerRequest]))) }
    }

    @Test func whatIsNotVouchedForIsMarked() throws {
        let run = try run(FakeReactor(vouches: false))
        #expect(!run.isVouched && run.doubts == ["busy"])
    }

    @Test func beside() throws {
        let run = try run(FakeReactor()) { ($0.idle, $0.slow) = (50, 10) }
        #expect(try #require(run.sample[.memoryPerIdleConnection]) > 0)
        #expect(run.sample[.requestsPerSecond] == 1000)
    }

    @Test func aLoadThatFailsIsTold() throws {
        #expect { _ = try run(FakeReactor(loading: "echo no such host >&2; exit 1")) } throws: { error in
            "\(error)".contains("no such host") && (error as? Failure)?.log != nil
        }
        #expect(throws: Failure.self) { _ = try run(FakeReactor(loading: "count=0")) }
    }

    @Test func overload() throws {
        let fake = try FakeReactor(loading: "sleep 1; count=100; curl=1")
        let report = try ReactorLoadReport(reported)
        let sample = OverloadRun.underLoad(report, report, began: 0, seconds: 1)
        #expect(sample[.requestsPerSecond] == 2500 && sample[.p99] == 120 && sample[.connectErrors] == 2)
        // It never connects, which is told, and nothing waits for ever.
        #expect { _ = try OverloadRun(capacity: 100, connections: 4, seconds: 1, workers: 4).run(.reactor, in: fake.environment) } throws: {
            "\($0)".contains("did not connect")
        }
    }

    @Test func burst() throws {
        let run = try BurstRun(clients: 100, bursts: 2, workers: 4).run(.floor, in: .ofThisPackage)
        #expect(run.sample[.requests] == 200 && run.sample[.closedErrors] == 0)
        let latencies = [Metric.p50, .p90, .p99, .p999, .worst].compactMap { run.sample[$0] }
        #expect(latencies.count == 5 && latencies == latencies.sorted() && latencies[0] > 0)
        #expect(try #require(run.sample[.burstSeconds]) * 1e6 >= latencies[4] / 2)
        #expect(run.latency?.count == 5)
    }

    /// A byte at a time, both ways, and nobody is cut off by a server that sets no deadlines.
    @Test(arguments: [0, 1])
    func slowClients(readers: Int) throws {
        let server = try ServerProcess.start(.floor, .http, workers: 1, in: .ofThisPackage)
        let report = try Load("slow", port: server.port, [10, 1500, readers], in: .ofThisPackage).run(within: 20)
        #expect(report.failures == 0)
        // A byte each tenth of a second for each, at most.
        #expect(report.count >= 10 && report.count <= 10 * 16)
        try server.awaitRest()
        try server.stop()
    }
}
