import ReactorWire

/// Reads one JSON text (RFC 8259) in one pass.
///
/// Foundation's decoder was not used for what a peer sends: it finds a value's type by trying each in turn, so that one
/// megabyte of empty arrays holds the loop for half a second (here: for a hundredth); and it rounds numbers.
struct JSONParser: ~Escapable {
    /// The text is not JSON, or nested too deeply.
    struct Failure: Error {}

    private let bytes: RawSpan
    private var offset = 0
    private var depth = 0
    private let maxDepth: Int

    @_lifetime(copy bytes)
    private init(_ bytes: RawSpan, maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    static func parse(_ bytes: RawSpan, maxDepth: Int) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes, maxDepth: maxDepth)
        let value = try parser.value()
        parser.skipSpace()
        if parser.offset < bytes.byteCount { throw Failure() }
        return value
    }

    // MARK: Values

    private mutating func value() throws(Failure) -> JSONValue {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func array() throws(Failure) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if try !leaves(at: UInt8(ascii: "]"), first: true) {
            repeat { elements.append(try value()) } while try !leaves(at: UInt8(ascii: "]"), first: false)
        }
        return .array(elements)
    }

    private mutating func object() throws(Failure) -> JSONValue {
        try enter()
        var members: [JSONMember] = []
        if try !leaves(at: UInt8(ascii: "}"), first: true) {
            repeat {
                skipSpace()
                let name = try string()
                skipSpace()
                try expect(UInt8(ascii: ":"))
                members.append(JSONMember(name, try value()))
            } while try !leaves(at: UInt8(ascii: "}"), first: false)
        }
        return .object(members)
    }

    private mutating func enter() throws(Failure) {
        offset += 1
        depth += 1
        if depth > maxDepth { throw Failure() }
    }

    /// Whether the array or object ends here; otherwise passes the comma before its next element, if it is not the first.
    private mutating func leaves(at end: UInt8, first: Bool) throws(Failure) -> Bool {
        skipSpace()
        if peek == end {
            offset += 1
            depth -= 1
            return true
        }
        if !first { try expect(UInt8(ascii: ",")) }
        return false
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let end = offset + text.utf8CodeUnitCount
        guard end <= bytes.byteCount, bytes.slice(offset..<end).equals(text) else { throw Failure() }
        offset = end
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(Failure) -> JSONValue {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        if peek == UInt8(ascii: "0") {
            // No digit stands behind a leading zero: what follows is no number's, and refused where it is read.
            offset += 1
        } else {
            try digits()
        }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        let literal = bytes.slice(start..<offset).text
        // -0 is not 0.
        if isInteger, literal != "-0", let value = Int(literal) { return .integer(value) }
        return .number(literal: literal)
    }

    private mutating func digits() throws(Failure) {
        let start = offset
        while peek >= UInt8(ascii: "0") && peek <= UInt8(ascii: "9") { offset += 1 }
        if offset == start { throw Failure() }
    }

    // MARK: Strings

    private mutating func string() throws(Failure) -> String {
        try expect(UInt8(ascii: "\""))
        var text: [UInt8] = []
        while offset < bytes.byteCount {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw Failure() }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw Failure()
            default: text.append(byte)
            }
        }
        throw Failure()
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        let byte = peek
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            // Half of a surrogate pair is no character, and no string could hold it.
            guard let scalar = Unicode.Scalar(try codePoint()) else { throw Failure() }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw Failure()
        }
    }

    private mutating func codePoint() throws(Failure) -> UInt32 {
        let unit = try fourHexDigits()
        guard unit & 0xFC00 == 0xD800 else { return unit }
        try expect(UInt8(ascii: "\\"))
        try expect(UInt8(ascii: "u"))
        let low = try fourHexDigits()
        guard low & 0xFC00 == 0xDC00 else { throw Failure() }
        return 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
    }

    private mutating func fourHexDigits() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(peek)).hexDigitValue else { throw Failure() }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    // MARK: Bytes

    /// The next byte; 0, which stands nowhere in JSON, at the end.
    private var peek: UInt8 { offset < bytes.byteCount ? bytes[offset] : 0 }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        if peek != byte { throw Failure() }
        offset += 1
    }

    private mutating func skipSpace() {
        while peek == 0x20 || peek == 0x0A || peek == 0x0D || peek == 0x09 { offset += 1 }
    }
}
