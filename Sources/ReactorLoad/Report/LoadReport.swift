/// What a load has measured.
public struct LoadReport: Sendable {
    public let url: String
    public let isOpenLoop: Bool
    public let connections: Int
    public let idleConnections: Int
    /// As measured: shorter than planned if it was interrupted.
    public let seconds: Double
    /// Requests that were due, for each second; nil for a closed loop.
    public let offeredRate: Double?
    /// Requests that were answered as they should be.
    public let requests: UInt64
    /// Heads and all, without what TLS adds.
    public let bytesReceived: UInt64
    public let errors: LoadErrors
    /// In microseconds, of the requests that were answered: from when they were due, in an open loop.
    public let latency: LoadLatency
    /// Percentiles, each with the latency in microseconds.
    public let percentiles: [[Double]]
    /// Jain's index over the answers of each connection.
    public let fairness: Double
    public let timeline: [LoadSecond]
    public let cpu: LoadCPU
    /// How late requests were sent although a connection was free, in microseconds; nil for a closed loop.
    public let sendLag: (p99: Double, max: Double)?
    /// Why the numbers may say more about the generator than about the server.
    public let doubts: [String]
    public let wasInterrupted: Bool

    public var isVouched: Bool { doubts.isEmpty }
    public var achievedRate: Double { seconds > 0 ? Double(requests) / seconds : 0 }

    init(_ run: LoadRun) {
        let total = run.total
        url = run.plan.target.url
        isOpenLoop = run.isOpenLoop
        connections = run.plan.connections
        idleConnections = run.plan.idle
        let seconds = Double(run.until - min(run.from, run.until)) / 1e9
        self.seconds = seconds
        offeredRate = run.isOpenLoop && seconds > 0 ? Double(run.offered) / seconds : nil
        requests = total.count
        bytesReceived = run.bytes
        errors = run.errors
        latency = LoadLatency(total)
        percentiles = total.distribution
        fairness = jainIndex(run.connections.filter { $0.role == .busy }.map(\.answers))
        timeline = run.timeline
        cpu = LoadCPU(run.cpu)
        sendLag = run.isOpenLoop ? (run.lag.percentile(99), run.lag.max) : nil
        let verdict = Verdict(
            isOpenLoop: run.isOpenLoop, share: run.cpu.share, waitedShare: run.cpu.waitedShare, latencyP99: latency.p99,
            lagP99: run.lag.percentile(99))
        doubts = run.doubts + verdict.doubts
            + (run.idleLost > 0 ? ["\(run.idleLost) of the \(run.plan.idle) idle connections were not there to the end"] : [])
        wasInterrupted = run.wasInterrupted
    }
}

/// Durations in microseconds.
public struct LoadLatency: Sendable, Equatable {
    public let min, mean, p50, p90, p99, p99_9, max: Double

    init(_ latencies: Latencies) {
        (min, mean, max) = (latencies.min, latencies.mean, latencies.max)
        (p50, p90) = (latencies.percentile(50), latencies.percentile(90))
        (p99, p99_9) = (latencies.percentile(99), latencies.percentile(99.9))
    }
}

/// A second of the measurement; the last may be shorter, and has what was answered behind the end, too.
public struct LoadSecond: Sendable, Equatable {
    public let second: Int
    public let answered: UInt64
    /// In microseconds.
    public let p50, p99: Double
    public let errors: UInt64
}

/// What the generator's thread took of the CPU while it measured.
public struct LoadCPU: Sendable, Equatable {
    public let userSeconds, systemSeconds: Double
    /// Of one core.
    public let share: Double
    /// Seconds in which it could have run and another had the CPU.
    public let waitedSeconds: Double

    init(_ time: OwnTime) {
        (userSeconds, systemSeconds) = (Double(time.user) / 1e9, Double(time.system) / 1e9)
        (share, waitedSeconds) = (time.share, Double(time.waited) / 1e9)
    }
}

/// What somebody who watches a load is told each second.
public struct LoadMoment: Sendable {
    public let isWarmingUp: Bool
    public let secondsLeft: Double
    /// Of the last second; latencies in microseconds.
    public let rate, p50, p99: Double
    public let errors: UInt64
}
