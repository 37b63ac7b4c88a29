import ReactorWire

/// What a Range field asks for of a representation (RFC 9110 section 14.2).
public enum ByteRanges: Equatable, Sendable {
    /// The whole: the field says nothing that can be heeded.
    case whole
    /// 416: nothing of what it asks for is there.
    case unsatisfiable
    case one(Range<Int>)
    /// Two or more, in the order asked for.
    case several([Range<Int>])

    /// Ranges that are answered at most; who asks for more gets the whole. 32: a reader of long documents asks for ten
    /// or so, and each costs some 100 bytes of its own. nginx has no limit, Apache 200.
    public static let defaultMost = 32

    /// The ranges of a Range field for a representation of `length` bytes.
    ///
    /// Those that together are longer than the whole are not heeded: they overlap, and would cost more than it
    /// (RFC 9110 section 17.15).
    public init(_ field: RawSpan, length: Int, most: Int = defaultMost) {
        self = .whole
        guard field.byteCount > 6, field.slice(0..<6).equalsIgnoringCase("bytes=") else { return }
        var first: Range<Int>?
        var others: [Range<Int>] = []
        var count = 0
        var total = 0
        var offset = 6
        while offset <= field.byteCount {
            let end = field.firstIndex(of: UInt8(ascii: ","), from: offset) ?? field.byteCount
            let item = field.slice(offset..<end).trimmed
            offset = end + 1
            if item.byteCount == 0 { continue }
            guard let range = Self.resolve(item, length) else { return }
            count += 1
            if count > most { return }
            if range.isEmpty { continue }
            // Compared before they are added: both may be nearly the greatest number.
            if range.count > length - total { return }
            total += range.count
            if first == nil { first = range } else { others.append(range) }
        }
        if count == 0 { return }
        guard let first else {
            // Of a representation without bytes no range can be named, not even its last ones.
            if length > 0 || !Self.hasSuffix(field) { self = .unsatisfiable }
            return
        }
        self = others.isEmpty ? .one(first) : .several([first] + others)
    }

    /// Empty if there is nothing of it; nil if it is no range.
    private static func resolve(_ item: RawSpan, _ length: Int) -> Range<Int>? {
        guard let dash = item.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let last = item.slice(dash + 1..<item.byteCount)
        if dash == 0 {
            guard let suffix = last.saturatingDecimal else { return nil }
            return length - min(suffix, length)..<length
        }
        guard let from = item.slice(0..<dash).saturatingDecimal else { return nil }
        if last.byteCount == 0 { return min(from, length)..<length }
        guard let to = last.saturatingDecimal, from <= to else { return nil }
        return from >= length ? 0..<0 : from..<min(to, length - 1) + 1
    }

    /// Some last bytes are asked for.
    private static func hasSuffix(_ field: RawSpan) -> Bool {
        for index in 6..<field.byteCount - 1 where field[index] == UInt8(ascii: "-") {
            let before = field[index - 1]
            if !ByteClass.isDigit(before), field[index + 1] > UInt8(ascii: "0") { return true }
        }
        return false
    }
}

extension RawSpan {
    /// Digits only, as a number that stops at `Int.max`; nil without any.
    var saturatingDecimal: Int? {
        if byteCount == 0 { return nil }
        var value = 0
        for index in 0..<byteCount {
            guard ByteClass.isDigit(self[index]) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int(self[index] & 0x0F))
            value = overflow || carried ? .max : sum
        }
        return value
    }

    /// Without the space around it (OWS, RFC 9110 section 5.6.3).
    package var trimmed: RawSpan {
        @_lifetime(copy self) get {
            var start = 0
            var end = byteCount
            while start < end, ByteClass.isSpace(self[start]) { start += 1 }
            while end > start, ByteClass.isSpace(self[end - 1]) { end -= 1 }
            return slice(start..<end)
        }
    }
}
