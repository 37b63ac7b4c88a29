import ConnectionHandling
import ReactorWire

/// A path as MAIL and RCPT carry it (RFC 5321 section 4.1.2), checked to the grammar and its length limits
/// (section 4.5.3.1). Source routes are accepted and left out, as appendix C asks.
package enum MailPath {
    static let maxLocalPart = 64
    static let maxDomain = 255
    /// Angle brackets and source route included.
    static let maxPath = 256

    enum Fault: Error { case syntax, tooLong }

    struct Parsed: Equatable {
        /// The mailbox within the path; empty for `<>`.
        var mailbox: Range<Int>
        /// The offset behind the closing bracket.
        var end: Int
    }

    /// Reads the path at `start`: `<mailbox>`, `<@route:mailbox>`, `<>` or `<Postmaster>`. Which of the last two is
    /// welcome is for the caller to say.
    static func parse(_ bytes: RawSpan, from start: Int) throws(Fault) -> Parsed {
        var reader = Reader(bytes, at: start)
        guard reader.take("<") else { throw .syntax }
        if reader.take(">") { return Parsed(mailbox: start + 1..<start + 1, end: reader.offset) }
        if reader.peek == UInt8(ascii: "@") { try skipRoute(&reader) }
        let mailbox = reader.offset
        let wasQuoted = reader.peek == UInt8(ascii: "\"")
        try localPart(&reader)
        let localEnd = reader.offset
        if localEnd - mailbox > maxLocalPart { throw .tooLong }
        if reader.take("@") {
            try domain(&reader)
            if reader.offset - localEnd - 1 > maxDomain { throw .tooLong }
        } else if wasQuoted || !bytes.slice(mailbox..<localEnd).equalsIgnoringCase("postmaster") {
            throw .syntax
        }
        let end = reader.offset
        guard reader.take(">") else { throw .syntax }
        if reader.offset - start > maxPath { throw .tooLong }
        return Parsed(mailbox: mailbox..<end, end: reader.offset)
    }

    /// Whether `text` is a mailbox that can stand between angle brackets; empty text is when `orEmpty`.
    static func isMailbox(_ text: String, orEmpty: Bool = false) -> Bool {
        if text.isEmpty { return orEmpty }
        let path = Array("<\(text)>".utf8)
        guard let parsed = try? parse(path.span.bytes, from: 0) else { return false }
        return parsed.end == path.count && parsed.mailbox == 1..<path.count - 1
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
            guard reader.skip(while: isAtomText) > 0 else { throw .syntax }
        } while reader.take(".")
    }

    private static func quotedString(_ reader: inout Reader) throws(Fault) {
        guard reader.take("\"") else { throw .syntax }
        while let byte = reader.peek {
            guard byte >= 32, byte <= 126 else { throw .syntax }
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
            let length = reader.skip { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            if length == 0 || length > 63 { throw .syntax }
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
            while let byte = peek, accepts(byte) { offset += 1 }
            return offset - start
        }
    }
}
