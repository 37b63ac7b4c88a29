import ReactorWire

/// Bytes as text: hexadecimal, and base64 in both alphabets (RFC 4648).
package enum TextCode {
    private static let digits = Array("0123456789abcdef".utf8)

    /// In lower case.
    package static func hex(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// base64url without padding, which cookies and fields hold as it is.
    package static func base64URL(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(urlAlphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(urlAlphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    package enum Alphabet { case standard, url }

    /// Reads base64: with its padding, in the standard alphabet; without, in base64url. Nil for anything else, bits
    /// behind the end included: one value has one text.
    package static func decodeBase64(_ text: RawSpan, _ alphabet: Alphabet) -> [UInt8]? {
        var end = text.byteCount
        if alphabet == .standard {
            if end % 4 != 0 { return nil }
            var padding = 0
            while padding < 2, end > 0, text[end - 1] == UInt8(ascii: "=") {
                end -= 1
                padding += 1
            }
        }
        if end % 4 == 1 { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for offset in 0..<end {
            guard let value = value(of: text[offset], alphabet) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
    }

    private static func value(of byte: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: alphabet == .url ? "-" : "+"): 62
        case UInt8(ascii: alphabet == .url ? "_" : "/"): 63
        default: nil
        }
    }
}
