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
@usableFromInline package struct RequestHead: ~Copyable {
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
    package private(set) var contentLength: Int?
    var isChunked = false
    var expectsContinue = false
    var asksClose = false
    var asksKeepAlive = false
    /// The first field that cannot be accepted. Thrown once the head is whole, and not before: the answer must not
    /// depend on where the head was cut as it arrived.
    private var violation: HTTPViolation?
    private let inPlace = InPlace()

    @usableFromInline package init() {}

    /// Reads on in the head that `bytes` begin with, behind the lines that `scanner` has seen.
    ///
    /// - Returns: whether the head is whole; it holds positions only then.
    mutating func read(
        _ bytes: RawSpan, with scanner: inout HeadScanner, limits: ResolvedHTTPLimits
    ) throws(HTTPViolation) -> Bool {
        // The lines seen before were checked, but their positions were not kept.
        let resumes = scanner.linesSeen > 0
        while let line = try scanner.next(in: bytes, limits: limits) {
            if scanner.linesSeen == 1 {
                // An empty line before the request line is passed over (RFC 9112 section 2.2): one, at the very start.
                if line.upperBound == 0 { scanner.passOver() } else { try readRequestLine(line, of: bytes) }
            } else if !line.isEmpty {
                try readField(line, of: bytes)
            } else if resumes {
                self = RequestHead()
                scanner = HeadScanner()
                return try read(bytes, with: &scanner, limits: limits)
            } else {
                try finish(length: scanner.offset)
                return true
            }
        }
        return false
    }

    /// Whether the connection can carry another request behind this one (RFC 9112 section 9.3).
    package var allowsKeepAlive: Bool { !asksClose && (minorVersion >= 1 || asksKeepAlive) }

    /// The checks that need the whole head.
    private mutating func finish(length: Int) throws(HTTPViolation) {
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
        methodEnd = bytes.endOfToken(from: start, to: line.upperBound)
        guard methodEnd > start, methodEnd < line.upperBound, bytes.byte(methodEnd) == UInt8(ascii: " ") else {
            throw .badRequest
        }
        let isGET = methodEnd - start == 3 && bytes.holds("GET ", at: start, ignoringCase: false)
        method = isGET ? .get : HTTPMethod(bytes.slice(start..<methodEnd))

        let targetStart = methodEnd + 1
        let mark = bytes.endOfTarget(from: targetStart, to: line.upperBound, orAt: UInt8(ascii: "?"))
        var end = mark
        while end < line.upperBound, bytes.byte(end) == UInt8(ascii: "?") {
            end = bytes.endOfTarget(from: end + 1, to: line.upperBound, orAt: UInt8(ascii: " "))
        }
        guard end > targetStart, end < line.upperBound, bytes.byte(end) == UInt8(ascii: " ") else { throw .badRequest }
        minorVersion = try Self.minorVersion(end + 1..<line.upperBound, of: bytes)
        target = try RequestTarget(targetStart..<end, mark: mark, of: bytes, method: method)
    }

    private static func minorVersion(_ range: Range<Int>, of bytes: RawSpan) throws(HTTPViolation) -> UInt8 {
        guard range.count == 8 else { throw .badRequest }
        if bytes.holds("HTTP/1.1", at: range.lowerBound, ignoringCase: false) { return 1 }
        let version = bytes.slice(range)
        guard version.slice(0..<5).equals("HTTP/"), ByteClass.isDigit(version[5]),
            version[6] == UInt8(ascii: "."), ByteClass.isDigit(version[7])
        else { throw .badRequest }
        if version[5] != UInt8(ascii: "1") { throw HTTPViolation(.versionNotSupported) }
        return version[7] == UInt8(ascii: "0") ? 0 : 1
    }

    // MARK: Fields

    /// `field-name ":" OWS field-value OWS`, RFC 9112 section 5. No space before the colon and no folded line: both
    /// begin with a byte that no name holds.
    private mutating func readField(_ line: Range<Int>, of bytes: RawSpan) throws(HTTPViolation) {
        let colon = bytes.endOfToken(from: line.lowerBound, to: line.upperBound)
        guard colon > line.lowerBound, colon < line.upperBound, bytes.byte(colon) == UInt8(ascii: ":") else {
            throw .badRequest
        }
        var first = colon + 1
        var last = line.upperBound
        while first < last, ByteClass.isSpace(bytes.byte(first)) { first += 1 }
        while last > first, ByteClass.isSpace(bytes.byte(last - 1)) { last -= 1 }
        guard fieldCount < positions.count else { throw HTTPViolation(.fieldsTooLarge) }
        positions[fieldCount] = FieldPosition(
            nameStart: UInt16(truncatingIfNeeded: line.lowerBound), nameEnd: UInt16(truncatingIfNeeded: colon),
            valueStart: UInt16(truncatingIfNeeded: first), valueEnd: UInt16(truncatingIfNeeded: last))
        fieldCount += 1
        do throws(HTTPViolation) {
            try note(line.lowerBound..<colon, first..<last, of: bytes)
        } catch {
            if violation == nil { violation = error }
        }
    }

    /// Acts on the fields that decide how the message is framed and whether the connection goes on.
    private mutating func note(_ name: Range<Int>, _ value: Range<Int>, of bytes: RawSpan) throws(HTTPViolation) {
        switch name.count {
        case 4 where bytes.holds("host", at: name.lowerBound):
            guard host == nil, isHost(value, of: bytes) else { throw .badRequest }
            host = value
        case 6 where bytes.holds("expect", at: name.lowerBound):
            guard bytes.slice(value).equalsIgnoringCase("100-continue") else { throw HTTPViolation(.expectationFailed) }
            expectsContinue = true
        case 10 where bytes.holds("connection", at: name.lowerBound):
            noteConnection(value, of: bytes)
        case 14 where bytes.holds("content-length", at: name.lowerBound):
            try readContentLength(bytes.slice(value))
        case 17 where bytes.holds("transfer-encoding", at: name.lowerBound):
            try readTransferEncoding(bytes.slice(value))
        default:
            break
        }
    }

    private mutating func noteConnection(_ value: Range<Int>, of bytes: RawSpan) {
        if value.count == 10, bytes.holds("keep-alive", at: value.lowerBound) {
            asksKeepAlive = true
            return
        }
        forEachElement(of: bytes.slice(value)) { option in
            if option.equalsIgnoringCase("close") { asksClose = true }
            if option.equalsIgnoringCase("keep-alive") { asksKeepAlive = true }
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

/// Whether a range of `bytes` can be `uri-host [":" port]` (RFC 9110 section 7.2): its bytes, and digits behind the last
/// colon. An empty host is allowed.
func isHost(_ range: Range<Int>, of bytes: RawSpan) -> Bool {
    let plain = bytes.endOfCommonHost(from: range.lowerBound, to: range.upperBound)
    if plain == range.upperBound { return true }
    if bytes.byte(plain) == UInt8(ascii: ":") {
        var offset = plain &+ 1
        while offset < range.upperBound, bytes.byte(offset) &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        if offset == range.upperBound { return true }
    }
    var port = range.upperBound
    for offset in plain..<range.upperBound {
        let byte = bytes[offset]
        if !ByteClass.isHost(byte) { return false }
        if byte == UInt8(ascii: ":") { port = offset + 1 }
    }
    // In `[::1]` the last colon belongs to the address.
    if bytes[range.lowerBound] == UInt8(ascii: "["), bytes[range.upperBound - 1] == UInt8(ascii: "]") { return true }
    for offset in port..<range.upperBound where !ByteClass.isDigit(bytes[offset]) { return false }
    return true
}
