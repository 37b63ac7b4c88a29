import CBrotli

/// br (RFC 7932).
final class BrotliDecoding: DecodingStream {
    private let state: OpaquePointer
    private let window: Int
    private var isFirst = true
    var mayRepeat: Bool { false }

    init(window: Int) throws(ContentCodingFailure) {
        guard let made = BrotliDecoderCreateInstance(nil, nil, nil) else { throw ContentCodingFailure(coding: .br) }
        state = made
        self.window = window
    }

    deinit { BrotliDecoderDestroyInstance(state) }

    func step(_ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer) throws(ContentDecodingError) -> CodingStep {
        if isFirst, let first = input.first {
            isFirst = false
            if Self.windowSize(first) > window { throw .violation(.windowTooLarge) }
        }
        var available = input.count
        var next = input.bindMemory(to: UInt8.self).baseAddress
        var space = room.count
        var out = room.bindMemory(to: UInt8.self).baseAddress
        let result = BrotliDecoderDecompressStream(state, &available, &next, &space, &out, nil)
        if result == BROTLI_DECODER_RESULT_ERROR {
            // The codes for failed allocations are -21 to -30 (brotli/decode.h).
            let code = BrotliDecoderGetErrorCode(state).rawValue
            if (-30 ... -21).contains(code) { throw .failure(ContentCodingFailure(coding: .br)) }
            throw .violation(.malformed)
        }
        return CodingStep(
            consumed: input.count - available, produced: room.count - space,
            isComplete: result == BROTLI_DECODER_RESULT_SUCCESS)
    }

    func restart() {}

    /// The window that the stream's first byte asks for, in bytes (RFC 7932 section 9.1). The library takes what it says.
    static func windowSize(_ first: UInt8) -> Int {
        let bits: Int
        if first & 1 == 0 {
            bits = 16
        } else if first >> 1 & 7 != 0 {
            bits = 17 + Int(first >> 1 & 7)
        } else if first >> 4 & 7 != 0 {
            // 1 is not in the format, and the library refuses it.
            bits = 8 + Int(first >> 4 & 7)
        } else {
            bits = 17
        }
        return 1 << bits
    }
}
