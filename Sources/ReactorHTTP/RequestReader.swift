import ConnectionHandling
import ReactorWire

/// Reads requests from a connection's bytes: knows where in a request the connection stands, and nothing of answers.
///
/// A request that lies whole in the lent bytes stays there, and so do the pieces of a streamed body. Otherwise the head,
/// once whole, and the body as it comes are collected in a buffer that lasts until the request is answered.
@usableFromInline struct RequestReader: ~Copyable {
    enum State {
        /// Nothing of the next request has arrived.
        case idle
        /// The head has begun.
        case head
        /// The head was read, and its body has not ended, or its end was not told.
        case body(IncomingBody)
    }

    /// What ``next(in:from:into:on:)`` found.
    @usableFromInline enum Found {
        case nothing
        /// A whole request without a body: these of the lent bytes.
        case request(Range<Int>)
        /// A whole head, these of the lent bytes, with a body behind it: say what becomes of it by
        /// ``startBody(_:of:in:from:on:)``.
        case head(Range<Int>)
        /// The request cannot be read: it is to be answered with this, and the connection closed.
        case refused(HTTPStatus)
    }

    /// What has come of a body.
    @usableFromInline enum BodyPart {
        /// All that there was is used, and there is more to come.
        case nothing
        /// These of the lent bytes, of a streamed body.
        case piece(Range<Int>)
        /// The body is whole, and lies with its head in ``takeCollected()``.
        case collected
        /// A body that was passed over is over.
        case passed
        /// A body that is passed over is too long for that.
        case endless
        case refused(HTTPStatus)
    }

    let limits: ResolvedHTTPLimits
    private(set) var state = State.idle
    /// The request being read is a HEAD, as far as it has come.
    private(set) var isHEAD = false
    private var scanner = HeadScanner()

    init(limits: HTTPLimits) { self.limits = .resolving(limits) }

    var isIdle: Bool { if case .idle = state { true } else { false } }

    /// The body that is arriving, if one is.
    var body: IncomingBody? { if case .body(let body) = state { body } else { nil } }

    @usableFromInline var hasBody: Bool { if case .body = state { true } else { false } }

    /// Reads on behind `used`, which it moves behind what it consumed: a request without a body, or a head. `head` is fresh,
    /// and filled when one is found.
    mutating func next(
        in bytes: RawSpan, from used: inout Int, into head: inout RequestHead, on connection: inout Connection
    ) throws(HTTPViolation) -> Found {
        let start = used
        let waiting = bytes.slice(start..<bytes.byteCount)
        isHEAD = Self.beginsWithHEAD(waiting)
        guard try readHead(waiting, into: &head, on: &connection) else { return .nothing }
        scanner = HeadScanner()
        used += head.length
        if head.isChunked || (head.contentLength ?? 0) > 0 { return .head(start..<used) }
        state = .idle
        return .request(start..<used)
    }

    /// Known before the line is whole: a line that is refused must be answered as what it asks for, too.
    private static func beginsWithHEAD(_ bytes: RawSpan) -> Bool {
        // One empty line may stand before the request line.
        let start = bytes.byteCount > 2 && bytes.slice(0..<2).equals("\r\n") ? 2 : 0
        return bytes.byteCount >= start + 5 && bytes.slice(start..<start + 5).equals("HEAD ")
    }

    // MARK: The head

    /// - Returns: whether the head is whole.
    private mutating func readHead(
        _ bytes: RawSpan, into head: inout RequestHead, on connection: inout Connection
    ) throws(HTTPViolation) -> Bool {
        if try head.read(bytes, with: &scanner, limits: limits) { return true }
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
        _ = try head.read(bytes, with: &scanner, limits: limits)
    }

    // MARK: The body

    /// Decides what becomes of the body behind `head`, which lies at `range` of `bytes` and ends where `used` stands
    /// (RFC 9112 section 6.3).
    ///
    /// - Returns: where the request lies if it is whole and wanted so.
    mutating func startBody(
        _ delivery: BodyDelivery, of head: borrowing RequestHead, at range: Range<Int>, in bytes: RawSpan,
        from used: inout Int, on connection: inout Connection
    ) throws(HTTPViolation) -> Range<Int>? {
        let limit = min(max(delivery.limit ?? limits.body, 0), HTTPLimits.largestBody)
        let length = head.isChunked ? nil : head.contentLength ?? 0
        let available = bytes.byteCount - used
        if let length, length > limit { throw HTTPViolation(.contentTooLarge) }
        if let length, !delivery.isStreamed, length <= available {
            used += length
            state = .idle
            return range.lowerBound..<used
        }
        // A peer that has begun to send the body does not wait for the word (RFC 9110 section 10.1.1).
        let isExpected = head.expectsContinue && available == 0
        let body = IncomingBody(
            use: delivery.isStreamed ? .streamed : .collected, length: length, limit: limit, isExpected: isExpected)
        state = .body(body)
        connection.setDeadline(afterNanoseconds: limits.bodyTime)
        connection.isMidMessage = true
        if body.use == .collected {
            body.collected.append(bytes.slice(range))
            if isExpected { Self.sendContinue(body, on: &connection) }
        }
        return nil
    }

    /// Tells a client that waits for it to send the body.
    static func sendContinue(_ body: IncomingBody, on connection: inout Connection) {
        body.isExpected = false
        connection.write("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Reads on in the body that is arriving.
    mutating func nextBody(in bytes: RawSpan, from used: inout Int) throws(HTTPViolation) -> BodyPart {
        guard case .body(let body) = state else { return .nothing }
        while let range = try body.next(in: bytes, from: &used, limits: limits) {
            switch body.use {
            case .streamed: return .piece(range)
            case .collected: body.collected.append(bytes.slice(range))
            case .discarded: if !body.passOver(range.count, limit: limits.discardedBody) { return .endless }
            }
        }
        if !body.isComplete { return .nothing }
        switch body.use {
        case .streamed: return .nothing
        case .collected: return .collected
        case .discarded: return .passed
        }
    }

    /// The body is over.
    mutating func endBody(on connection: inout Connection) {
        state = .idle
        connection.isMidMessage = false
    }

    /// The collected request: its head and its body.
    mutating func takeCollected(into head: inout RequestHead, on connection: inout Connection) -> ByteQueue {
        var taken = ByteQueue()
        guard case .body(let body) = state else { return taken }
        swap(&taken, &body.collected)
        endBody(on: &connection)
        // The same bytes were read without a fault before.
        do throws(HTTPViolation) { try Self.parse(taken.bytes, into: &head, limits: limits) } catch {}
        return taken
    }
}
