import ConnectionHandling
import ReactorWire

/// A path as MAIL and RCPT carry it (RFC 5321 section 4.1.2), checked to the grammar and its length limits
/// (section 4.5.3.1), with UTF-8 where that was declared (RFC 6531 section 3.3). Source routes are accepted and left out,
/// as appendix C asks.
package enum MailPath {
    static let maxLocalPart = 64
    static let maxDomain = 255
    /// Angle brackets and source route included.
    static let maxPath = 256

    package enum Fault: Error { case syntax, tooLong }

    package struct Parsed: Equatable {
        /// The mailbox within the path; empty for `<>`.
        package var mailbox: Range<Int>
        /// The domain or address literal within the mailbox; nil for `<>` and a lone Postmaster.
        package var domain: Range<Int>?
        /// The offset behind the closing bracket.
        package var end: Int
        /// No byte of the mailbox is above 127.
        package var isASCII = true
    }

    /// Reads the path at `start`: `<mailbox>`, `<@route:mailbox>`, `<>` or `<Postmaster>`. Which of the last two is
    /// welcome is for the caller to say.
    package static func parse(_ bytes: RawSpan, from start: Int) throws(Fault) -> Parsed {
        var reader = Reader(bytes, at: start)
        guard reader.take("<") else { throw .syntax }
        if reader.take(">") { return Parsed(mailbox: start + 1..<start + 1, domain: nil, end: reader.offset) }
        if reader.peek == UInt8(ascii: "@") { try skipRoute(&reader) }
        let mailbox = reader.offset
        let wasQuoted = reader.peek == UInt8(ascii: "\"")
        try localPart(&reader)
        let localEnd = reader.offset
        if localEnd - mailbox > maxLocalPart { throw .tooLong }
        var domainRange: Range<Int>?
        if reader.take("@") {
            try domain(&reader)
            domainRange = localEnd + 1..<reader.offset
            if reader.offset - localEnd - 1 > maxDomain { throw .tooLong }
        } else if wasQuoted || !bytes.slice(mailbox..<localEnd).equalsIgnoringCase("postmaster") {
            throw .syntax
        }
        let end = reader.offset
        guard reader.take(">") else { throw .syntax }
        if reader.offset - start > maxPath { throw .tooLong }
        var parsed = Parsed(mailbox: mailbox..<end, domain: domainRange, end: reader.offset)
        if reader.sawUTF8 {
            parsed.isASCII = isASCII(bytes.slice(mailbox..<end))
            guard isText(bytes.slice(start..<reader.offset)) else { throw .syntax }
        }
        return parsed
    }

    /// Whether `text` is a mailbox that can stand between angle brackets; empty text is when `orEmpty`, and one that needs
    /// SMTPUTF8 when `orInternationalized`.
    package static func isMailbox(_ text: String, orEmpty: Bool = false, orInternationalized: Bool = false) -> Bool {
        if text.isEmpty { return orEmpty }
        let path = Array("<\(text)>".utf8)
        guard let parsed = try? parse(path.span.bytes, from: 0) else { return false }
        return parsed.end == path.count && parsed.mailbox == 1..<path.count - 1 && (parsed.isASCII || orInternationalized)
    }

    /// What stands before and behind the last `@` of an address; all of it and nil if there is none.
    ///
    /// By bytes, as the grammar has it: to Swift an `@` and a mark behind it are one character, and another `@`, in a quoted
    /// local part, would be found instead.
    package static func parts(of address: String) -> (localPart: String, domain: String?) {
        let bytes = address.utf8
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return (address, nil) }
        return (String(address[..<at]), String(address[bytes.index(after: at)...]))
    }

    static func isASCII(_ bytes: RawSpan) -> Bool {
        for index in 0..<bytes.byteCount where bytes[index] > 127 { return false }
        return true
    }

    /// Whether the bytes are UTF-8, without the control characters behind ASCII (RFC 5198 section 2), and without marks that
    /// belong to an `@`, a dot or the like: no label begins with one (RFC 5891 section 4.2.3.2), and who reads characters
    /// would not find the sign.
    static func isText(_ bytes: RawSpan) -> Bool {
        guard let text = String(validating: bytes.array, as: UTF8.self) else { return false }
        return text.allSatisfy { character in
            let scalars = character.unicodeScalars
            if scalars.count > 1, let first = character.utf8.first, first < 128, !isLetterOrDigit(first) { return false }
            return scalars.allSatisfy { !(0x80...0x9F).contains($0.value) }
        }
    }

    // MARK: Grammar

    /// `@one,@two:`
    private static func skipRoute(_ reader: inout Reader) throws(Fault) {
        repeat {
            guard reader.take("@") else { throw .syntax }
            try domain(&reader)
        } while reader.take(",")
        guard reader.take(":") else { throw .syntax }
    }

    private static func localPart(_ reader: inout Reader) throws(Fault) {
        if reader.peek == UInt8(ascii: "\"") { return try quotedString(&reader) }
        repeat {
            guard reader.skip(while: { isAtomText($0) || $0 > 127 }) > 0 else { throw .syntax }
        } while reader.take(".")
    }

    private static func quotedString(_ reader: inout Reader) throws(Fault) {
        guard reader.take("\"") else { throw .syntax }
        while let byte = reader.peek {
            guard byte >= 32, byte != 127 else { throw .syntax }
            if byte > 127 { reader.sawUTF8 = true }
            reader.offset += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = reader.peek, escaped >= 32, escaped <= 126 else { throw .syntax }
                reader.offset += 1
            }
        }
        throw .syntax
    }

    private static func domain(_ reader: inout Reader) throws(Fault) {
        if reader.take("[") { return try literal(&reader) }
        repeat {
            let start = reader.offset
            let length = reader.skip { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 > 127 }
            // A label in UTF-8 may be longer than in the form that DNS has (RFC 5890 section 4.2).
            if length == 0 || length > 63 && isASCII(reader.bytes.slice(start..<reader.offset)) { throw .syntax }
            let hyphen = UInt8(ascii: "-")
            if reader.bytes[start] == hyphen || reader.bytes[reader.offset - 1] == hyphen { throw .syntax }
        } while reader.take(".")
    }

    /// `127.0.0.1]`, `IPv6:::1]`, or a tag with its content (section 4.1.3).
    private static func literal(_ reader: inout Reader) throws(Fault) {
        let start = reader.offset
        // dcontent: printable ASCII but for brackets and the backslash.
        reader.skip { $0 >= 33 && $0 <= 126 && !($0 >= 91 && $0 <= 93) }
        let content = reader.bytes.slice(start..<reader.offset)
        guard reader.take("]") else { throw .syntax }
        if content.byteCount > maxDomain { throw .tooLong }
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else {
            if SocketAddress.ipv4Number(content.text) == nil { throw .syntax }
            return
        }
        let value = content.slice(colon + 1..<content.byteCount)
        if content.slice(0..<colon).equalsIgnoringCase("ipv6") {
            if SocketAddress.ipv6Halves(value.text) == nil { throw .syntax }
        } else if colon == 0 || value.isEmpty {
            throw .syntax
        }
    }

    static func isAtomText(_ byte: UInt8) -> Bool {
        if isLetterOrDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            return true
        default: return false
        }
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private struct Reader: ~Escapable {
        let bytes: RawSpan
        var offset: Int
        /// A byte above 127 was passed.
        var sawUTF8 = false

        @_lifetime(copy bytes)
        init(_ bytes: RawSpan, at offset: Int) {
            self.bytes = bytes
            self.offset = offset
        }

        var peek: UInt8? { offset < bytes.byteCount ? bytes[offset] : nil }

        mutating func take(_ character: UnicodeScalar) -> Bool {
            guard let byte = peek, UInt32(byte) == character.value else { return false }
            offset += 1
            return true
        }

        @discardableResult
        mutating func skip(while accepts: (UInt8) -> Bool) -> Int {
            let start = offset
            while let byte = peek, accepts(byte) {
                if byte > 127 { sawUTF8 = true }
                offset += 1
            }
            return offset - start
        }
    }
}
