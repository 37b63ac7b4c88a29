public import ReactorWire

/// Decodes content as it comes, within limits.
///
/// Holds some 10 KiB and up to 32 KiB of window for gzip and deflate; for br and zstd up to
/// ``ContentDecodingLimits/window`` and some 100 KiB, as the content asks. Freed when it goes.
public struct ContentDecoder: ~Copyable {
    private let stream: any DecodingStream
    private let limits: ContentDecodingLimits
    private var consumed = 0
    private var produced = 0
    private var state = State.begun

    private enum State {
        case begun, inside
        /// A member is whole. That is the end, or another follows.
        case complete
        case failed
    }

    /// - Throws: if there is no memory.
    public init(_ coding: ContentCoding, limits: ContentDecodingLimits = ContentDecodingLimits()) throws(ContentCodingFailure) {
        stream =
            switch coding {
            case .gzip: try GzipDecoding()
            case .deflate: try DeflateDecoding()
            case .br: try BrotliDecoding(window: limits.window)
            case .zstd: try ZstdDecoding(window: limits.window)
            }
        self.limits = limits
    }

    /// There may be more to write for what was consumed: ``decode(_:into:atMost:)`` stopped at its `atMost`.
    public private(set) var hasMore = false

    /// Bytes that were decoded so far.
    public var decodedCount: Int { produced }

    /// Decodes the next of the content, and appends no more than `atMost` bytes to `output`.
    ///
    /// - Returns: how many bytes were consumed: all of them unless ``hasMore``. Call again with the others then, even if
    ///   there are none.
    /// - Throws: ``ContentDecodingError``; then the rest of the content cannot be decoded, and what was appended is not
    ///   to be trusted.
    public mutating func decode(
        _ bytes: RawSpan, into output: inout ByteQueue, atMost: Int = .max
    ) throws(ContentDecodingError) -> Int {
        if state == .failed { throw .violation(.malformed) }
        do {
            return try run(bytes, &output, atMost)
        } catch {
            state = .failed
            throw error
        }
    }

    /// No bytes follow.
    ///
    /// - Throws: `truncated` if the content had not ended.
    public mutating func finish() throws(ContentDecodingError) {
        guard state == .complete else { throw .violation(state == .failed ? .malformed : .truncated) }
    }

    /// Room that is offered at a time.
    private static let piece = 16 * 1024

    private mutating func run(_ bytes: RawSpan, _ output: inout ByteQueue, _ atMost: Int) throws(ContentDecodingError) -> Int {
        var used = 0
        var room = atMost
        // What the library holds back is asked for without input.
        var wantsCall = hasMore
        hasMore = false
        while used < bytes.byteCount || wantsCall {
            if state == .complete {
                if used == bytes.byteCount { break }
                if !stream.mayRepeat { throw .violation(.trailingBytes) }
                stream.restart()
            }
            if room <= 0 {
                hasMore = true
                break
            }
            let capacity = min(Self.piece, room)
            let step = try self.step(bytes.slice(used..<bytes.byteCount), &output, capacity)
            used += step.consumed
            consumed += step.consumed
            room -= step.produced
            try count(step.produced)
            state = step.isComplete ? .complete : .inside
            // It filled its room, so that it may have more.
            wantsCall = step.produced == capacity && !step.isComplete
            if step.consumed == 0 && step.produced == 0 && !step.isComplete && used < bytes.byteCount { throw .violation(.malformed) }
        }
        return used
    }

    private func step(
        _ bytes: RawSpan, _ output: inout ByteQueue, _ capacity: Int
    ) throws(ContentDecodingError) -> CodingStep {
        var result = CodingStep(consumed: 0, produced: 0, isComplete: false)
        let stream = stream
        try output.append(capacity: capacity) { room throws(ContentDecodingError) in
            result = try bytes.withUnsafeBytes { input throws(ContentDecodingError) in try stream.step(input, room) }
            return result.produced
        }
        return result
    }

    /// Both limits are asked about after each piece, so that a bomb costs no more than 16 KiB beyond them.
    private mutating func count(_ new: Int) throws(ContentDecodingError) {
        produced += new
        if produced > limits.output { throw .violation(.outputTooLarge) }
        if produced > limits.ratioFrom && (produced - 1) / max(limits.ratio, 1) >= consumed { throw .violation(.ratioTooLarge) }
    }
}
