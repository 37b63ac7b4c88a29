/// The checksum of RFC 4960 appendix B (CRC-32 with Castagnoli's polynomial). Bit by bit, without a table: it is
/// computed once a connection at most, over some hundred bytes.
struct CRC32C {
    private var state = UInt32.max

    mutating func update(_ byte: UInt8) {
        state ^= UInt32(byte)
        for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x82F6_3B78 }
    }

    var value: UInt32 { ~state }
}
