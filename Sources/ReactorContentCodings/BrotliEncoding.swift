import CBrotli

/// br (RFC 7932).
final class BrotliEncoding: EncodingStream {
    private let state: OpaquePointer

    init(_ options: ContentEncoderOptions, _ length: Int?) throws(ContentCodingFailure) {
        guard let made = BrotliEncoderCreateInstance(nil, nil, nil) else { throw ContentCodingFailure(coding: .br) }
        state = made
        // The largest window, 2^24, is refused by readers with the limit of this module.
        let bits = options.windowBits(for: length, Int(BROTLI_MIN_WINDOW_BITS)...23)
        BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, UInt32(min(max(options.brotliQuality, 0), 11)))
        BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, UInt32(bits))
        if let length { BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT, UInt32(clamping: length)) }
    }

    deinit { BrotliEncoderDestroyInstance(state) }

    func step(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ request: EncodingRequest
    ) throws(ContentCodingFailure) -> CodingStep {
        var available = input.count
        var next = input.bindMemory(to: UInt8.self).baseAddress
        var space = room.count
        var out = room.bindMemory(to: UInt8.self).baseAddress
        let operation =
            switch request {
            case .bytes: BROTLI_OPERATION_PROCESS
            case .flush: BROTLI_OPERATION_FLUSH
            case .finish: BROTLI_OPERATION_FINISH
            }
        guard BrotliEncoderCompressStream(state, operation, &available, &next, &space, &out, nil) != 0 else {
            throw ContentCodingFailure(coding: .br)
        }
        let isComplete =
            switch request {
            case .bytes: available == 0 && BrotliEncoderHasMoreOutput(state) == 0
            case .flush: BrotliEncoderHasMoreOutput(state) == 0
            case .finish: BrotliEncoderIsFinished(state) != 0
            }
        return CodingStep(consumed: input.count - available, produced: room.count - space, isComplete: isComplete)
    }
}
