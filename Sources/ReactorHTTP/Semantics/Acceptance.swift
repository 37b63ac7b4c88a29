import ReactorWire

/// How much a client wants one representation, read from the lines of an Accept field: the weight of the most specific
/// member that fits it.
public struct Acceptance: Sendable {
    private var weight = 0
    /// Of the member that the weight is from; -1 before there is one.
    private var specificity = -1
    private var wasRead = false

    public init() {}

    /// In thousandths; 0: not acceptable. Without any field, everything is (RFC 9110 section 12.4.1).
    public var value: Int { wasRead ? weight : 1000 }

    /// A member names it, and not only a range that it is in.
    var isNamed: Bool { specificity > 1 }

    private mutating func count(_ weight: Int, _ specificity: Int) {
        if specificity <= self.specificity { return }
        self.weight = weight
        self.specificity = specificity
    }

    // MARK: Media types

    /// Reads a line of Accept for a media type such as `text/html` or `text/html;level=1` (RFC 9110 section 12.5.1).
    public mutating func readAccept(_ field: RawSpan, for type: RawSpan) {
        let end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.byteCount
        let full = type.slice(0..<end).trimmed
        guard let slash = full.firstIndex(of: UInt8(ascii: "/")) else { return }
        wasRead = true
        var offset = 0
        while let element = WeightedElement.next(in: field, from: &offset) {
            let range = field.slice(element.value)
            if range.isEqualIgnoringCase(to: full) {
                if let named = Self.parameters(of: element, field, areIn: type, from: end) { count(element.weight, 2 + named) }
            } else if range.equals("*/*") {
                count(element.weight, 0)
            } else if range.byteCount == slash + 2, range[slash + 1] == UInt8(ascii: "*"),
                range.slice(0..<slash + 1).isEqualIgnoringCase(to: full.slice(0..<slash + 1))
            {
                count(element.weight, 1)
            }
        }
    }

    /// How many parameters the element names, all of which the type has; nil if it has not.
    private static func parameters(of element: WeightedElement, _ field: RawSpan, areIn type: RawSpan, from start: Int) -> Int? {
        var count = 0
        var offset = element.parameters.lowerBound
        while let (name, value) = WeightedElement.nextParameter(in: field, from: &offset, to: element.parameters.upperBound) {
            // What stands behind the weight is no part of the type (RFC 7231 had it so).
            if field.slice(name).equalsIgnoringCase("q") { break }
            var place = start
            var isThere = false
            while let (mine, has) = WeightedElement.nextParameter(in: type, from: &place, to: type.byteCount) {
                isThere =
                    isThere
                    || type.slice(mine).isEqualIgnoringCase(to: field.slice(name))
                        && type.slice(has).isEqualIgnoringCase(to: field.slice(value))
            }
            if !isThere { return nil }
            count += 1
        }
        return count
    }

    // MARK: Content codings

    /// Reads a line of Accept-Encoding for a coding (RFC 9110 section 12.5.3). Without any line a coding could be sent, but
    /// who names none seldom reads one: it is not wanted.
    public mutating func readAcceptEncoding(_ field: RawSpan, for coding: StaticString) {
        let isIdentity = Self.isIdentity(coding)
        // `identity` is acceptable unless it is ruled out, but comes behind whatever is named.
        if isIdentity && !wasRead { weight = 1 }
        wasRead = true
        var offset = 0
        while let element = WeightedElement.next(in: field, from: &offset) {
            let name = field.slice(element.value)
            if name.equalsIgnoringCase(coding) {
                count(element.weight, 1)
            } else if name.equals("*") && (!isIdentity || element.weight == 0) {
                count(element.weight, 0)
            }
        }
    }

    private static func isIdentity(_ coding: StaticString) -> Bool {
        coding.withUTF8Buffer { RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0)).equals("identity") }
    }

    // MARK: Languages

    /// Reads a line of Accept-Language for a language tag such as `de-CH` (RFC 9110 section 12.5.4): by the longest range
    /// that is a prefix of it (RFC 4647 section 3.3.1), or else by a range that it is a prefix of (section 3.4).
    public mutating func readAcceptLanguage(_ field: RawSpan, for tag: RawSpan) {
        wasRead = true
        var offset = 0
        while let element = WeightedElement.next(in: field, from: &offset) {
            let range = field.slice(element.value)
            if range.equals("*") {
                count(element.weight, 0)
            } else if Self.isPrefix(range, of: tag) {
                count(element.weight, 1_000 + range.byteCount)
            } else if Self.isPrefix(tag, of: range), element.weight > 0 {
                count(element.weight, 1)
            }
        }
    }

    /// Of whole subtags.
    private static func isPrefix(_ prefix: RawSpan, of tag: RawSpan) -> Bool {
        guard prefix.byteCount <= tag.byteCount, tag.slice(0..<prefix.byteCount).isEqualIgnoringCase(to: prefix) else { return false }
        return prefix.byteCount == tag.byteCount || tag[prefix.byteCount] == UInt8(ascii: "-")
    }
}
