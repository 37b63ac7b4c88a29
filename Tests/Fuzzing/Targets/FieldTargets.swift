import ReactorHTTP
import ReactorWeb
import ReactorWire

extension FuzzTarget {
    /// The value of a Cookie field: read as a reader would who splits and trims.
    static let cookies = FuzzTarget(name: "cookies") { field in
        var found: [[UInt8]] = []
        var cookies = CookieField(field)
        while let cookie = cookies.next() { found += [cookie.name.bytes, cookie.value.bytes] }

        var expected: [[UInt8]] = []
        for pair in field.bytes.split(separator: UInt8(ascii: ";")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = trimmed(pair[..<equals])
            if !name.isEmpty { expected += [name, trimmed(pair[(equals + 1)...])] }
        }
        expectEqual(found, expected, "cookies")

        // Within limits, and unless it is refused, the same as a collection.
        var collected = Cookies()
        do throws(CookieViolation) { try collected.add(field) } catch { return }
        precondition(found.count / 2 <= CookieLimits.default.count, "more cookies than the limit")
    }

    /// The value of a Range field: what is answered lies within the representation, and isn't longer than it.
    static let ranges = FuzzTarget(name: "ranges") { field in
        for length in [0, 1, 10, 1000, .max] {
            let ranges: [Range<Int>]
            switch ByteRanges(field, length: length) {
            case .whole, .unsatisfiable: ranges = []
            case .one(let range): ranges = [range]
            case .several(let several):
                precondition(several.count > 1 && several.count <= ByteRanges.defaultMost, "\(several.count) ranges are several")
                ranges = several
            }
            var total = 0
            for range in ranges {
                precondition(range.lowerBound >= 0 && range.upperBound <= length && !range.isEmpty, "\(range) of \(length)")
                total += range.count
            }
            precondition(total <= length, "\(ranges) of \(length)")
            if ranges.count > 1 && length < .max { checkBody(ranges, length) }
        }
    }

    /// The length of a body of ranges is told before it is made.
    private static func checkBody(_ ranges: [Range<Int>], _ length: Int) {
        let body = MultipartRanges(ranges, length: length, contentType: "text/plain", nonce: 1)
        let heads = ranges.indices.reduce(0) { $0 + body.partHead($1).utf8.count }
        expectEqual(body.contentLength, heads + ranges.reduce(0) { $0 + $1.count } + body.end.utf8.count, "the length")
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        return Array(Array(bytes.drop(while: isSpace).reversed()).drop(while: isSpace).reversed())
    }
}
