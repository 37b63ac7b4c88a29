import ReactorWire

/// Finds the lines of a head, and remembers how far it has looked: a head that arrives byte by byte is looked at once.
///
/// Offsets count from the head's first byte. Lines end in CRLF only, although RFC 9112 section 2.2 would allow a bare
/// LF: recipients that disagree on where a line ends are how requests are smuggled.
struct HeadScanner {
    /// Where the line that is not yet whole begins.
    private var line: UInt16 = 0
    private var looked: UInt16 = 0
    private(set) var linesSeen: UInt16 = 0

    /// Behind the lines that were found.
    var offset: Int { Int(line) }

    /// The next whole line without its CRLF, and without control bytes other than HTAB in it; nil when more bytes are
    /// needed. `bytes` begin at the head's first byte.
    @inline(__always)
    mutating func next(in bytes: RawSpan, limits: ResolvedHTTPLimits) throws(HTTPViolation) -> Range<Int>? {
        let start = Int(line)
        // Looking no further than the limit makes the answer the same however the bytes were split.
        let end = min(bytes.byteCount, limits.head)
        let stop = bytes.firstControlUnchecked(from: Int(looked), to: end)
        if linesSeen == 0 && stop - start > limits.requestLine { throw HTTPViolation(.uriTooLong) }
        guard stop + 1 < end else {
            if stop < end && bytes.byte(stop) != UInt8(ascii: "\r") { throw .badRequest }
            if bytes.byteCount >= limits.head { throw HTTPViolation(.fieldsTooLarge) }
            looked = UInt16(truncatingIfNeeded: stop)
            return nil
        }
        guard bytes.byte(stop) == UInt8(ascii: "\r"), bytes.byte(stop + 1) == UInt8(ascii: "\n") else { throw .badRequest }
        line = UInt16(truncatingIfNeeded: stop + 2)
        looked = line
        linesSeen += 1
        if Int(linesSeen) - 1 > limits.fields && stop > start { throw HTTPViolation(.fieldsTooLarge) }
        return start..<stop
    }

    /// Lets the line that was found not be the first.
    mutating func passOver() { linesSeen = 0 }
}
