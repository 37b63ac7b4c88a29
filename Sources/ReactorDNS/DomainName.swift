/// A domain name, absolute: labels of any bytes, up to the root (RFC 1035 section 3.1, RFC 2181 section 11).
///
/// Two names are equal if they differ only in the case of ASCII letters (RFC 4343); the case they came in is kept.
public struct DomainName: Sendable {
    /// As on the wire, uncompressed: each label behind its length, and a zero.
    let wire: [UInt8]

    public static let root = DomainName(wire: [0])

    /// RFC 1035 section 2.3.4
    static let longestLabel = 63
    static let longestName = 255

    init(wire: [UInt8]) { self.wire = wire }

    /// A name that stands in the source: no label longer than 63 bytes, no escapes.
    package init(literal: StaticString) {
        let labels = "\(literal)".utf8.split(separator: UInt8(ascii: "."))
        wire = labels.flatMap { [UInt8($0.count)] + $0 } + [0]
    }

    /// - Throws: ``DomainNameError`` if a label is empty or longer than 63 bytes, or the name longer than 255.
    public init(labels: some Sequence<[UInt8]>) throws(DomainNameError) {
        var wire: [UInt8] = []
        for label in labels {
            if label.isEmpty { throw .emptyLabel }
            if label.count > Self.longestLabel { throw .labelTooLong }
            wire.append(UInt8(label.count))
            wire += label
            if wire.count >= Self.longestName { throw .nameTooLong }
        }
        self.wire = wire + [0]
    }

    /// The labels, the host's first, without the root's empty one.
    public var labels: [[UInt8]] {
        var labels: [[UInt8]] = []
        var index = 0
        while index < wire.count, wire[index] > 0 {
            let next = index + 1 + Int(wire[index])
            labels.append(Array(wire[index + 1..<next]))
            index = next
        }
        return labels
    }

    public var isRoot: Bool { wire.count == 1 }

    /// This name with the labels of `suffix` behind its own, as a search list does.
    ///
    /// - Throws: ``DomainNameError/nameTooLong``.
    public func appending(_ suffix: DomainName) throws(DomainNameError) -> DomainName {
        if wire.count - 1 + suffix.wire.count > Self.longestName { throw .nameTooLong }
        return DomainName(wire: wire.dropLast() + suffix.wire)
    }

    /// Whether this is `parent`, or below it.
    public func isWithin(_ parent: DomainName) -> Bool {
        guard wire.count >= parent.wire.count else { return false }
        let start = wire.count - parent.wire.count
        var index = 0
        while index < start { index += 1 + Int(wire[index]) }
        return index == start && wire[start...].elementsEqual(parent.wire) { Self.folded($0) == Self.folded($1) }
    }

    /// A letter in lower case. Lengths pass unchanged: 63 is below the letters.
    static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}

extension DomainName: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        left.wire.count == right.wire.count
            && left.wire.elementsEqual(right.wire) { $0 == $1 || folded($0) == folded($1) }
    }

    public func hash(into hasher: inout Hasher) {
        for byte in wire { hasher.combine(Self.folded(byte)) }
    }
}

/// The text, or the labels, are not a domain name.
public enum DomainNameError: Error, Equatable, Sendable, CustomStringConvertible {
    case empty, emptyLabel, labelTooLong, nameTooLong, badEscape
    /// Beyond ASCII: an internationalised name is turned into A-labels first (RFC 5890).
    case notASCII
    /// It cannot be turned into A-labels, for this reason.
    case notInternational(String)

    public var description: String {
        switch self {
        case .empty: "a domain name is not empty"
        case .emptyLabel: "a label of the name is empty"
        case .labelTooLong: "a label of the name has more than 63 bytes"
        case .nameTooLong: "the name has more than 255 bytes"
        case .badEscape: "a backslash in the name stands before a character, or before three digits up to 255"
        case .notASCII: "the name has characters beyond ASCII"
        case .notInternational(let reason): "the name is not an internationalised one: \(reason)"
        }
    }
}
