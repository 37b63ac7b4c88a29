import HTTPTypes
import ReactorWire

/// A request's body while it arrives: what frames it, and what becomes of it. By reference, so that a connection without
/// one holds no room for it.
final class IncomingBody {
    enum Use {
        /// Kept behind its head until it is whole.
        case collected
        /// Lent to the application as it comes.
        case streamed
        /// Passed over: its request has been answered.
        case discarded
    }

    private(set) var use: Use
    private let isChunked: Bool
    private var limit: Int
    /// Of a body whose length was given.
    private(set) var remaining: Int
    private var decoder = ChunkedDecoder()
    /// The head, and what has come of the body.
    var collected = ByteQueue()
    private var discarded = 0
    /// The client waits to be told before it sends the body (RFC 9110 section 10.1.1).
    var isExpected: Bool

    /// - Parameter length: nil for the chunked coding.
    init(use: Use, length: Int?, limit: Int, isExpected: Bool) {
        self.use = use
        self.isExpected = isExpected
        isChunked = length == nil
        remaining = length ?? 0
        self.limit = limit
    }

    var isComplete: Bool { isChunked ? decoder.isFinished : remaining == 0 }

    /// The next run of the body in `bytes`, behind `used`, which is moved behind it; nil when there is none.
    func next(in bytes: RawSpan, from used: inout Int, limits: ResolvedHTTPLimits) throws(HTTPViolation) -> Range<Int>? {
        if used < bytes.byteCount { isExpected = false }
        if isChunked { return try decoder.next(in: bytes, from: &used, limit: limit, limits: limits) }
        let count = min(remaining, bytes.byteCount - used)
        if count == 0 { return nil }
        remaining -= count
        used += count
        return used - count..<used
    }

    var hasTrailers: Bool { decoder.hasTrailers }

    /// The trailer section's fields (RFC 9112 section 7.1.2).
    func takeTrailers() -> HTTPFields { decoder.takeTrailers() }

    /// From here on nothing is done with the body.
    ///
    /// - Returns: whether it can end within the limit on such.
    func discard(limit: Int) -> Bool {
        use = .discarded
        collected.removeAll()
        return remaining <= limit
    }

    /// Counts what was passed over; false past the limit.
    func passOver(_ count: Int, limit: Int) -> Bool {
        discarded += count
        return discarded <= limit
    }
}
