import ReactorWire

/// Percent-encoding in paths (RFC 3986 section 2.1).
enum PercentEncoding {
    /// The byte at `offset`, decoded, and `offset` moved behind it; nil if an encoding is malformed.
    @inline(__always)
    static func next(in bytes: RawSpan, _ offset: inout Int) -> UInt8? {
        let byte = bytes[offset]
        offset += 1
        guard byte == UInt8(ascii: "%") else { return byte }
        guard bytes.byteCount - offset >= 2, let high = digit(bytes[offset]), let low = digit(bytes[offset + 1]) else { return nil }
        offset += 2
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Whether `bytes` decode to UTF-8 without a NUL.
    static func isWellFormed(_ bytes: RawSpan) -> Bool {
        var offset = 0
        var check = UTF8Check()
        while offset < bytes.byteCount {
            guard let byte = next(in: bytes, &offset), byte != 0, check.accepts(byte) else { return false }
        }
        return check.isComplete
    }

    /// Whether `bytes`, decoded, are exactly those of `text`.
    static func decodes(_ bytes: RawSpan, to text: RawSpan) -> Bool {
        var (offset, matched) = (0, 0)
        while offset < bytes.byteCount {
            guard matched < text.byteCount, let byte = next(in: bytes, &offset), byte == text[matched] else { return false }
            matched += 1
        }
        return matched == text.byteCount
    }

    /// The text that well-formed `bytes` stand for.
    static func decode(_ bytes: RawSpan) -> String {
        if bytes.firstIndex(of: UInt8(ascii: "%")) == nil { return bytes.text }
        return String(unsafeUninitializedCapacity: bytes.byteCount) { buffer in
            var (offset, count) = (0, 0)
            while offset < bytes.byteCount, let byte = next(in: bytes, &offset) {
                buffer[count] = byte
                count += 1
            }
            return count
        }
    }
}

/// Whether bytes that come one by one are UTF-8 (RFC 3629 section 4).
private struct UTF8Check {
    private var owed = 0
    /// What the next byte may be.
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    var isComplete: Bool { owed == 0 }

    mutating func accepts(_ byte: UInt8) -> Bool {
        if owed > 0 {
            guard byte >= low, byte <= high else { return false }
            (owed, low, high) = (owed - 1, 0x80, 0xBF)
            return true
        }
        switch byte {
        case 0..<0x80: return true
        case 0xC2...0xDF: owed = 1
        case 0xE0: (owed, low) = (2, 0xA0)
        case 0xED: (owed, high) = (2, 0x9F)
        case 0xE1...0xEF: owed = 2
        case 0xF0: (owed, low) = (3, 0x90)
        case 0xF4: (owed, high) = (3, 0x8F)
        case 0xF1...0xF3: owed = 3
        default: return false
        }
        return true
    }
}
