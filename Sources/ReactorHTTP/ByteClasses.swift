import ReactorWire

/// The byte classes of the grammar, as bit masks: a test is a shift, and needs no table in memory.
package enum ByteClass {
    /// `tchar`, RFC 9110 section 5.6.2.
    package static func isToken(_ byte: UInt8) -> Bool { contains(0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE, byte) }

    /// What a `uri-host` with its port is written in, RFC 3986 section 3.2.2.
    package static func isHost(_ byte: UInt8) -> Bool { contains(0x2FFF_7FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE, byte) }

    /// What a request target may hold: visible ASCII but no fragment. Wider than RFC 3986, because browsers send `|`
    /// and `{` unescaped.
    package static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    package static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    package static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// A control byte that no field value or target may hold; HTAB is not one.
    package static func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != UInt8(ascii: "\t")) || byte == 0x7F }

    private static func contains(_ low: UInt64, _ high: UInt64, _ byte: UInt8) -> Bool {
        byte < 128 && ((byte < 64 ? low : high) >> UInt64(byte & 63)) & 1 == 1
    }
}

extension RawSpan {
    /// Where the first control byte at or behind `start` stands; `end` if there is none before it.
    package func firstControl(from start: Int, to end: Int) -> Int {
        precondition(start >= 0 && start <= end && end <= byteCount, "offsets outside the bytes")
        return firstControlUnchecked(from: start, to: end)
    }
}

/// The value of a hexadecimal digit, or nil.
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
