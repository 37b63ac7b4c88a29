import Synchronization

/// Whose bucket it is. Text is kept as a digest: a peer chooses how long it is, and what hashing a string costs.
package enum ClientKey: Hashable, Sendable {
    case ipv4(UInt32)
    /// The upper 64 bits.
    case ipv6(UInt64)
    case local
    case text([UInt8])

    package init(_ peer: SocketAddress) {
        switch peer.unmapped {
        case .ipv4(let address, _): self = .ipv4(address)
        case .ipv6(let high, _, _, _): self = .ipv6(high)
        case .unix: self = .local
        }
    }
}

/// A token bucket as one moment: that at which it would be full again (the generic cell rate algorithm, ITU-T I.371).
package struct TokenBucket: Sendable {
    package struct Decision: Equatable {
        package var isAllowed: Bool
        /// Requests that may follow at once.
        package var remaining: UInt64
        /// Nanoseconds until the bucket is full.
        package var untilFull: UInt64
        /// Nanoseconds until a request is allowed; nil if this one was.
        package var wait: UInt64?
    }

    /// Nanoseconds for each request.
    private let interval: UInt64
    /// Nanoseconds that a whole bucket is worth.
    private let whole: UInt64

    package init(limit: Int, window: Duration, burst: Int) {
        let nanoseconds = window.wholeNanoseconds
        precondition(limit > 0 && nanoseconds > 0 && burst > 0, "a rate limit allows at least one request in some time")
        // Two of them can be added.
        let most = UInt64.max / 4
        interval = min(max(nanoseconds / UInt64(limit), 1), most)
        let (whole, overflow) = interval.multipliedReportingOverflow(by: UInt64(burst))
        self.whole = overflow ? most : min(whole, most)
    }

    /// - Parameter full: when the bucket is full; moved on if the request is allowed.
    package func take(_ full: inout MonotonicTime, at now: MonotonicTime) -> Decision {
        // At most `whole`, whatever a clock of another thread says.
        let owed = min(now.nanoseconds(until: full), whole)
        let after = owed + interval
        if after > whole {
            return Decision(isAllowed: false, remaining: 0, untilFull: owed, wait: after - whole)
        }
        full = now.advanced(byNanoseconds: after)
        return Decision(isAllowed: true, remaining: (whole - after) / interval, untilFull: after)
    }
}

/// The buckets of all clients, in shards, so that loops seldom wait for each other.
package final class BucketTable: Sendable {
    private final class Shard: Sendable {
        let buckets: Mutex<RecencyTable<ClientKey, MonotonicTime>>
        init(capacity: Int) { buckets = Mutex(RecencyTable(capacity: capacity)) }
    }

    private static let shardCount = 16
    private let shards: [Shard]

    package init(capacity: Int) {
        let each = max(capacity / Self.shardCount, 1)
        shards = (0..<Self.shardCount).map { _ in Shard(capacity: each) }
    }

    package var count: Int { shards.reduce(0) { $0 + $1.buckets.withLock { $0.count } } }

    package func take(from bucket: TokenBucket, for client: ClientKey, at now: MonotonicTime) -> TokenBucket.Decision {
        let shard = shards[Int(UInt(bitPattern: client.hashValue) % UInt(Self.shardCount))]
        return shard.buckets.withLock { buckets in
            var full = buckets.peek(client) ?? now
            let decision = bucket.take(&full, at: now)
            buckets.set(client, full)
            // A bucket that is full again is as good as none: for each that comes two may go.
            for _ in 0..<2 {
                guard let oldest = buckets.oldest, oldest.value <= now else { break }
                buckets.remove(oldest.key)
            }
            return decision
        }
    }
}
