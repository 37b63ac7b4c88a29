import Glibc

/// When the requests of an open load are due: a rate over time, turned into moments. It neither waits nor knows what has
/// been sent; whoever asks late still gets every moment, and so sees how late it is.
struct Schedule {
    /// A stretch of time in which the rate changes evenly.
    struct Segment {
        /// In seconds since the beginning.
        let start: Double
        let length: Double
        let from: Double
        let to: Double
        var count: Double { length * (from + to) / 2 }

        /// When `count` requests have been due, since the segment's start.
        func time(of count: Double) -> Double {
            let growth = (to - from) / length
            // The stable form of the quadratic's root.
            let root = (from * from + 2 * growth * count).squareRoot()
            return root + from > 0 ? 2 * count / (from + root) : 0
        }
    }

    private let segments: [Segment]
    private let isRandom: Bool
    private var random: SplitMix
    private var index = 0
    /// Requests that the segments before this one have.
    private var before = 0.0
    /// Requests due so far, were they even; the next one is due when as many should have been.
    private var position = 0.0
    private var issued = 0.0

    /// - Parameter segments: one behind the other, from 0.
    init(_ segments: [Segment], spacing: LoadPlan.Arrivals.Spacing, seed: UInt64) {
        self.segments = segments.filter { $0.length > 0 }
        isRandom = spacing == .poisson
        random = SplitMix(state: seed)
    }

    init(_ arrivals: LoadPlan.Arrivals, ramp: Double, warmUp: Double, duration: Double) {
        let first = arrivals.from
        self.init(
            [
                Segment(start: 0, length: ramp, from: 0, to: first),
                Segment(start: ramp, length: warmUp, from: first, to: first),
                Segment(start: ramp + warmUp, length: duration, from: first, to: arrivals.to),
            ], spacing: arrivals.spacing, seed: arrivals.seed)
    }

    /// The next moment, in nanoseconds since the beginning; nil when there are no more.
    mutating func next() -> UInt64? {
        // Random arrivals of a changing rate are those of rate 1, on a clock that runs as the rate does.
        if isRandom { position += -log(1 - random.nextUnit()) } else { position = issued + 0.5 }
        issued += 1
        while index < segments.count {
            let segment = segments[index]
            let count = position - before
            if count < segment.count { return UInt64((segment.start + segment.time(of: count)) * 1e9) }
            before += segment.count
            index += 1
        }
        return nil
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): a generator that one number seeds.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// From 0 up to but without 1.
    mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
