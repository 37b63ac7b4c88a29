/// What one call to a coding's library did.
struct CodingStep {
    /// Bytes of input that it took.
    var consumed: Int
    /// Bytes of output that it wrote.
    var produced: Int
    /// Decoding: a member (gzip), a frame (zstd) or the whole (the others) has ended. Encoding: what was asked for is done.
    var isComplete: Bool
}

/// The state of a library while it decodes. One class a coding: the state lies in memory of its own anyhow.
protocol DecodingStream: AnyObject {
    /// Another member may follow one that has ended.
    var mayRepeat: Bool { get }

    /// Takes from `input` and writes to `room`, which is not empty, until one of them is used up or a member ends.
    func step(_ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer) throws(ContentDecodingError) -> CodingStep

    /// A member has ended, and another begins.
    func restart()
}

/// What an encoder is asked to do beside taking bytes.
enum EncodingRequest {
    case bytes, flush, finish
}

/// The state of a library while it encodes.
protocol EncodingStream: AnyObject {
    /// Takes from `input` and writes to `room`, which is not empty.
    func step(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ request: EncodingRequest
    ) throws(ContentCodingFailure) -> CodingStep
}
