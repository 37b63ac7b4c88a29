import HTTPTypes
import ReactorWire

/// Decodes the chunked transfer coding (RFC 9112 section 7.1). Extensions are passed over; they and the trailer section
/// are bounded.
struct ChunkedDecoder: ~Copyable {
    private enum State: UInt8 {
        /// Before the first digit of a size.
        case sizeStart
        case size
        /// Space behind the size, which only an extension may follow.
        case space
        case extensions
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case trailerStart
        case trailerName
        case trailer
        case trailerLineFeed
        case lastLineFeed
        case finished
    }

    private var state = State.sizeStart
    /// Of the chunk's size while it is read, then of its data still to come.
    private var remaining = 0
    private var decoded = 0
    private var received = 0
    private var overhead = 0
    private var line = 0
    /// The lines of the trailer section, each with its CRLF.
    private var trailers = ByteQueue()
    private var trailerCount = 0

    var isFinished: Bool { state == .finished }
    var hasTrailers: Bool { !trailers.isEmpty }

    /// The next run of data in `bytes`, behind `used`, which is moved behind it: all that is there, unless the body ends
    /// before. Nil when there is no more of it.
    mutating func next(
        in bytes: RawSpan, from used: inout Int, limit: Int, limits: ResolvedHTTPLimits
    ) throws(HTTPViolation) -> Range<Int>? {
        while used < bytes.byteCount, state != .finished {
            if state == .data {
                let start = used
                used += min(remaining, bytes.byteCount - used)
                remaining -= used - start
                received += used - start
                if remaining == 0 { state = .dataReturn }
                return start..<used
            }
            try step(bytes[used], limit: limit, limits: limits)
            used += 1
            overhead += 1
            // Counted against what has come of the data, not what a size promises. No body is so long that this overflows.
            if overhead > limits.chunkOverhead + 8 * received { throw .badRequest }
        }
        return nil
    }

    private mutating func step(_ byte: UInt8, limit: Int, limits: ResolvedHTTPLimits) throws(HTTPViolation) {
        switch (state, byte) {
        case (.sizeStart, _):
            remaining = try Self.digit(byte)
            state = .size
        case (.size, UInt8(ascii: "\r")), (.extensions, UInt8(ascii: "\r")):
            state = .sizeLineFeed
        case (.size, UInt8(ascii: ";")), (.space, UInt8(ascii: ";")):
            state = .extensions
        case (.size, UInt8(ascii: " ")), (.size, UInt8(ascii: "\t")):
            state = .space
        case (.size, _):
            // Checked at each digit, so that the size cannot overflow.
            remaining = remaining * 16 + (try Self.digit(byte))
        case (.space, UInt8(ascii: " ")), (.space, UInt8(ascii: "\t")):
            break
        case (.sizeLineFeed, UInt8(ascii: "\n")):
            decoded += remaining
            state = remaining == 0 ? .trailerStart : .data
        case (.dataReturn, UInt8(ascii: "\r")):
            state = .dataLineFeed
        case (.dataLineFeed, UInt8(ascii: "\n")):
            state = .sizeStart
        default:
            try stepTrailers(byte, limits)
        }
        line += 1
        if line > limits.chunkLine { throw .badRequest }
        if byte == UInt8(ascii: "\n") { line = 0 }
        if remaining > limit - decoded && state != .data { throw HTTPViolation(.contentTooLarge) }
    }

    private mutating func stepTrailers(_ byte: UInt8, _ limits: ResolvedHTTPLimits) throws(HTTPViolation) {
        switch (state, byte) {
        case (.trailerStart, UInt8(ascii: "\r")):
            state = .lastLineFeed
        case (.lastLineFeed, UInt8(ascii: "\n")):
            state = .finished
        case (.trailerStart, _):
            if !ByteClass.isToken(byte) { throw .badRequest }
            trailerCount += 1
            if trailerCount > limits.fields { throw HTTPViolation(.fieldsTooLarge) }
            state = .trailerName
            trailers.append(byte)
        case (.trailerName, _):
            if byte == UInt8(ascii: ":") { state = .trailer } else if !ByteClass.isToken(byte) { throw .badRequest }
            trailers.append(byte)
        case (.trailer, UInt8(ascii: "\r")):
            state = .trailerLineFeed
        case (.extensions, _):
            if ByteClass.isControl(byte) { throw .badRequest }
        case (.trailer, _):
            if ByteClass.isControl(byte) { throw .badRequest }
            trailers.append(byte)
        case (.trailerLineFeed, UInt8(ascii: "\n")):
            state = .trailerStart
            trailers.append("\r\n")
        default:
            throw .badRequest
        }
        // They are kept: however long the body was, they may be no more than a head.
        if trailers.count > limits.head { throw HTTPViolation(.fieldsTooLarge) }
    }

    private static func digit(_ byte: UInt8) throws(HTTPViolation) -> Int {
        guard let value = hexDigit(byte) else { throw .badRequest }
        return Int(value)
    }

    /// The trailer section's fields, but for those that frame or route a message, which mean nothing there and must not be
    /// taken for what a head said (RFC 9110 section 6.5.1).
    mutating func takeTrailers() -> HTTPFields {
        var taken = ByteQueue()
        swap(&taken, &trailers)
        let bytes = taken.bytes
        var fields = HTTPFields()
        var start = 0
        while start < bytes.byteCount, let end = bytes.firstIndex(of: UInt8(ascii: "\r"), from: start) {
            let line = bytes.slice(start..<end)
            start = end + 2
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            var first = colon + 1
            var last = line.byteCount
            while first < last, ByteClass.isSpace(line[first]) { first += 1 }
            while last > first, ByteClass.isSpace(line[last - 1]) { last -= 1 }
            if !Self.isForbidden(line.slice(0..<colon)) { fields.append(name: line.slice(0..<colon), value: line.slice(first..<last)) }
        }
        return fields
    }

    private static func isForbidden(_ name: RawSpan) -> Bool {
        name.equalsIgnoringCase("content-length") || name.equalsIgnoringCase("transfer-encoding") || name.equalsIgnoringCase("host")
            || name.equalsIgnoringCase("connection") || name.equalsIgnoringCase("trailer") || name.equalsIgnoringCase("te")
            || name.equalsIgnoringCase("content-encoding") || name.equalsIgnoringCase("content-type")
            || name.equalsIgnoringCase("content-range") || name.equalsIgnoringCase("authorization")
            || name.equalsIgnoringCase("cookie") || name.equalsIgnoringCase("set-cookie")
    }
}
