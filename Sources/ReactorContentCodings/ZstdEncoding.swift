import CZstd

/// zstd (RFC 8878).
final class ZstdEncoding: EncodingStream {
    private let state: OpaquePointer

    init(_ options: ContentEncoderOptions, _ length: Int?) throws(ContentCodingFailure) {
        guard let made = ZSTD_createCCtx() else { throw ContentCodingFailure(coding: .zstd) }
        state = made
        // 2^23 is what a reader of this coding must take (RFC 9659 section 3).
        let bits = options.windowBits(for: length, 10...23)
        ZSTD_CCtx_setParameter(state, ZSTD_c_compressionLevel, Int32(min(max(options.zstdLevel, 1), 19)))
        ZSTD_CCtx_setParameter(state, ZSTD_c_windowLog, Int32(bits))
        ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(state) }

    func step(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ request: EncodingRequest
    ) throws(ContentCodingFailure) -> CodingStep {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let operation =
            switch request {
            case .bytes: ZSTD_e_continue
            case .flush: ZSTD_e_flush
            case .finish: ZSTD_e_end
            }
        let left = ZSTD_compressStream2(state, &to, &from, operation)
        if ZSTD_isError(left) != 0 { throw ContentCodingFailure(coding: .zstd) }
        return CodingStep(
            consumed: from.pos, produced: to.pos, isComplete: request == .bytes ? from.pos == input.count : left == 0)
    }
}
