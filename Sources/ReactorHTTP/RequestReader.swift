import ConnectionHandling
import ReactorWire

/// Reads requests from a connection's bytes: knows where in a request the connection stands, and nothing of answers.
///
/// A request that lies whole in the lent bytes stays there. Otherwise the head, once whole, and the body as it comes
/// are collected in a buffer that lasts until the request is answered.
@usableFromInline struct RequestReader: ~Copyable {
    enum State {
        /// Nothing of the next request has arrived.
        case idle
        /// The head has begun.
        case head
        /// The body has so many bytes to come.
        case body(remaining: Int)
        /// Indirect: an idle connection does not hold room for it.
        indirect case chunked(ChunkedDecoder)
    }

    /// What ``next(in:from:into:on:)`` found.
    @usableFromInline enum Found {
        case nothing
        /// A whole request: these of the lent bytes.
        case lent(Range<Int>)
        /// A whole request: the bytes of ``takeCollected()``.
        case collected
    }

    let limits: ResolvedHTTPLimits
    private(set) var state = State.idle
    /// The request being read is a HEAD, as far as it has come.
    private(set) var isHEAD = false
    private var scanner = HeadScanner()
    private var collected = ByteQueue()

    init(limits: HTTPLimits) { self.limits = .resolving(limits) }

    var isIdle: Bool { if case .idle = state { true } else { false } }

    /// Reads on behind `used`, which it moves behind what it consumed. `head` is fresh, and filled when a request is
    /// found.
    mutating func next(
        in bytes: RawSpan, from used: inout Int, into head: inout RequestHead, on connection: inout Connection
    ) throws(HTTPViolation) -> Found {
        if isBetweenBodies {
            let start = used
            let waiting = bytes.slice(start..<bytes.byteCount)
            isHEAD = Self.beginsWithHEAD(waiting)
            guard try readHead(waiting, into: &head, on: &connection) else { return .nothing }
            scanner = HeadScanner()
            if let whole = try startBody(waiting, of: head, from: &used, on: &connection) { return .lent(whole) }
        }
        guard try collect(bytes, from: &used) else { return .nothing }
        state = .idle
        connection.isMidMessage = false
        head = RequestHead()
        try Self.parse(collected.bytes, into: &head, limits: limits)
        return .collected
    }

    private var isBetweenBodies: Bool {
        switch state {
        case .idle, .head: true
        case .body, .chunked: false
        }
    }

    /// Known before the line is whole: a line that is refused must be answered as what it asks for, too.
    private static func beginsWithHEAD(_ bytes: RawSpan) -> Bool {
        // One empty line may stand before the request line.
        let start = bytes.byteCount > 2 && bytes.slice(0..<2).equals("\r\n") ? 2 : 0
        return bytes.byteCount >= start + 5 && bytes.slice(start..<start + 5).equals("HEAD ")
    }

    /// The collected request, and room for the next one.
    mutating func takeCollected() -> ByteQueue {
        var taken = ByteQueue()
        swap(&taken, &collected)
        return taken
    }

    // MARK: The head

    /// - Returns: whether the head is whole.
    private mutating func readHead(
        _ bytes: RawSpan, into head: inout RequestHead, on connection: inout Connection
    ) throws(HTTPViolation) -> Bool {
        let resumes = scanner.linesSeen > 0
        while let line = try scanner.next(in: bytes, limits: limits) {
            if line.isEmpty && scanner.linesSeen > 1 {
                // The lines seen in earlier calls were checked, but their positions were not kept.
                if resumes {
                    head = RequestHead()
                    try Self.parse(bytes, into: &head, limits: limits)
                } else {
                    try head.finish(length: Int(scanner.line))
                }
                return true
            }
            try head.add(line, isFirst: scanner.linesSeen == 1, of: bytes)
        }
        if isIdle {
            state = .head
            connection.setDeadline(afterNanoseconds: limits.headTime)
        }
        return false
    }

    /// Reads a head that is known to be whole.
    private static func parse(
        _ bytes: RawSpan, into head: inout RequestHead, limits: ResolvedHTTPLimits
    ) throws(HTTPViolation) {
        var scanner = HeadScanner()
        while let line = try scanner.next(in: bytes, limits: limits) {
            if line.isEmpty && scanner.linesSeen > 1 { return try head.finish(length: Int(scanner.line)) }
            try head.add(line, isFirst: scanner.linesSeen == 1, of: bytes)
        }
    }

    // MARK: The body

    /// Decides how the body is framed (RFC 9112 section 6.3). `bytes` begin at the head, `used` is where they stand.
    ///
    /// - Returns: where the request lies if it is whole; otherwise the body is to be collected.
    private mutating func startBody(
        _ bytes: RawSpan, of head: borrowing RequestHead, from used: inout Int, on connection: inout Connection
    ) throws(HTTPViolation) -> Range<Int>? {
        let length = head.contentLength ?? 0
        if length > limits.body { throw HTTPViolation(.contentTooLarge) }
        let available = bytes.byteCount - head.length
        if !head.isChunked && length <= available {
            let start = used
            used += head.length + length
            state = .idle
            return start..<used
        }
        collected.append(bytes.slice(0..<head.length))
        used += head.length
        state = head.isChunked ? .chunked(ChunkedDecoder()) : .body(remaining: length)
        connection.setDeadline(afterNanoseconds: limits.bodyTime)
        connection.isMidMessage = true
        // A peer that has begun to send the body does not wait for the word (RFC 9110 section 10.1.1).
        if head.expectsContinue && available == 0 { connection.write("HTTP/1.1 100 Continue\r\n\r\n") }
        return nil
    }

    /// - Returns: whether the body is whole.
    private mutating func collect(_ bytes: RawSpan, from used: inout Int) throws(HTTPViolation) -> Bool {
        switch state {
        case .idle, .head:
            return false
        case .body(let remaining):
            let count = min(remaining, bytes.byteCount - used)
            collected.append(bytes.slice(used..<used + count))
            used += count
            state = .body(remaining: remaining - count)
            return count == remaining
        case .chunked(var decoder):
            used += try decoder.decode(bytes.slice(used..<bytes.byteCount), into: &collected, limits: limits)
            state = .chunked(decoder)
            return decoder.isFinished
        }
    }
}
