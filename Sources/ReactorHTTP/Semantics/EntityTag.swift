import ReactorWire

/// An entity tag (RFC 9110 section 8.8.3).
public struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// As a field has it: `"abc"`, or `W/"abc"`.
    public let description: String

    /// - Parameter opaque: what stands between the quotes.
    /// - Precondition: it has neither quotes nor spaces nor control bytes.
    public init(_ opaque: String, isWeak: Bool = false) {
        precondition(opaque.utf8.allSatisfy(Self.isTagByte), "an entity tag has no quotes, spaces or control bytes")
        description = (isWeak ? "W/\"" : "\"") + opaque + "\""
    }

    /// One entity tag, as a field has it; nil if it is none.
    public init?(_ field: RawSpan) {
        guard let end = Self.end(in: field, from: 0), end == field.byteCount else { return nil }
        description = field.text
    }

    public var isWeak: Bool { description.utf8.first == UInt8(ascii: "W") }

    /// How two tags are compared (RFC 9110 section 8.8.3.2).
    public enum Comparison: Sendable {
        /// Both must be strong, and the same.
        case strong
        /// The same but for being weak.
        case weak
    }

    public func matches(_ other: EntityTag, _ comparison: Comparison) -> Bool {
        description.utf8Span.span.withUnsafeBytes { mine in
            other.description.utf8Span.span.withUnsafeBytes { theirs in
                Self.matches(RawSpan(_unsafeBytes: mine), RawSpan(_unsafeBytes: theirs), comparison)
            }
        }
    }

    // MARK: Over lent bytes

    /// `etagc`, RFC 9110 section 8.8.3.
    private static func isTagByte(_ byte: UInt8) -> Bool { byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: "\"") }

    /// Behind the tag that begins at `start`; nil if none does.
    private static func end(in field: RawSpan, from start: Int) -> Int? {
        var offset = start
        if offset + 1 < field.byteCount, field[offset] == UInt8(ascii: "W"), field[offset + 1] == UInt8(ascii: "/") { offset += 2 }
        guard offset < field.byteCount, field[offset] == UInt8(ascii: "\"") else { return nil }
        offset += 1
        while offset < field.byteCount, isTagByte(field[offset]) { offset += 1 }
        guard offset < field.byteCount, field[offset] == UInt8(ascii: "\"") else { return nil }
        return offset + 1
    }

    package static func matches(_ one: RawSpan, _ other: RawSpan, _ comparison: Comparison) -> Bool {
        let first = isWeak(one)
        let second = isWeak(other)
        if comparison == .strong && (first || second) { return false }
        return one.slice((first ? 2 : 0)..<one.byteCount).isEqual(to: other.slice((second ? 2 : 0)..<other.byteCount))
    }

    private static func isWeak(_ tag: RawSpan) -> Bool { tag.byteCount > 0 && tag[0] == UInt8(ascii: "W") }

    /// Whether a list of tags has one that matches `tag`. What stands behind something that is no tag is not read.
    package static func list(_ field: RawSpan, has tag: RawSpan, _ comparison: Comparison) -> Bool {
        var offset = 0
        while true {
            while offset < field.byteCount, ByteClass.isSpace(field[offset]) || field[offset] == UInt8(ascii: ",") { offset += 1 }
            guard let end = end(in: field, from: offset) else { return false }
            if matches(field.slice(offset..<end), tag, comparison) { return true }
            offset = end
            while offset < field.byteCount, ByteClass.isSpace(field[offset]) { offset += 1 }
            guard offset < field.byteCount, field[offset] == UInt8(ascii: ",") else { return false }
        }
    }
}

extension RawSpan {
    /// The same bytes.
    func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for index in 0..<byteCount where self[index] != other[index] { return false }
        return true
    }
}
