import ReactorWire

/// An element of a list whose members have a weight (RFC 9110 section 12.4.2), as offsets in its field.
package struct WeightedElement {
    /// Without its parameters.
    package var value: Range<Int>
    /// Behind the value, with the weight; empty without any.
    package var parameters: Range<Int>
    /// In thousandths.
    package var weight: Int

    /// The element that begins at or behind `offset`, which is moved behind it; nil at the end. One whose weight is no
    /// weight is passed over.
    package static func next(in field: RawSpan, from offset: inout Int) -> WeightedElement? {
        while offset < field.byteCount {
            let start = offset
            let end = stop(in: field, from: start, at: UInt8(ascii: ","), to: field.byteCount)
            offset = end + 1
            let semicolon = stop(in: field, from: start, at: UInt8(ascii: ";"), to: end)
            let value = trim(field, start..<semicolon)
            if value.isEmpty { continue }
            var element = WeightedElement(value: value, parameters: semicolon..<end, weight: 1000)
            guard element.readWeight(field) else { continue }
            return element
        }
        return nil
    }

    /// The parameter that begins at or behind `offset`, as name and value; nil at the end.
    static func nextParameter(
        in field: RawSpan, from offset: inout Int, to end: Int
    ) -> (name: Range<Int>, value: Range<Int>)? {
        while offset < end {
            let start = offset
            let stop = stop(in: field, from: start, at: UInt8(ascii: ";"), to: end)
            offset = stop + 1
            let all = trim(field, start..<stop)
            if all.isEmpty { continue }
            let equals = field.slice(all).firstIndex(of: UInt8(ascii: "=")).map { all.lowerBound + $0 } ?? all.upperBound
            return (all.lowerBound..<equals, min(equals + 1, all.upperBound)..<all.upperBound)
        }
        return nil
    }

    private mutating func readWeight(_ field: RawSpan) -> Bool {
        var offset = parameters.lowerBound
        while let (name, value) = Self.nextParameter(in: field, from: &offset, to: parameters.upperBound) {
            guard field.slice(name).equalsIgnoringCase("q") else { continue }
            guard let read = Self.weight(field.slice(value)) else { return false }
            weight = read
        }
        return true
    }

    /// `0`, `0.5`, `0.125`, `1`, `1.000`.
    private static func weight(_ text: RawSpan) -> Int? {
        guard text.byteCount >= 1, text.byteCount <= 5, text[0] == UInt8(ascii: "0") || text[0] == UInt8(ascii: "1") else { return nil }
        var value = Int(text[0] & 1) * 1000
        if text.byteCount == 1 { return value }
        if text[1] != UInt8(ascii: ".") { return nil }
        var place = 100
        for index in 2..<text.byteCount {
            guard ByteClass.isDigit(text[index]) else { return nil }
            value += Int(text[index] & 0x0F) * place
            place /= 10
        }
        return value <= 1000 ? value : nil
    }

    /// Where `byte` first stands outside a quoted string; `end` if nowhere.
    private static func stop(in field: RawSpan, from start: Int, at byte: UInt8, to end: Int) -> Int {
        var isQuoted = false
        var offset = start
        while offset < end {
            let here = field[offset]
            if here == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted && here == UInt8(ascii: "\\") {
                offset += 1
            } else if !isQuoted && here == byte {
                return offset
            }
            offset += 1
        }
        return end
    }

    private static func trim(_ field: RawSpan, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, ByteClass.isSpace(field[start]) { start += 1 }
        while end > start, ByteClass.isSpace(field[end - 1]) { end -= 1 }
        return start..<end
    }
}

extension RawSpan {
    /// The same bytes when ASCII letters are compared without case.
    func isEqualIgnoringCase(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for index in 0..<byteCount where Self.lowercase(self[index]) != Self.lowercase(other[index]) { return false }
        return true
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
}
