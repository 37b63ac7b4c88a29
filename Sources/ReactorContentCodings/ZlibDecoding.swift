import CZlib

/// zlib's inflate, in one of its formats.
final class Inflate {
    /// zlib keeps a pointer to it, so that it must not move.
    private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let coding: ContentCoding

    /// - Parameter windowBits: 31 for gzip, 15 for the zlib format, -15 for bare deflate data.
    init(_ coding: ContentCoding, windowBits: Int32) throws(ContentCodingFailure) {
        self.coding = coding
        state.initialize(to: z_stream())
        let result = inflateInit2_(state, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { throw ContentCodingFailure(coding: coding) }
    }

    deinit {
        // Does nothing for one that was not set up.
        inflateEnd(state)
        state.deallocate()
    }

    func restart() { inflateReset(state) }

    /// Begins anew in another format, before the first byte.
    func restart(windowBits: Int32) { inflateReset2(state, windowBits) }

    func step(
        _ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer
    ) throws(ContentDecodingError) -> CodingStep {
        let input = UnsafeRawBufferPointer(rebasing: input.prefix(Int(UInt32.max)))
        let offered = UInt32(truncatingIfNeeded: input.count)
        let space = UInt32(truncatingIfNeeded: min(room.count, Int(UInt32.max)))
        // zlib does not write to its input; its header is older than const.
        state.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        state.pointee.avail_in = offered
        state.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        state.pointee.avail_out = space
        let result = inflate(state, Z_NO_FLUSH)
        let step = CodingStep(
            consumed: Int(offered - state.pointee.avail_in), produced: Int(space - state.pointee.avail_out),
            isComplete: result == Z_STREAM_END)
        switch result {
        // Z_BUF_ERROR: it could do nothing without more input, which is no error.
        case Z_OK, Z_STREAM_END, Z_BUF_ERROR: return step
        case Z_MEM_ERROR: throw .failure(ContentCodingFailure(coding: coding))
        // A dictionary that is set beforehand (Z_NEED_DICT) is none of HTTP's.
        default: throw .violation(.malformed)
        }
    }
}

/// gzip: members, each with its checksum and length (RFC 1952 section 2.2).
final class GzipDecoding: DecodingStream {
    private let inflate: Inflate
    var mayRepeat: Bool { true }

    init() throws(ContentCodingFailure) { inflate = try Inflate(.gzip, windowBits: 31) }

    func step(_ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer) throws(ContentDecodingError) -> CodingStep {
        try inflate.step(input, room)
    }

    func restart() { inflate.restart() }
}

/// deflate: the zlib format. Bare deflate data is taken as well, which some clients send by that name
/// (RFC 9110 section 8.4.1.2).
final class DeflateDecoding: DecodingStream {
    private let inflate: Inflate
    private var isFirst = true
    var mayRepeat: Bool { false }

    init() throws(ContentCodingFailure) { inflate = try Inflate(.deflate, windowBits: 15) }

    func step(_ input: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer) throws(ContentDecodingError) -> CodingStep {
        if isFirst, let first = input.first {
            isFirst = false
            // The method of the zlib format is 8 (RFC 1950 section 2.2). As bare data that would be a stored block with
            // padding that is not zero, which nobody writes.
            if first & 0x0F != 8 { inflate.restart(windowBits: -15) }
        }
        return try inflate.step(input, room)
    }

    func restart() {}
}
