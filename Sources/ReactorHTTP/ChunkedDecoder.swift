import ReactorWire

/// Decodes the chunked transfer coding (RFC 9112 section 7.1). Extensions and trailers are passed over, and bounded.
struct ChunkedDecoder {
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
        case trailer
        case trailerLineFeed
        case lastLineFeed
        case finished
    }

    private var state = State.sizeStart
    /// Of the chunk's size while it is read, then of its data still to come.
    private var remaining = 0
    private var decoded = 0
    private var overhead = 0
    private var line = 0

    var isFinished: Bool { state == .finished }

    /// Appends what `bytes` hold of the body to `body`.
    ///
    /// - Returns: how many bytes were consumed: all of them, unless the body has ended.
    mutating func decode(
        _ bytes: RawSpan, into body: inout ByteQueue, limits: ResolvedHTTPLimits
    ) throws(HTTPViolation) -> Int {
        var used = 0
        while used < bytes.byteCount, state != .finished {
            if state == .data {
                let count = min(remaining, bytes.byteCount - used)
                body.append(bytes.slice(used..<used + count))
                used += count
                remaining -= count
                if remaining == 0 { state = .dataReturn }
                continue
            }
            try step(bytes[used], limits: limits)
            used += 1
            overhead += 1
            if overhead > limits.chunkOverhead { throw .badRequest }
        }
        return used
    }

    private mutating func step(_ byte: UInt8, limits: ResolvedHTTPLimits) throws(HTTPViolation) {
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
        case (.trailerStart, UInt8(ascii: "\r")):
            state = .lastLineFeed
        case (.trailerStart, _):
            if !ByteClass.isToken(byte) { throw .badRequest }
            state = .trailer
        case (.trailer, UInt8(ascii: "\r")):
            state = .trailerLineFeed
        case (.extensions, _), (.trailer, _):
            if ByteClass.isControl(byte) { throw .badRequest }
        case (.trailerLineFeed, UInt8(ascii: "\n")):
            state = .trailerStart
        case (.lastLineFeed, UInt8(ascii: "\n")):
            state = .finished
        default:
            throw .badRequest
        }
        line += 1
        if line > limits.chunkLine { throw .badRequest }
        if byte == UInt8(ascii: "\n") { line = 0 }
        if remaining > limits.body - decoded && state != .data { throw HTTPViolation(.contentTooLarge) }
    }

    private static func digit(_ byte: UInt8) throws(HTTPViolation) -> Int {
        guard let value = hexDigit(byte) else { throw .badRequest }
        return Int(value)
    }
}
