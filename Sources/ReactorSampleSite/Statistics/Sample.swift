import ConnectionHandling
import Glibc

/// One second of the site. What was not measured, or had nothing to measure, is nil.
struct Sample: Encodable, Sendable {
    /// Seconds since 1970.
    var time: Int64 = 0
    /// Since the start of the server, in seconds.
    var uptime: Int = 0
    /// Per second.
    var requests: Double = 0
    /// The median time that an exchange took, and what 99 of 100 took at most, in milliseconds.
    var median: Double?
    var slow: Double?
    /// Open at the end of the second.
    var connections = 0
    /// The latest that a timer was, in milliseconds.
    var lag: Double?
    /// Bytes of bodies, per second.
    var sent: Double = 0
    var total = Total()

    struct Total: Encodable, Sendable {
        var requests: UInt64 = 0
        var connections: UInt64 = 0
        var sent: UInt64 = 0
    }

    private enum CodingKeys: CodingKey { case time, uptime, requests, median, slow, connections, lag, sent, total }

    /// Writes nil as null: a client sees that there is such a thing.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(time, forKey: .time)
        try values.encode(uptime, forKey: .uptime)
        try values.encode(requests, forKey: .requests)
        try values.encode(median, forKey: .median)
        try values.encode(slow, forKey: .slow)
        try values.encode(connections, forKey: .connections)
        try values.encode(lag, forKey: .lag)
        try values.encode(sent, forKey: .sent)
        try values.encode(total, forKey: .total)
    }
}

/// Makes samples of totals.
struct Sampling {
    /// Two minutes: what the page shows.
    static let kept = 120
    private(set) var samples: [Sample] = []
    private let started: MonotonicTime
    private var last: MonotonicTime
    private var before = Totals()

    init(_ now: MonotonicTime) {
        started = now
        last = now
    }

    /// A little less than a second, so that a timer that comes early now and then skips none.
    func isDue(at now: MonotonicTime) -> Bool { last.nanoseconds(until: now) >= 900_000_000 }

    mutating func take(_ totals: Totals, lag: UInt64?, at now: MonotonicTime) {
        let seconds = Double(last.nanoseconds(until: now)) / 1e9
        let latency = zip(totals.latency, before.latency).map { $0 &- $1 }
        var sample = Sample()
        sample.time = Int64(Glibc.time(nil))
        sample.uptime = Int(started.nanoseconds(until: now) / 1_000_000_000)
        sample.requests = rounded(Double(latency.reduce(0, &+)) / seconds, 10)
        sample.median = LatencyHistogram.quantile(0.5, of: latency).map(milliseconds)
        sample.slow = LatencyHistogram.quantile(0.99, of: latency).map(milliseconds)
        sample.connections = totals.connections
        sample.lag = lag.map(milliseconds)
        sample.sent = rounded(Double(totals.sent &- before.sent) / seconds, 1)
        sample.total = Sample.Total(requests: totals.requests, connections: totals.opened, sent: totals.sent)
        if samples.count == Self.kept { samples.removeFirst() }
        samples.append(sample)
        before = totals
        last = now
    }
}

private func milliseconds(_ nanoseconds: UInt64) -> Double { rounded(Double(nanoseconds) / 1e6, 1000) }

private func rounded(_ value: Double, _ parts: Double) -> Double { (value * parts).rounded() / parts }
