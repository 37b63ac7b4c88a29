import Synchronization

/// How long exchanges took, counted in buckets that grow with what they hold: four to each doubling, so that a quantile is
/// within a tenth of the truth. From any thread.
struct LatencyHistogram: ~Copyable {
    /// From 256 ns, in doublings up to more than an hour.
    static let buckets = 136
    private let counts = InlineArray<136, Atomic<UInt64>> { _ in Atomic(0) }

    func add(nanoseconds: UInt64) {
        counts[Self.bucket(nanoseconds)].wrappingAdd(1, ordering: .relaxed)
    }

    /// Adds what was counted so far to `totals`, which has a place for each bucket.
    func add(to totals: inout [UInt64]) {
        for index in 0..<Self.buckets { totals[index] &+= counts[index].load(ordering: .relaxed) }
    }

    static func bucket(_ nanoseconds: UInt64) -> Int {
        let units = nanoseconds >> 8
        if units < 4 { return Int(units) }
        let exponent = 63 - units.leadingZeroBitCount
        return min((exponent - 1) * 4 + Int((units >> UInt64(exponent - 2)) & 3), buckets - 1)
    }

    /// The middle of a bucket, in nanoseconds.
    static func middle(of bucket: Int) -> UInt64 {
        if bucket < 4 { return UInt64(bucket) * 256 + 128 }
        let exponent = UInt64(bucket / 4 + 1)
        let width = UInt64(1) << (exponent - 2)
        return (UInt64(4 + bucket % 4) * width * 2 + width) * 128
    }

    /// What `share` of the counted exchanges took at most, in nanoseconds; nil if none was counted.
    static func quantile(_ share: Double, of counts: [UInt64]) -> UInt64? {
        let total = counts.reduce(0, &+)
        if total == 0 { return nil }
        let rank = UInt64((Double(total) * share).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen &+= count
            if seen >= max(rank, 1) { return middle(of: bucket) }
        }
        return nil
    }
}
