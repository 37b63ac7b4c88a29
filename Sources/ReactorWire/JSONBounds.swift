/// What is asked of a JSON text before Foundation reads it: one pass over the bytes, which knows where strings are.
///
/// It judges no syntax. Up to the first fault of the text, where Foundation stops, both see the same arrays, objects
/// and names.
package struct JSONBounds: Sendable {
    private let nesting: Int
    private let values: Int
    private let memberName: Int

    /// - Parameters:
    ///   - nesting: of arrays and objects. Foundation recurses, most deeply to write: 128 objects in one another take half
    ///     of a worker's stack, so that values above 128 count as 128.
    ///   - values: counted by commas and opening brackets.
    ///   - memberName: the longest name of a member, in bytes as it is sent. Foundation hashes names by their canonical form,
    ///     which takes time that grows with the square of the accents on one letter.
    package init(nesting: Int, values: Int = .max, memberName: Int) {
        self.nesting = min(nesting, 128)
        self.values = values
        self.memberName = memberName
    }

    /// Whether nothing in `bytes` is past them.
    package func hold(for bytes: RawSpan) -> Bool {
        var depth = 0
        var count = 0
        var string = 0
        var offset = 0
        while offset < bytes.byteCount {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let end = Self.endOfString(in: bytes, from: offset + 1)
                string = end - offset - 1
                offset = end
            case UInt8(ascii: ":"):
                if string > memberName { return false }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                count += 1
                if depth > nesting || count > values { return false }
            case UInt8(ascii: ","):
                count += 1
                if count > values { return false }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
            case 0:
                // JSON is UTF-8 (RFC 8259 section 8.1), but Foundation reads UTF-16 and UTF-32 too. There each bracket
                // has a zero byte, and what looks like a quotation mark need not be one.
                return false
            default: break
            }
            offset += 1
        }
        return true
    }

    /// The offset of the quotation mark that ends a string, or of the text's end.
    private static func endOfString(in bytes: RawSpan, from start: Int) -> Int {
        var offset = start
        while offset < bytes.byteCount, bytes[offset] != UInt8(ascii: "\"") {
            offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(offset, bytes.byteCount)
    }
}
