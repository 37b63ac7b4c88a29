import CBenchSystem
import Glibc

/// One run of one subject that is offered half of what it can do, twice of it for some seconds, and half again.
package struct OverloadRun {
    private let capacity: Double
    private let connections: Int
    private let seconds: Int
    private let workers: Int

    /// - Parameters:
    ///   - capacity: requests a second.
    ///   - connections: of the load that is there all the time; the overload has as many.
    ///   - seconds: of overload.
    package init(capacity: Double, connections: Int, seconds: Int, workers: Int) {
        self.capacity = capacity
        self.connections = connections
        self.seconds = seconds
        self.workers = workers
    }

    /// Seconds that are watched before; behind, it is this and as long as the overload lasts.
    private static let before = 3

    /// Of the whole run.
    package static func seconds(overload: Int) -> Int { 2 * before + 2 * overload }

    package func run(_ subject: Subject, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, .http, workers: workers, in: environment)
        var run = Run(sample: [:], command: server.command)
        let (start, requests) = try server.measure { server in
            (try server.tree.liveSwitches(), try measure(server, &run, in: environment))
        }
        run.sample.shareOut(try server.stop(), since: start, requests: requests)
        return run
    }

    private func measure(
        _ server: borrowing ServerProcess, _ run: inout Run, in environment: Environment
    ) throws -> Double {
        let usual = ReactorLoad(connections: connections, seconds: Self.seconds(overload: seconds), rate: capacity / 2)
        let more = ReactorLoad(connections: connections, seconds: seconds, rate: capacity * 1.5)
        let (before, own, launched) = (try server.tree.cpuNanoseconds(), bench_own_cpu_ns(), ContinuousClock.now)

        var all = try ChildProcess(usual.command(server.url, environment.executables), cpu: environment.loadCPU)
        while server.sockets().open == 0 {
            let hasEnded = try all.wait(milliseconds: 0) != nil
            guard launched + .seconds(10) > .now, !hasEnded else { throw all.failure("reactor load did not connect") }
            usleep(2000)
        }
        let connected = ContinuousClock.now
        usleep(UInt32(Self.before) * 1_000_000)
        let began = (ContinuousClock.now - connected) / .seconds(1)
        let overload = try more.run(server.url, in: environment)
        let report = try ReactorLoad.report(of: &all, within: usual.seconds + 20)

        let ownUse = bench_own_cpu_ns() - own, took = (ContinuousClock.now - launched) / .nanoseconds(1)
        try server.awaitRest()
        let requests = report.requests + overload.requests
        guard requests > 0 else { throw Failure("no request was answered") }
        run.take(report)
        run.sample[.cpuPerRequest] = Sample.cpu(from: before, to: try server.tree.cpuNanoseconds(), requests: requests)
        run.sample.merge(Self.underLoad(report, overload, began: began, seconds: Double(seconds))) { $1 }
        run.sample[.offeredPerSecond] = capacity * 2
        run.sample[.harnessShare] = Double(ownUse) / took
        run.isVouched = report.vouched && overload.vouched
        run.doubts = report.doubts + overload.doubts.map { "the overload: \($0)" }
        return requests
    }

    /// What came of the overload: answers of both loads, the latency of the one that is there all the time, and what failed.
    static func underLoad(
        _ usual: ReactorLoadReport, _ overload: ReactorLoadReport, began: Double, seconds: Double
    ) -> Sample {
        let timeline = usual.timeline ?? []
        let during = timeline.filter { row in
            guard let second = row.first ?? nil else { return false }
            return second >= began.rounded(.up) && second + 1 <= began + seconds
        }
        let answered = during.compactMap { $0.count > 1 ? $0[1] : nil }
        var sample: Sample = [.requests: usual.requests + overload.requests]
        sample[.requestsPerSecond] = Statistics.median(answered).map { $0 + overload.achieved }
        for (metric, column) in [(Metric.p50, 2), (.p99, 3)] {
            sample[metric] = Statistics.median(during.compactMap { $0.count > column ? $0[column] : nil })
        }
        sample[.recoverySeconds] = Recovery.seconds(timeline, began: began, ended: began + seconds)
        for metric in Metric.errors { sample[metric] = (usual.sample[metric] ?? 0) + (overload.sample[metric] ?? 0) }
        return sample
    }
}
