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
        while server.isReady(connection) {
            var head = RequestHead()
            switch server.next(in: bytes, from: &used, into: &head, on: &connection) {
            case .nothing:
                return used
            case .lent(let range):
                respond(to: RequestView(head: head, bytes: bytes.extracting(range)), on: &connection)
            case .collected:
                let collected = server.takeCollected()
                respond(to: RequestView(head: head, bytes: collected.bytes), on: &connection)
            }
            if used == bytes.byteCount { break }
        }
        server.waitForRequest(on: &connection)
        return used
    }

    @inlinable mutating func respond(to request: borrowing RequestView, on connection: inout Connection) {
        var response = ResponseWriter(connection: connection, exchange: server.exchange)
        application.respond(to: request, with: &response)
        connection = server.settle(response)
    }

    @inlinable public mutating func answered(on connection: inout Connection) {
        guard server.hasExchange else { return }
        var response = ResponseWriter(connection: connection, exchange: server.exchange)
        application.answered(&response)
        connection = server.settle(response)
        server.waitForRequest(on: &connection)
    }

    @inlinable public mutating func drained(on connection: inout Connection) {
        if connection.isAwaiting { return }
        guard server.hasExchange else { return server.waitForRequest(on: &connection) }
        var response = ResponseWriter(connection: connection, exchange: server.exchange)
        application.drained(&response)
        connection = server.settle(response)
        server.waitForRequest(on: &connection)
    }

    @inlinable public mutating func deadlineExpired(on connection: inout Connection) {
        server.deadlineExpired(on: &connection)
    }

    @inlinable public mutating func stopping(on connection: inout Connection) { server.stopping(on: &connection) }
}
