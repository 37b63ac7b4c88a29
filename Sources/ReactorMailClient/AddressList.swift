/// The addresses in a header field that lists them (RFC 5322 section 3.4): names, comments and groups are left out.
enum AddressList {
    /// Nil if the field is not what it should be.
    static func addresses(in field: [UInt8]) -> [String]? {
        var reader = AddressReader()
        for byte in field where !reader.take(byte) { return nil }
        return reader.finish()
    }
}

/// Reads an address list byte by byte.
private struct AddressReader {
    private enum Place {
        case outside, quoted, angle, angleQuoted
        case comment(depth: Int)
    }

    private var place = Place.outside
    private var isEscaped = false
    private var found: [String] = []
    /// The mailbox so far: what could be an address by itself, or a name in front of brackets.
    private var bare: [UInt8] = []
    /// What stood between the brackets.
    private var angle: [UInt8]?
    /// A space was seen behind ``bare``: unless a dot or an at sign follows, it is a name.
    private var hasSpace = false
    private var isName = false

    /// False if the byte cannot stand there.
    mutating func take(_ byte: UInt8) -> Bool {
        switch place {
        case .comment(let depth): takeComment(byte, depth)
        case .quoted, .angleQuoted: takeQuoted(byte)
        case .angle: return takeAngle(byte)
        case .outside: return takeOutside(byte)
        }
        return true
    }

    mutating func finish() -> [String]? {
        guard case .outside = place, endMailbox() else { return nil }
        return found
    }

    private mutating func takeComment(_ byte: UInt8, _ depth: Int) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "(") {
            place = .comment(depth: depth + 1)
        } else if byte == UInt8(ascii: ")") {
            place = depth == 1 ? .outside : .comment(depth: depth - 1)
        }
    }

    private mutating func takeQuoted(_ byte: UInt8) {
        let isInAngle = if case .angleQuoted = place { true } else { false }
        if isInAngle { angle?.append(byte) } else { bare.append(byte) }
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            place = isInAngle ? .angle : .outside
        }
    }

    private mutating func takeAngle(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ">"): place = .outside
        case UInt8(ascii: "\""):
            angle?.append(byte)
            place = .angleQuoted
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): break
        case UInt8(ascii: "<"), UInt8(ascii: "("), UInt8(ascii: ")"): return false
        default: angle?.append(byte)
        }
        return true
    }

    private mutating func takeOutside(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("): place = .comment(depth: 1)
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): hasSpace = true
        case UInt8(ascii: ","), UInt8(ascii: ";"): return endMailbox()
        case UInt8(ascii: ":"):
            // The name of a group.
            if angle != nil { return false }
            startMailbox()
        case UInt8(ascii: "<"):
            if angle != nil { return false }
            angle = []
            place = .angle
        case UInt8(ascii: ">"), UInt8(ascii: ")"): return false
        default: return takeText(byte)
        }
        return true
    }

    private mutating func takeText(_ byte: UInt8) -> Bool {
        if angle != nil { return false }
        func joins(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: "@") }
        if hasSpace, !bare.isEmpty, !joins(byte), !joins(bare.last) { isName = true }
        hasSpace = false
        bare.append(byte)
        if byte == UInt8(ascii: "\"") { place = .quoted }
        return true
    }

    private mutating func startMailbox() { (bare, angle, hasSpace, isName) = ([], nil, false, false) }

    private mutating func endMailbox() -> Bool {
        defer { startMailbox() }
        var address = angle ?? bare
        if angle == nil {
            if bare.isEmpty { return true }
            if isName { return false }
        } else if address.first == UInt8(ascii: "@"), let colon = address.firstIndex(of: UInt8(ascii: ":")) {
            // A source route (RFC 5322 section 4.4).
            address.removeSubrange(...colon)
        }
        guard address.contains(UInt8(ascii: "@")), let text = String(validating: address, as: UTF8.self) else { return false }
        found.append(text)
        return true
    }
}
