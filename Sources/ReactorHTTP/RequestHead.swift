import ReactorWire

/// Where a field's name and value stand, counted from the head's first byte.
@usableFromInline struct FieldPosition: Sendable {
    var nameStart: UInt16 = 0
    var nameEnd: UInt16 = 0
    var valueStart: UInt16 = 0
    var valueEnd: UInt16 = 0

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}

/// A request's head as positions in its bytes: made on the stack for each request, filled line by line.
///
/// Move-only, so that its 800 bytes are never copied by accident.
@usableFromInline struct RequestHead: ~Copyable {
    var method = HTTPMethod.other
    var methodEnd = 0
    var target = RequestTarget()
    /// The minor version, 0 or 1: a later 1.x is served as 1.1.
    var minorVersion: UInt8 = 0
    var positions = InlineArray<100, FieldPosition>(repeating: FieldPosition())
    var fieldCount = 0
    /// The head's length with the empty line that ends it.
    var length = 0

    /// Where the request line starts: 2 behind an empty line that was passed over.
    var start = 0
    var host: Range<Int>?
    var contentLength: Int?
    var isChunked = false
    var expectsContinue = false
    var asksClose = false
    var asksKeepAlive = false
    /// The first field that cannot be accepted. Thrown once the head is whole, and not before: the answer must not
    /// depend on where the head was cut as it arrived.
    private var violation: HTTPViolation?

    @usableFromInline init() {}

    /// Reads the next line. `line` is a range of `bytes`, which hold no control byte within it but HTAB.
    mutating func add(_ line: Range<Int>, isFirst: Bool, of bytes: RawSpan) throws(HTTPViolation) {
        if isFirst {
            try readRequestLine(line, of: bytes)
        } else {
            try readField(line, of: bytes)
        }
    }

    /// Whether the connection can carry another request behind this one (RFC 9112 section 9.3).
    var allowsKeepAlive: Bool { !asksClose && (minorVersion >= 1 || asksKeepAlive) }

    /// The checks that need the whole head.
    mutating func finish(length: Int) throws(HTTPViolation) {
        self.length = length
        if let violation { throw violation }
        // RFC 9112 section 3.2.
        if minorVersion >= 1 && host == nil { throw .badRequest }
        if isChunked {
            // RFC 9112 section 6.1: both lengths are how requests are smuggled, and 1.0 knows no transfer codings.
            if contentLength != nil || minorVersion == 0 { throw .badRequest }
        }
        if minorVersion == 0 { expectsContinue = false }
        // A tunnel is nothing that a request and an answer can express.
        if method == .connect { throw HTTPViolation(.notImplemented) }
    }

    // MARK: The request line

    /// `method SP request-target SP HTTP-version`, RFC 9112 section 3: single spaces, nothing around them.
    private mutating func readRequestLine(_ line: Range<Int>, of bytes: RawSpan) throws(HTTPViolation) {
        start = line.lowerBound
        var offset = start
        while offset < line.upperBound, ByteClass.isToken(bytes[offset]) { offset += 1 }
        guard offset > start, offset < line.upperBound, bytes[offset] == UInt8(ascii: " ") else { throw .badRequest }
        methodEnd = offset
        method = HTTPMethod(bytes.slice(start..<offset))
        offset += 1

        let targetStart = offset
        while offset < line.upperBound, ByteClass.isTarget(bytes[offset]) { offset += 1 }
        guard offset > targetStart, offset < line.upperBound, bytes[offset] == UInt8(ascii: " ") else {
            throw .badRequest
        }
        minorVersion = try Self.minorVersion(bytes.slice(offset + 1..<line.upperBound))
        target = try RequestTarget(targetStart..<offset, of: bytes, method: method)
    }

    private static func minorVersion(_ version: RawSpan) throws(HTTPViolation) -> UInt8 {
        guard version.byteCount == 8, version.slice(0..<5).equals("HTTP/"), ByteClass.isDigit(version[5]),
            version[6] == UInt8(ascii: "."), ByteClass.isDigit(version[7])
        else { throw .badRequest }
        if version[5] != UInt8(ascii: "1") { throw HTTPViolation(.versionNotSupported) }
        return version[7] == UInt8(ascii: "0") ? 0 : 1
    }

    // MARK: Fields

    /// `field-name ":" OWS field-value OWS`, RFC 9112 section 5. No space before the colon and no folded line: both
    /// begin with a byte that no name holds.
    private mutating func readField(_ line: Range<Int>, of bytes: RawSpan) throws(HTTPViolation) {
        var colon = line.lowerBound
        while colon < line.upperBound, ByteClass.isToken(bytes[colon]) { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            throw .badRequest
        }
        var first = colon + 1
        var last = line.upperBound
        while first < last, ByteClass.isSpace(bytes[first]) { first += 1 }
        while last > first, ByteClass.isSpace(bytes[last - 1]) { last -= 1 }
        guard fieldCount < positions.count else { throw HTTPViolation(.fieldsTooLarge) }
        positions[fieldCount] = FieldPosition(
            nameStart: UInt16(truncatingIfNeeded: line.lowerBound), nameEnd: UInt16(truncatingIfNeeded: colon),
            valueStart: UInt16(truncatingIfNeeded: first), valueEnd: UInt16(truncatingIfNeeded: last))
        fieldCount += 1
        do throws(HTTPViolation) {
            try note(bytes.slice(line.lowerBound..<colon), first..<last, of: bytes)
        } catch {
            if violation == nil { violation = error }
        }
    }

    /// Acts on the fields that decide how the message is framed and whether the connection goes on.
    private mutating func note(_ name: RawSpan, _ range: Range<Int>, of bytes: RawSpan) throws(HTTPViolation) {
        switch name.byteCount {
        case 4 where name.equalsIgnoringCase("host"):
            guard host == nil, isHost(bytes.slice(range)) else { throw .badRequest }
            host = range
        case 6 where name.equalsIgnoringCase("expect"):
            guard bytes.slice(range).equalsIgnoringCase("100-continue") else { throw HTTPViolation(.expectationFailed) }
            expectsContinue = true
        case 10 where name.equalsIgnoringCase("connection"):
            forEachElement(of: bytes.slice(range)) { option in
                if option.equalsIgnoringCase("close") { asksClose = true }
                if option.equalsIgnoringCase("keep-alive") { asksKeepAlive = true }
            }
        case 14 where name.equalsIgnoringCase("content-length"):
            try readContentLength(bytes.slice(range))
        case 17 where name.equalsIgnoringCase("transfer-encoding"):
            try readTransferEncoding(bytes.slice(range))
        default:
            break
        }
    }

    /// One field of digits. RFC 9110 section 8.6 would let equal repeated lengths pass; they are refused, because
    /// whoever sends two is confused or hostile.
    private mutating func readContentLength(_ value: RawSpan) throws(HTTPViolation) {
        guard contentLength == nil, value.byteCount > 0 else { throw .badRequest }
        for offset in 0..<value.byteCount where !ByteClass.isDigit(value[offset]) { throw .badRequest }
        guard let length = value.decimal else { throw HTTPViolation(.contentTooLarge) }
        contentLength = length
    }

    /// `chunked` and nothing else. A coding not known here gets 501, `chunked` anywhere but once and last 400
    /// (RFC 9112 sections 6.1 and 6.3).
    private mutating func readTransferEncoding(_ value: RawSpan) throws(HTTPViolation) {
        if isChunked { throw .badRequest }
        if value.equalsIgnoringCase("chunked") {
            isChunked = true
            return
        }
        var elements = 0
        var chunkedAt = 0
        forEachElement(of: value) { coding in
            elements += 1
            if chunkedAt == 0 && coding.equalsIgnoringCase("chunked") { chunkedAt = elements }
        }
        throw elements == 0 || (chunkedAt > 0 && chunkedAt < elements) ? .badRequest : HTTPViolation(.notImplemented)
    }
}

/// The elements of a comma-separated list without the space around them, the empty ones passed over
/// (RFC 9110 section 5.6.1).
func forEachElement(of list: RawSpan, _ body: (RawSpan) -> Void) {
    var start = 0
    while start < list.byteCount {
        let comma = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.byteCount
        var first = start
        var last = comma
        while first < last, ByteClass.isSpace(list[first]) { first += 1 }
        while last > first, ByteClass.isSpace(list[last - 1]) { last -= 1 }
        if first < last { body(list.slice(first..<last)) }
        start = comma + 1
    }
}

/// Whether `value` can be `uri-host [":" port]` (RFC 9110 section 7.2): its bytes, and digits behind the last colon.
/// An empty host is allowed.
func isHost(_ value: RawSpan) -> Bool {
    var port = value.byteCount
    for offset in 0..<value.byteCount {
        let byte = value[offset]
        if !ByteClass.isHost(byte) { return false }
        if byte == UInt8(ascii: ":") { port = offset + 1 }
    }
    // In `[::1]` the last colon belongs to the address.
    if value.byteCount > 0, value[0] == UInt8(ascii: "["), value[value.byteCount - 1] == UInt8(ascii: "]") { return true }
    for offset in port..<value.byteCount where !ByteClass.isDigit(value[offset]) { return false }
    return true
}
