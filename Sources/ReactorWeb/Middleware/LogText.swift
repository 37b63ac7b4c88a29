import ReactorHTTP
import ReactorWire

/// What a peer sent, written so that it cannot end a line or a member and begin another.
extension ByteQueue {
    private static let digits = Array("0123456789abcdef".utf8)

    /// As nginx does: control characters, quotes, backslashes and what is not ASCII become `\xHH`.
    mutating func append(logText bytes: [UInt8]) {
        for byte in bytes {
            if byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                append("\\x")
                append(Self.digits[Int(byte >> 4)])
                append(Self.digits[Int(byte & 15)])
            } else {
                append(byte)
            }
        }
    }

    /// A string of JSON, in its quotes. What is not UTF-8 becomes U+FFFD, and C1 controls, which terminals obey, are escaped.
    mutating func append(jsonText bytes: [UInt8]) {
        append("\"")
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x22: append("\\\"")
            case 0x5C: append("\\\\")
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029:
                append("\\u")
                for shift in [12, 8, 4, 0] { append(Self.digits[Int(scalar.value >> UInt32(shift) & 15)]) }
            case ..<0x80: append(UInt8(truncatingIfNeeded: scalar.value))
            default: append(String(scalar))
            }
        }
        append("\"")
    }
}
