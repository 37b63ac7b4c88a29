public import ConnectionHandling
public import ReactorWire

/// Serves HTTP/1.1 and HTTP/1.0 (RFC 9110, RFC 9112) on one connection, and has `Application` answer the requests.
///
/// ```swift
/// try loop.listen(on: "127.0.0.1:8080") { HTTPServerHandler(application: SampleSite()) }
/// ```
public struct HTTPServerHandler<Application: HTTPApplication & ~Copyable>: ConnectionHandler, ~Copyable {
    @usableFromInline var application: Application
    @usableFromInline var server: HTTPServerConnection

    public init(application: consuming Application, limits: HTTPLimits = .default) {
        self.application = application
        server = HTTPServerConnection(limits: limits)
    }

    @inlinable public mutating func connected(on connection: inout Connection) { server.waitForRequest(on: &connection) }

    @inlinable public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        var answered = 0
        while server.isReady(connection) {
            if server.hasBody {
                // Its end may have been all that came: then the next request is waited for.
                if !receiveBody(bytes, from: &used, on: &connection) { break }
            } else {
                var head = RequestHead()
                switch server.next(in: bytes, from: &used, into: &head, on: &connection) {
                case .nothing: return used
                case .request(let range):
                    respond(to: RequestView(head: head, bytes: bytes.extracting(range)), server.startExchange(head), on: &connection)
                case .head(let range): startBody(of: head, at: range, in: bytes, from: &used, on: &connection)
                case .refused(let status): refuse(status, on: &connection)
                }
            }
            if used == bytes.byteCount { break }
            answered += 1
            if server.yields(after: answered, on: &connection) { return used }
        }
        server.waitForRequest(on: &connection)
        return used
    }

    @inlinable mutating func respond(
        to request: borrowing RequestView, _ exchange: consuming Exchange, on connection: inout Connection
    ) {
        var response = ResponseWriter(connection: connection, exchange: exchange, lentHead: request.lentHead)
        application.respond(to: request, with: &response)
        connection = settle(response)
    }

    /// The application has returned: what else there is to tell it.
    @inlinable mutating func settle(_ response: consuming ResponseWriter) -> Connection {
        var exchange = Exchange()
        var connection = server.settle(response, into: &exchange)
        if exchange.progress == .ended {
            tellEnd(of: exchange)
        } else if server.hasBody {
            tellBodyEnd(on: &connection)
        }
        return connection
    }

    @inlinable mutating func tellEnd(of exchange: consuming Exchange) {
        application.exchangeEnded(exchange.summarize())
    }

    // MARK: Bodies

    @inline(never) @inlinable mutating func startBody(
        of head: borrowing RequestHead, at range: Range<Int>, in bytes: RawSpan, from used: inout Int,
        on connection: inout Connection
    ) {
        let delivery = application.delivery(of: RequestView(head: head, bytes: bytes.extracting(range)))
        switch server.startBody(delivery, of: head, at: range, in: bytes, from: &used, on: &connection) {
        case .request(let range):
            respond(to: RequestView(head: head, bytes: bytes.extracting(range)), server.startExchange(head), on: &connection)
        case .refused(let status): refuse(status, bytes.extracting(range).withUnsafeBytes { $0 }, on: &connection)
        case .nothing, .head: break
        }
    }

    /// - Returns: whether there may be more to read.
    @inline(never) @inlinable mutating func receiveBody(
        _ bytes: RawSpan, from used: inout Int, on connection: inout Connection
    ) -> Bool {
        switch server.nextBody(in: bytes, from: &used, on: &connection) {
        case .nothing:
            // Its end may have come with nothing before it.
            tellBodyEnd(on: &connection)
            return used < bytes.byteCount
        case .piece(let range):
            var response = ResponseWriter(connection: connection, exchange: server.resumeExchange())
            application.received(bytes.extracting(range), with: &response)
            connection = settle(response)
        case .collected:
            var head = RequestHead()
            var exchange = Exchange()
            let collected = server.takeCollected(into: &head, starting: &exchange, on: &connection)
            respond(to: RequestView(head: head, bytes: collected.bytes), exchange, on: &connection)
        case .refused(let status):
            refuse(status, server.collectedHead, on: &connection)
        case .passed, .endless:
            break
        }
        return true
    }

    @inline(never) @inlinable mutating func tellBodyEnd(on connection: inout Connection) {
        guard server.owesBodyEnd(connection) else { return }
        let trailers = server.takeTrailers(on: &connection)
        var response = ResponseWriter(connection: connection, exchange: server.resumeExchange())
        application.bodyEnded(trailers: trailers, with: &response)
        connection = settle(response)
    }

    /// - Parameter head: of the request, where that was read: what is wrong is behind it.
    @inline(never) @inlinable mutating func refuse(
        _ status: HTTPStatus, _ head: UnsafeRawBufferPointer? = nil, on connection: inout Connection
    ) {
        if server.hasExchange {
            var exchange = server.resumeExchange()
            server.replaceAnswer(of: &exchange, status, on: &connection)
            tellEnd(of: exchange)
        } else if server.passesBodyOver {
            connection.close(.lingering)
        } else {
            var response = ResponseWriter(connection: connection, exchange: server.startRefusal(), lentHead: head)
            application.refused(status, with: &response)
            var exchange = Exchange()
            connection = server.settleRefusal(status, response, into: &exchange)
            tellEnd(of: exchange)
        }
    }

    // MARK: Later

    @inlinable public mutating func answered(on connection: inout Connection) {
        guard server.hasExchange else { return }
        var response = ResponseWriter(connection: connection, exchange: server.resumeExchange())
        application.answered(&response)
        connection = settle(response)
        server.waitForRequest(on: &connection)
    }

    @inlinable public mutating func drained(on connection: inout Connection) {
        if connection.isAwaiting { return }
        guard server.hasExchange else { return server.waitForRequest(on: &connection) }
        var response = ResponseWriter(connection: connection, exchange: server.resumeExchange())
        application.drained(&response)
        connection = settle(response)
        server.waitForRequest(on: &connection)
    }

    @inlinable public mutating func deadlineExpired(on connection: inout Connection) {
        if server.endsYield(on: &connection) { return }
        if let status = server.deadlineExpired(on: &connection) { refuse(status, server.collectedHead, on: &connection) }
    }

    @inlinable public mutating func stopping(on connection: inout Connection) { server.stopping(on: &connection) }

    @inlinable public mutating func endOfInput(on connection: inout Connection) { server.endOfInput(on: &connection) }

    @inlinable public mutating func closed(_ reason: CloseReason) {
        guard server.hasExchange else { return }
        var exchange = server.resumeExchange()
        exchange.end = .connectionLost
        tellEnd(of: exchange)
    }
}
