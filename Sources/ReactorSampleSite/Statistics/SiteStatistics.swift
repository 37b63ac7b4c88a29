import ConnectionHandling
import Glibc
import Synchronization

/// What the site's connections count together, sampled each second.
///
/// Of this process: where connections are served by forked processes, each process has its own. From any thread.
public final class SiteStatistics: Sendable {
    /// Counters of a few threads. A line of memory that two cores write goes to and fro between them; connections take
    /// the shard of their thread, so that loops do not meet.
    final class Shard: Sendable {
        let latency = LatencyHistogram()
        let bytes = Atomic<UInt64>(0)
        let opened = Atomic<UInt64>(0)
        let closed = Atomic<UInt64>(0)
        /// Behind the counters in use, so that no other object's are on their line.
        private let padding = InlineArray<8, UInt64>(repeating: 0)

        func exchangeEnded(nanoseconds: UInt64, bytes count: Int) {
            latency.add(nanoseconds: nanoseconds)
            bytes.wrappingAdd(UInt64(clamping: count), ordering: .relaxed)
        }
    }

    private let shards: [Shard]
    /// The latest that a loop's timer was since the last sample, in nanoseconds; 0 before one was heard of.
    private let lateness = Atomic<UInt64>(0)
    private let measuresLag = Atomic<Bool>(false)
    private let sampling: Mutex<Sampling>
    let started: MonotonicTime

    public init() {
        // As many as four bits name.
        shards = (0..<16).map { _ in Shard() }
        started = Self.now()
        sampling = Mutex(Sampling(started))
    }

    /// Where the calling thread counts. Two threads may get the same: they then share lines, and count right all the same.
    func shard() -> Shard {
        let thread = UInt64(pthread_self())
        // The low bits are the same for all, as are the stacks' sizes: multiplying spreads what differs over the high bits.
        return shards[Int((thread &* 0x9E37_79B9_7F4A_7C15) >> 60)]
    }

    static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    // MARK: The loop's lag

    /// A loop runs a timer, and tells how late it was each time. Without it, the lag is not measured.
    public func loopWasLate(nanoseconds: UInt64) {
        measuresLag.store(true, ordering: .relaxed)
        lateness.max(nanoseconds, ordering: .relaxed)
    }

    // MARK: Samples

    /// Takes a sample, if a second has passed since the last one.
    ///
    /// - Returns: whether it did.
    @discardableResult public func sample() -> Bool { sample(at: Self.now()) }

    func sample(at now: MonotonicTime) -> Bool {
        sampling.withLock { sampling in
            guard sampling.isDue(at: now) else { return false }
            let lag = measuresLag.load(ordering: .relaxed) ? lateness.exchange(0, ordering: .relaxed) : nil
            sampling.take(totals(), lag: lag, at: now)
            return true
        }
    }

    /// Up to two minutes of samples, the oldest first.
    var samples: [Sample] { sampling.withLock { $0.samples } }

    func totals() -> Totals {
        var totals = Totals()
        for shard in shards {
            // What was closed is read first: it must not come out as more than was opened.
            let closed = shard.closed.load(ordering: .acquiring)
            shard.latency.add(to: &totals.latency)
            totals.sent &+= shard.bytes.load(ordering: .relaxed)
            let opened = shard.opened.load(ordering: .acquiring)
            totals.opened &+= opened
            totals.connections &+= Int(clamping: opened &- min(opened, closed))
        }
        return totals
    }
}

/// Counted since the start.
struct Totals {
    /// Exchanges by how long they took.
    var latency = [UInt64](repeating: 0, count: LatencyHistogram.buckets)
    var sent: UInt64 = 0
    var opened: UInt64 = 0
    /// Open now.
    var connections = 0

    var requests: UInt64 { latency.reduce(0, &+) }
}
