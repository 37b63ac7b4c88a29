/// Names as people write them: RFC 1035 section 5.1, RFC 4343 section 2.1.
extension DomainName {
    /// Reads `www.example.com`, with or without a dot at its end; `.` is the root. `\.` is a dot within a label, `\046` the
    /// byte of that number.
    ///
    /// - Throws: ``DomainNameError``.
    public init(parsing text: String) throws(DomainNameError) {
        if text.isEmpty { throw .empty }
        if text == "." {
            self = .root
            return
        }
        var labels: [[UInt8]] = []
        var label: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "."):
                labels.append(label)
                label = []
            case UInt8(ascii: "\\"):
                label.append(try Self.escaped(&rest))
            case 0x80...:
                throw .notASCII
            default:
                label.append(byte)
            }
        }
        if !label.isEmpty { labels.append(label) }
        try self.init(labels: labels)
    }

    private static func escaped(_ rest: inout ArraySlice<UInt8>) throws(DomainNameError) -> UInt8 {
        guard let first = rest.popFirst() else { throw .badEscape }
        guard isDigit(first) else {
            if first >= 0x80 { throw .notASCII }
            return first
        }
        guard rest.count >= 2, let second = rest.popFirst(), let third = rest.popFirst(), isDigit(second), isDigit(third),
            let byte = UInt8(exactly: [first, second, third].reduce(0) { $0 * 10 + Int($1 - 0x30) })
        else { throw .badEscape }
        return byte
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// What has a meaning in a master file, and so is escaped in a name.
    private static let special = Set("\"().;\\@$".utf8)
}

extension DomainName: CustomStringConvertible {
    /// As in a master file, with the dot at the end: `www.example.com.`
    public var description: String {
        if isRoot { return "." }
        var text = ""
        for label in labels {
            for byte in label { text.append(Presentation.byte(byte, escaping: Self.special, andSpace: true)) }
            text.append(".")
        }
        return text
    }
}

enum Presentation {
    /// A byte as a master file has it: itself, behind a backslash, or as `\DDD`.
    static func byte(_ byte: UInt8, escaping special: Set<UInt8>, andSpace: Bool) -> String {
        if special.contains(byte) { return "\\" + String(UnicodeScalar(byte)) }
        if byte < 0x20 || byte >= 0x7F || andSpace && byte == 0x20 {
            let digits = String(byte)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        return String(UnicodeScalar(byte))
    }

    private static let quotes = Set("\"\\".utf8)

    /// A character-string in quotes.
    static func quoted(_ bytes: [UInt8]) -> String {
        "\"" + bytes.map { byte($0, escaping: quotes, andSpace: false) }.joined() + "\""
    }
}
