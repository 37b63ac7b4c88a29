import ReactorHTTP
package import ReactorWire

/// Percent-encoding in `application/x-www-form-urlencoded`, as the WHATWG's URL Standard has it in section 5.
package enum FormText {
    /// Decodes a name or a value: `+` is a space, and a `%` without two hexadecimal digits behind it stands for itself.
    /// What is not UTF-8 becomes U+FFFD.
    package static func decode(_ bytes: RawSpan) -> String {
        let count = bytes.byteCount
        if bytes.firstIndex(of: UInt8(ascii: "%")) == nil, bytes.firstIndex(of: UInt8(ascii: "+")) == nil { return bytes.text }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(count)
        var offset = 0
        while offset < count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "+"):
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard offset + 2 <= count, let high = hexDigit(bytes[offset]), let low = hexDigit(bytes[offset + 1]) else {
                    decoded.append(byte)
                    continue
                }
                decoded.append(high << 4 | low)
                offset += 2
            default:
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Appends `text`, encoded: a space as `+`, and all but letters, digits and `*-._` in percent-encoding.
    package static func encode(_ text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: " "):
                output.append(UInt8(ascii: "+"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                output.append(byte)
            default:
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
