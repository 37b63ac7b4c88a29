import CZstd

/// zstd: frames, with others between them that are skipped (RFC 8878 section 3.1).
final class ZstdDecoding: DecodingStream {
    private let state: OpaquePointer
    var mayRepeat: Bool { true }

    init(window: Int) throws(ContentCodingFailure) {
        guard let made = ZSTD_createDCtx() else { throw ContentCodingFailure(coding: .zstd) }
        state = made
        // 10 is the library's least.
        ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, Int32(max(logarithm(window), 10)))
    }

    deinit { ZSTD_freeDCtx(state) }

    func step(_ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer) throws(ContentDecodingError) -> CodingStep {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let result = ZSTD_decompressStream(state, &to, &from)
        if ZSTD_isError(result) != 0 {
            switch ZSTD_getErrorCode(result) {
            case ZSTD_error_frameParameter_windowTooLarge: throw .violation(.windowTooLarge)
            case ZSTD_error_memory_allocation: throw .failure(ContentCodingFailure(coding: .zstd))
            default: throw .violation(.malformed)
            }
        }
        return CodingStep(consumed: from.pos, produced: to.pos, isComplete: result == 0)
    }

    /// The library begins the next frame by itself.
    func restart() {}
}

/// The largest `n` for which 2^n is at most `value`; 0 for what is less than 1.
func logarithm(_ value: Int) -> Int { value < 1 ? 0 : Int.bitWidth - 1 - value.leadingZeroBitCount }
