public import ConnectionHandling
public import HTTPTypes
public import ReactorWire

/// The part of a server's connection that does not depend on the application: where it stands between reading a
/// request, answering it, and waiting for the next one.
@usableFromInline struct HTTPServerConnection: ~Copyable {
    private var reader: RequestReader
    /// Answered on this connection.
    private var requests: UInt32 = 0
    /// Pipelined requests wait for the next turn, so that other connections have theirs.
    private var isYielding = false
    /// The exchange that goes on between the handler's calls. Most end within one, and idle connections have none.
    private var ongoing: OngoingExchange?

    @usableFromInline init(limits: HTTPLimits) { reader = RequestReader(limits: limits) }

    /// A request is being answered.
    @usableFromInline var hasExchange: Bool { ongoing != nil }

    /// The body of a request is arriving.
    @usableFromInline var hasBody: Bool { reader.hasBody }

    /// Whether more can be read. Requests are answered one by one, in their order.
    @usableFromInline func isReady(_ connection: borrowing Connection) -> Bool {
        (!hasExchange || hasBody) && connection.takesInput
    }

    /// The body that is arriving is that of a request that was answered.
    @usableFromInline var passesBodyOver: Bool { reader.body?.use == .discarded }

    // MARK: Reading

    @usableFromInline mutating func next(
        in bytes: RawSpan, from used: inout Int, into head: inout RequestHead, on connection: inout Connection
    ) -> RequestReader.Found {
        do throws(HTTPViolation) {
            return try reader.next(in: bytes, from: &used, into: &head, on: &connection)
        } catch {
            return .refused(error.status)
        }
    }

    /// A body is to be delivered in this way.
    ///
    /// - Returns: the whole request, or the head of one whose body is streamed; nothing if the body is collected.
    @usableFromInline mutating func startBody(
        _ delivery: BodyDelivery, of head: borrowing RequestHead, at range: Range<Int>, in bytes: RawSpan,
        from used: inout Int, on connection: inout Connection
    ) -> RequestReader.Found {
        do throws(HTTPViolation) {
            if let whole = try reader.startBody(delivery, of: head, at: range, in: bytes, from: &used, on: &connection) {
                return .request(whole)
            }
            guard let body = reader.body, body.use == .streamed else { return .nothing }
            return .request(range)
        } catch {
            return .refused(error.status)
        }
    }

    @usableFromInline mutating func nextBody(
        in bytes: RawSpan, from used: inout Int, on connection: inout Connection
    ) -> RequestReader.BodyPart {
        do throws(HTTPViolation) {
            let part = try reader.nextBody(in: bytes, from: &used)
            switch part {
            case .passed: reader.endBody(on: &connection)
            case .endless: connection.close(.lingering)
            case .piece:
                ongoing?.bodyComes(isFarFromEnd: (reader.body?.remaining ?? 0) > reader.limits.discardedBody)
            case .nothing, .collected, .refused: break
            }
            return part
        } catch {
            return .refused(error.status)
        }
    }

    /// A request whose body was collected, with its exchange, which has the trailers.
    @usableFromInline mutating func takeCollected(
        into head: inout RequestHead, starting exchange: inout Exchange, on connection: inout Connection
    ) -> ByteQueue {
        let trailers = reader.body.flatMap { $0.hasTrailers ? $0.takeTrailers() : nil }
        let collected = reader.takeCollected(into: &head, on: &connection)
        exchange = startExchange(head)
        if let trailers {
            let context = ExchangeContext(clock: connection.clock)
            context.trailers = trailers
            exchange.context = context
        }
        return collected
    }

    /// A streamed body has come whole, and its application has yet to hear of that.
    @usableFromInline func owesBodyEnd(_ connection: borrowing Connection) -> Bool {
        guard hasExchange, let body = reader.body else { return false }
        return body.use == .streamed && body.isComplete && connection.takesInput
    }

    @usableFromInline mutating func takeTrailers(on connection: inout Connection) -> HTTPFields {
        let trailers = reader.body?.takeTrailers() ?? [:]
        ongoing?.bodyHasEnded()
        reader.endBody(on: &connection)
        return trailers
    }

    /// The answer to a request begins.
    @usableFromInline mutating func startExchange(_ head: borrowing RequestHead) -> Exchange {
        var exchange = Exchange(head)
        requests &+= 1
        if requests >= reader.limits.requests { exchange.endConnection() }
        if let body = reader.body, body.use == .streamed {
            exchange.owesBody = body.isExpected
            exchange.isStreaming = true
            exchange.isFarFromEnd = body.remaining > reader.limits.discardedBody
        }
        return exchange
    }

    /// The exchange that goes on; none is left behind until it is settled.
    @usableFromInline mutating func resumeExchange() -> Exchange {
        defer { ongoing = nil }
        return ongoing?.exchange.take() ?? Exchange()
    }

    // MARK: Turns

    /// Whether the connection has had its share of this turn, `count` requests answered, while there is more to read.
    @usableFromInline mutating func yields(after count: Int, on connection: inout Connection) -> Bool {
        if count < reader.limits.requestsPerTurn || hasExchange || hasBody || !connection.takesInput { return false }
        isYielding = true
        connection.pauseReading()
        connection.setDeadline(afterNanoseconds: 0)
        return true
    }

    /// The next turn has come.
    @usableFromInline mutating func endsYield(on connection: inout Connection) -> Bool {
        if !isYielding { return false }
        isYielding = false
        connection.resumeReading()
        return true
    }

    /// The head of a request whose body is collected.
    @usableFromInline var collectedHead: UnsafeRawBufferPointer? {
        guard let body = reader.body, body.use == .collected else { return nil }
        return body.collected.withUnsafeBytes { $0 }
    }

    // MARK: Answering

    /// What follows when the application returns: the next request, the end, or more of this answer later. An exchange that
    /// has ended is handed back, ``ExchangeEnd`` and all; one that goes on is kept.
    @usableFromInline mutating func settle(_ response: consuming ResponseWriter, into exchange: inout Exchange) -> Connection {
        if response.exchange.progress == .open { response.noticePage() }
        exchange = response.exchange
        var connection = response.connection
        if exchange.progress == .ended {
            finish(&exchange, on: &connection)
        } else if connection.isAwaiting {
            connection.setDeadline(afterNanoseconds: reader.limits.answerTime)
        } else if let body = reader.body {
            settleBody(body, of: exchange, on: &connection)
        } else if exchange.progress == .body && connection.isBackedUp {
            // The driver's write limit counts now.
            connection.clearDeadline()
        } else if exchange.progress == .open {
            replaceAnswer(of: &exchange, .internalServerError, on: &connection)
        } else {
            // The application forgot the rest of its answer: no one would ever complete it.
            exchange.cutOff(on: &connection)
        }
        if exchange.progress != .ended { ongoing = OngoingExchange(exchange.take()) }
        return connection
    }

    /// A streamed body goes on.
    private func settleBody(_ body: IncomingBody, of exchange: borrowing Exchange, on connection: inout Connection) {
        if connection.isBackedUp { return connection.clearDeadline() }
        if connection.isReadingPaused { return connection.setDeadline(afterNanoseconds: reader.limits.answerTime) }
        if body.isExpected && exchange.progress == .open { RequestReader.sendContinue(body, on: &connection) }
        connection.setDeadline(afterNanoseconds: reader.limits.bodyTime)
    }

    private mutating func finish(_ exchange: inout Exchange, on connection: inout Connection) {
        if exchange.isUpgraded { return }
        connection.resumeReading()
        if let body = reader.body {
            // What is on its way would be taken for the next request.
            if body.isComplete {
                reader.endBody(on: &connection)
            } else if exchange.owesBody || !exchange.keepsAlive || !body.discard(limit: reader.limits.discardedBody) {
                return connection.close(.lingering)
            } else {
                connection.setDeadline(afterNanoseconds: reader.limits.bodyTime)
            }
        }
        if !exchange.keepsAlive || connection.isStopping {
            // A peer that did not ask for the end may have requests on their way, and a reset would cost it the answer.
            connection.close(exchange.peerCloses ? .flushing : .lingering)
        }
    }

    /// Answers in the application's place, if nothing of its answer is written, and ends the connection and the exchange.
    @usableFromInline func replaceAnswer(
        of exchange: inout Exchange, _ status: HTTPStatus, on connection: inout Connection
    ) {
        // What has begun cannot be taken back, only cut off.
        if exchange.progress != .open { return exchange.cutOff(on: &connection) }
        exchange.end = .refused
        exchange.endConnection()
        var response = ResponseWriter(connection: connection, exchange: exchange.take())
        response.sendStatus(status)
        exchange = response.exchange
        connection = response.connection
        connection.close(.lingering)
    }

    /// A request that is refused before the application sees it.
    @usableFromInline func startRefusal() -> Exchange { Exchange(refusingHEAD: reader.isHEAD) }

    /// The refusal must be whole: there is no more of it to come.
    @usableFromInline func settleRefusal(
        _ status: HTTPStatus, _ response: consuming ResponseWriter, into exchange: inout Exchange
    ) -> Connection {
        exchange = response.exchange
        var connection = response.connection
        if exchange.progress == .ended {
            connection.close(.lingering)
        } else {
            replaceAnswer(of: &exchange, status, on: &connection)
        }
        return connection
    }

    // MARK: Time and the end

    /// Sets the deadline for the next request, unless one has begun or is being answered.
    @usableFromInline mutating func waitForRequest(on connection: inout Connection) {
        guard reader.isIdle, !hasExchange, !connection.isClosing, !isYielding else { return }
        // The peer has yet to take the answers: the driver's write limit counts until it has.
        if connection.isBackedUp { return connection.clearDeadline() }
        connection.setDeadline(afterNanoseconds: reader.limits.keepAliveTime)
    }

    /// The deadline has passed.
    ///
    /// - Returns: what to refuse the request with that has not come whole, or whose answer has not.
    @usableFromInline mutating func deadlineExpired(on connection: inout Connection) -> HTTPStatus? {
        if hasExchange {
            let isWaitingForBody = hasBody && !connection.isAwaiting && !connection.isReadingPaused
            return isWaitingForBody ? .requestTimeout : .serviceUnavailable
        }
        if reader.isIdle || passesBodyOver {
            connection.close()
            return nil
        }
        return .requestTimeout
    }

    @usableFromInline mutating func endOfInput(on connection: inout Connection) {
        // Half an answer must not look whole.
        connection.close(ongoing.map { $0.exchange.progress != .open } == true ? .aborting : .flushing)
    }

    @usableFromInline mutating func stopping(on connection: inout Connection) {
        // Whose answer is out, and who still sends a body for it, is not reset for that.
        if passesBodyOver { return connection.close(.lingering) }
        if reader.isIdle && !hasExchange && !isYielding { connection.close() }
    }
}

/// Keeps an exchange between calls.
private final class OngoingExchange {
    @exclusivity(unchecked) var exchange: Exchange

    init(_ exchange: consuming Exchange) { self.exchange = exchange }

    /// A piece of the request's body is there.
    func bodyComes(isFarFromEnd: Bool) {
        exchange.owesBody = false
        exchange.isFarFromEnd = isFarFromEnd
    }

    func bodyHasEnded() {
        exchange.isStreaming = false
        // There may have been nothing of it.
        exchange.owesBody = false
    }

    /// Whoever takes the exchange leaves none behind. A driver that goes with its process tells nobody.
    deinit { exchange.dropReferences() }
}
