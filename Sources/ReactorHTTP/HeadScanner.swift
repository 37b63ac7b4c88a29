import ReactorWire

/// Finds the lines of a head, and remembers how far it has looked: a head that arrives byte by byte is looked at once.
///
/// Offsets count from the head's first byte. Lines end in CRLF only, although RFC 9112 section 2.2 would allow a bare
/// LF: recipients that disagree on where a line ends are how requests are smuggled.
struct HeadScanner {
    /// Where the line that is not yet whole begins.
    private(set) var line: UInt16 = 0
    private var looked: UInt16 = 0
    private(set) var linesSeen: UInt16 = 0

    /// The next whole line without its CRLF; nil when more bytes are needed. `bytes` begin at the head's first byte.
    mutating func next(in bytes: RawSpan, limits: ResolvedHTTPLimits) throws(HTTPViolation) -> Range<Int>? {
        let start = Int(line)
        // Looking no further than the limit makes the answer the same however the bytes were split.
        let end = min(bytes.byteCount, limits.head)
        let stop = bytes.firstControl(from: Int(looked), to: end)
        if linesSeen == 0 && stop - start > limits.requestLine { throw HTTPViolation(.uriTooLong) }
        guard stop + 1 < end else {
            if stop < end && bytes[stop] != UInt8(ascii: "\r") { throw .badRequest }
            if bytes.byteCount >= limits.head { throw HTTPViolation(.fieldsTooLarge) }
            looked = UInt16(truncatingIfNeeded: stop)
            return nil
        }
        guard bytes[stop] == UInt8(ascii: "\r"), bytes[stop + 1] == UInt8(ascii: "\n") else { throw .badRequest }
        line = UInt16(truncatingIfNeeded: stop + 2)
        looked = line
        // An empty line before the request line is passed over (RFC 9112 section 2.2): one, at the very start.
        if start == 0 && stop == 0 { return try next(in: bytes, limits: limits) }
        linesSeen += 1
        if Int(linesSeen) - 1 > limits.fields && stop > start { throw HTTPViolation(.fieldsTooLarge) }
        return start..<stop
    }
}
