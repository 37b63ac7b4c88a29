import ReactorHTTP
public import ReactorWire

/// What a ``MultipartParser`` finds, in the order of the body: for each part its head, its bytes in any number of pieces,
/// and its end.
public protocol MultipartReceiver: ~Copyable {
    mutating func partBegan(_ head: MultipartHead) throws(MultipartViolation)
    /// The part's next bytes, lent for the length of the call.
    mutating func partReceived(_ bytes: RawSpan) throws(MultipartViolation)
    mutating func partEnded() throws(MultipartViolation)
}

/// Reads `multipart/form-data` (RFC 7578) as it comes, in any pieces. A part's bytes are passed on where they lie: the parser
/// keeps no more than the head of one part.
///
/// Strict where readers differ: a line that begins with the boundary is a delimiter or a violation, every line ends in CRLF,
/// and a body must end with the closing delimiter.
public struct MultipartParser: ~Copyable {
    private enum State {
        /// Before the first delimiter, whose CRLF is missing if it stands at the front.
        case preamble
        /// Behind a boundary: `--`, or spaces and CRLF.
        case delimiterEnd
        case head
        case body
        /// Behind the last part. What comes is passed over (RFC 2046 section 5.1.1).
        case epilogue
        case failed
    }

    private var state = State.preamble
    /// CRLF, `--` and the boundary.
    private let delimiter: [UInt8]
    private let limits: MultipartLimits
    /// How much of the delimiter the last bytes were. What they were is known from it, so they need not be kept.
    private var matched = 2
    /// Of ``matched``, what is not the part's own: the CRLF that ended its head, or none that came.
    private var borrowed = 2
    /// What stands behind the boundary, or the lines of a head, as far as they have come.
    private var line: [UInt8] = []
    private var preambleLength = 0
    private var parts = 0

    /// - Parameter contentType: the request's, whose boundary tells the parts apart.
    public init(contentType: RawSpan, limits: MultipartLimits = .default) throws(MultipartViolation) {
        guard let type = FieldParameters(contentType), type.word == "multipart/form-data", let boundary = type["boundary"],
            Self.isBoundary(boundary)
        else { throw .notMultipart }
        delimiter = Array("\r\n--".utf8) + boundary
        self.limits = limits
    }

    /// `boundary`, RFC 2046 section 5.1.1.
    private static func isBoundary(_ text: [UInt8]) -> Bool {
        guard let last = text.last, text.count <= 70, last != UInt8(ascii: " ") else { return false }
        return text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: Array("'()+_,-./:=? ".utf8).contains(byte)
            }
        }
    }

    /// Takes the body's next bytes, all of them.
    ///
    /// - Throws: what is wrong with them, or what `receiver` threw. The parser then takes nothing more.
    public mutating func receive<Receiver: MultipartReceiver & ~Copyable>(
        _ bytes: RawSpan, into receiver: inout Receiver
    ) throws(MultipartViolation) {
        do throws(MultipartViolation) {
            var offset = 0
            while offset < bytes.byteCount {
                switch state {
                case .preamble, .body: try scan(bytes, &offset, &receiver)
                case .delimiterEnd:
                    try endDelimiter(bytes[offset])
                    offset += 1
                case .head:
                    try receiveHead(bytes[offset], &receiver)
                    offset += 1
                case .epilogue: return
                case .failed: throw .malformedHead
                }
            }
        } catch {
            state = .failed
            throw error
        }
    }

    /// The body has ended.
    public mutating func finish() throws(MultipartViolation) {
        guard case .epilogue = state else {
            state = .failed
            throw .truncated
        }
    }

    // MARK: Bytes of a part

    /// Looks for the delimiter, and passes on what comes before it. A CR stands only at its front, so bytes that were taken
    /// for its beginning, and are not, hold no other beginning.
    private mutating func scan<Receiver: MultipartReceiver & ~Copyable>(
        _ bytes: RawSpan, _ offset: inout Int, _ receiver: inout Receiver
    ) throws(MultipartViolation) {
        let start = offset
        // Of the beginning that was found so far, what came with earlier pieces.
        var earlier = matched
        while offset < bytes.byteCount {
            if matched == 0 {
                offset = bytes.firstIndex(of: UInt8(ascii: "\r"), from: offset) ?? bytes.byteCount
                if offset == bytes.byteCount { break }
            }
            if bytes[offset] == delimiter[matched] {
                offset += 1
                matched += 1
                if matched < delimiter.count { continue }
                try passOn(bytes.slice(start..<offset - (matched - earlier)), &receiver)
                return try endPart(&receiver)
            }
            if earlier > borrowed { try passOn(Array(delimiter[borrowed..<earlier]).span.bytes, &receiver) }
            earlier = 0
            borrowed = 0
            matched = 0
        }
        // A beginning at the end of the piece is kept back.
        try passOn(bytes.slice(start..<bytes.byteCount - (matched - earlier)), &receiver)
    }

    private mutating func passOn<Receiver: MultipartReceiver & ~Copyable>(
        _ bytes: RawSpan, _ receiver: inout Receiver
    ) throws(MultipartViolation) {
        if bytes.byteCount == 0 { return }
        if case .body = state { return try receiver.partReceived(bytes) }
        preambleLength += bytes.byteCount
        if preambleLength > limits.preamble { throw .preambleTooLong }
    }

    private mutating func endPart<Receiver: MultipartReceiver & ~Copyable>(_ receiver: inout Receiver) throws(MultipartViolation) {
        if case .body = state { try receiver.partEnded() }
        state = .delimiterEnd
        line.removeAll(keepingCapacity: true)
    }

    // MARK: Between parts

    /// Behind the boundary come `--`, or CRLF, with spaces before it that a relay may have added.
    private mutating func endDelimiter(_ byte: UInt8) throws(MultipartViolation) {
        switch (line.last, byte) {
        case (nil, UInt8(ascii: "-")), (nil, UInt8(ascii: " ")), (nil, UInt8(ascii: "\t")):
            line.append(byte)
        case (UInt8(ascii: " "), UInt8(ascii: " ")), (UInt8(ascii: " "), UInt8(ascii: "\t")), (UInt8(ascii: "\t"), UInt8(ascii: " ")),
            (UInt8(ascii: "\t"), UInt8(ascii: "\t")):
            return
        case (nil, UInt8(ascii: "\r")), (UInt8(ascii: " "), UInt8(ascii: "\r")), (UInt8(ascii: "\t"), UInt8(ascii: "\r")):
            line.append(byte)
        case (UInt8(ascii: "-"), UInt8(ascii: "-")):
            state = .epilogue
        case (UInt8(ascii: "\r"), UInt8(ascii: "\n")):
            parts += 1
            if parts > limits.parts { throw .tooManyParts }
            state = .head
            line.removeAll(keepingCapacity: true)
        default: throw .malformedDelimiter
        }
    }

    private mutating func receiveHead<Receiver: MultipartReceiver & ~Copyable>(
        _ byte: UInt8, _ receiver: inout Receiver
    ) throws(MultipartViolation) {
        // CR and LF stand together, or not at all.
        if (line.last == UInt8(ascii: "\r")) != (byte == UInt8(ascii: "\n")) { throw .malformedHead }
        line.append(byte)
        if line.count > limits.head { throw .headTooLong }
        guard byte == UInt8(ascii: "\n"), line.count == 2 || line.suffix(4) == Array("\r\n\r\n".utf8)[...] else { return }
        let head = try MultipartHead(line.span.bytes.slice(0..<max(line.count - 4, 0)), limits: limits)
        state = .body
        // The empty line of a part without bytes may be the delimiter's as well (RFC 2046, `body-part`).
        matched = 2
        borrowed = 2
        try receiver.partBegan(head)
    }
}
