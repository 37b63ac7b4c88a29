public import ReactorWire

/// Encodes content piece by piece.
///
/// What memory it holds until it goes depends on its window: see ``ContentEncoderOptions/window``.
public struct ContentEncoder: ~Copyable {
    private let stream: any EncodingStream

    /// - Parameter length: of the whole content, if it is known: a short one takes less memory.
    /// - Throws: if there is no memory.
    public init(
        _ coding: ContentCoding, options: ContentEncoderOptions = ContentEncoderOptions(), length: Int? = nil
    ) throws(ContentCodingFailure) {
        stream =
            switch coding {
            case .gzip: try ZlibEncoding(.gzip, options, length)
            case .deflate: try ZlibEncoding(.deflate, options, length)
            case .br: try BrotliEncoding(options, length)
            case .zstd: try ZstdEncoding(options, length)
            }
    }

    /// Takes `bytes`. What is ready is appended to `output`, which may be nothing yet.
    public mutating func encode(_ bytes: RawSpan, into output: inout ByteQueue) throws(ContentCodingFailure) {
        if bytes.byteCount > 0 { try run(bytes, .bytes, &output) }
    }

    /// Appends all that is needed to decode what was taken so far, at the cost of some bytes: for streams, whose reader
    /// waits for what was said last.
    public mutating func flush(into output: inout ByteQueue) throws(ContentCodingFailure) {
        try run(RawSpan(), .flush, &output)
    }

    /// Appends the end. Nothing is encoded behind it.
    public mutating func finish(into output: inout ByteQueue) throws(ContentCodingFailure) {
        try run(RawSpan(), .finish, &output)
    }

    private func run(_ bytes: RawSpan, _ request: EncodingRequest, _ output: inout ByteQueue) throws(ContentCodingFailure) {
        let stream = stream
        var used = 0
        var isDone = false
        while !isDone {
            let rest = bytes.slice(used..<bytes.byteCount)
            try output.append(capacity: min(max(rest.byteCount, 512), 16 * 1024)) { room throws(ContentCodingFailure) in
                let step = try rest.withUnsafeBytes { input throws(ContentCodingFailure) in try stream.step(input, room, request) }
                used += step.consumed
                isDone = step.isComplete
                return step.produced
            }
        }
    }
}
