import ReactorWire

/// Base64 as SASL over SMTP has it (RFC 4648 section 4, RFC 4954 section 4): padded, without line breaks, and strict.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in start..<start + 3 { bits = bits << 8 | UInt32(index < bytes.count ? bytes[index] : 0) }
            for place in 0..<4 {
                let isPadding = place > group.count
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil if it is not base64 to the letter: other characters, missing padding, or bits that nobody's encoder sets.
    package static func decode(_ text: RawSpan) -> [UInt8]? {
        guard text.byteCount % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.byteCount / 4 * 3)
        for start in stride(from: 0, to: text.byteCount, by: 4) {
            var bits: UInt32 = 0
            var padding = 0
            for index in start..<start + 4 {
                if text[index] == UInt8(ascii: "="), start + 4 == text.byteCount, index >= start + 2 {
                    padding += 1
                    bits <<= 6
                } else {
                    guard padding == 0, let value = value(of: text[index]) else { return nil }
                    bits = bits << 6 | value
                }
            }
            if padding > 0, bits & (padding == 1 ? 0xFF : 0xFFFF) != 0 { return nil }
            for place in 0..<3 - padding { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place))) }
        }
        return bytes
    }

    package static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8).span.bytes) }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
