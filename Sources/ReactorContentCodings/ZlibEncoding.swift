import CZlib

/// gzip and deflate.
final class ZlibEncoding: EncodingStream {
    /// zlib keeps a pointer to it, so that it must not move.
    private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let coding: ContentCoding

    init(_ coding: ContentCoding, _ options: ContentEncoderOptions, _ length: Int?) throws(ContentCodingFailure) {
        self.coding = coding
        state.initialize(to: z_stream())
        // zlib looks back 262 bytes less than its window (MIN_LOOKAHEAD), and makes 256 bytes 512 by itself.
        let bits = options.windowBits(for: length.map { $0 + 262 }, 9...15)
        let level = Int32(truncatingIfNeeded: min(max(options.gzipLevel, 1), 9))
        // The hash table grows with the window: 8 is the default that belongs to 15.
        let result = deflateInit2_(
            state, level, Z_DEFLATED, Int32(bits + (coding == .gzip ? 16 : 0)), Int32(bits - 7), Z_DEFAULT_STRATEGY,
            ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { throw ContentCodingFailure(coding: coding) }
    }

    deinit {
        // Does nothing for one that was not set up.
        deflateEnd(state)
        state.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ request: EncodingRequest
    ) throws(ContentCodingFailure) -> CodingStep {
        let offered = UInt32(truncatingIfNeeded: min(input.count, Int(UInt32.max)))
        let space = UInt32(truncatingIfNeeded: min(room.count, Int(UInt32.max)))
        state.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        state.pointee.avail_in = offered
        state.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        state.pointee.avail_out = space
        let operation =
            switch request {
            case .bytes: Z_NO_FLUSH
            case .flush: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        let result = deflate(state, operation)
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
            throw ContentCodingFailure(coding: coding)
        }
        let consumed = Int(offered - state.pointee.avail_in)
        let isComplete =
            switch request {
            case .bytes: consumed == input.count
            // Room that is left says that there was no more to write.
            case .flush: state.pointee.avail_out > 0
            case .finish: result == Z_STREAM_END
            }
        return CodingStep(consumed: consumed, produced: Int(space - state.pointee.avail_out), isComplete: isComplete)
    }
}
