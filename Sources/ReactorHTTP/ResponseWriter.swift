public import ConnectionHandling
import ReactorWire

/// Writes one answer, and asks for what the answer waits for. Nothing in it depends on the version of HTTP below.
///
/// An answer is ``send(_:contentType:_:)`` in one call; or ``begin(_:)``, ``field(_:_:)`` as often as needed, and then
/// either ``end(_:)`` with the whole body, or ``startBody(length:)``, ``write(_:)`` as often as needed and ``end()``.
/// For HEAD the same calls are made, and the body is not sent. Calls in another order are a mistake in the application
/// and trap.
public struct ResponseWriter: ~Copyable {
    @usableFromInline var connection: Connection
    @usableFromInline var exchange: Exchange

    @usableFromInline init(connection: consuming Connection, exchange: Exchange) {
        self.connection = connection
        self.exchange = exchange
    }

    @usableFromInline consuming func intoConnection() -> Connection { connection }

    // MARK: Whole answers

    /// Sends an answer with this body.
    public mutating func send(_ status: HTTPStatus, contentType: StaticString, _ body: StaticString) {
        begin(status)
        field("Content-Type", contentType)
        endFields(length: body.utf8CodeUnitCount)
        if exchange.sendsBody { connection.write(body) }
    }

    /// Sends an answer with a copy of this body.
    public mutating func send(_ status: HTTPStatus, contentType: StaticString, _ body: RawSpan) {
        begin(status)
        field("Content-Type", contentType)
        end(body)
    }

    /// Sends an answer without a body.
    public mutating func send(_ status: HTTPStatus) {
        begin(status)
        end()
    }

    /// Sends a status with itself as a short text: `404 Not Found`.
    public mutating func sendStatus(_ status: HTTPStatus) {
        begin(status)
        endWithStatus(status)
    }

    /// Sends 405 with an Allow field, or 501 if the method is none that the server knows, unless `method` is one of
    /// `allowed` (RFC 9110 sections 15.5.6 and 15.6.2).
    ///
    /// - Returns: whether it did.
    public mutating func refuses(_ method: HTTPMethod, allowed: HTTPMethods) -> Bool {
        if method == .other {
            sendStatus(.notImplemented)
            return true
        }
        if allowed.contains(HTTPMethods(method)) { return false }
        begin(.methodNotAllowed)
        field("Allow", allowed.names)
        endWithStatus(.methodNotAllowed)
        return true
    }

    private mutating func endWithStatus(_ status: HTTPStatus) {
        exchange.progress = .ended
        exchange.writeStatusText(status, on: &connection)
    }

    // MARK: Answers field by field

    /// Begins the answer. `Date` and what frames the body are added; do not send them yourself.
    public mutating func begin(_ status: HTTPStatus) {
        precondition(exchange.progress == .open, "an answer has begun already")
        exchange.progress = .fields
        exchange.writeStatus(status, on: &connection)
    }

    /// Sends a field.
    public mutating func field(_ name: StaticString, _ value: StaticString) {
        writeName(name)
        connection.write(value)
        connection.write("\r\n")
    }

    /// Sends a field. Control bytes in the value, which could end the field, become spaces (RFC 9110 section 5.5).
    public mutating func field(_ name: StaticString, _ value: RawSpan) {
        writeName(name)
        var start = 0
        while start < value.byteCount {
            let stop = value.firstControl(from: start, to: value.byteCount)
            connection.write(value.slice(start..<stop))
            if stop < value.byteCount { connection.write(" ") }
            start = stop + 1
        }
        connection.write("\r\n")
    }

    /// As ``field(_:_:)``, from a string.
    public mutating func field(_ name: StaticString, _ value: String) {
        field(name, Array(value.utf8).span.bytes)
    }

    /// Sends a field whose value is a date.
    public mutating func field(_ name: StaticString, unixSeconds: Int64) {
        writeName(name)
        HTTPDate.append(unixSeconds: unixSeconds, to: &connection.output)
        connection.write("\r\n")
    }

    private mutating func writeName(_ name: StaticString) {
        precondition(exchange.progress == .fields, "fields stand between the status and the body")
        connection.write(name)
        connection.write(": ")
    }

    /// Ends the answer with this as its whole body. For a status that allows none, see ``end()``.
    public mutating func end(_ body: RawSpan) {
        endFields(length: body.byteCount)
        if exchange.sendsBody { connection.write(body) }
    }

    private mutating func endFields(length: Int) {
        precondition(exchange.progress == .fields, "a body comes behind the status")
        exchange.endFields(length: length, on: &connection)
        exchange.progress = .ended
    }

    // MARK: Streamed bodies

    /// Begins a body that is written piece by piece; `length` nil if it is not known. Stop writing while
    /// ``isBackedUp``, and go on at ``HTTPApplication/drained(_:)``.
    public mutating func startBody(length: Int?) {
        precondition(exchange.progress == .fields, "a body comes behind the status")
        exchange.endFields(length: length, on: &connection)
        exchange.progress = .body
    }

    /// Writes a copy of `bytes`, the body's next.
    ///
    /// - Precondition: they do not pass the length given to ``startBody(length:)``.
    public mutating func write(_ bytes: RawSpan) {
        precondition(exchange.progress == .body, "startBody() comes first")
        exchange.writeBody(bytes, on: &connection)
    }

    /// Writes `count` bytes of a file from `offset`, the body's next, without a copy through this process. Only for a
    /// body whose length was given. See ``ConnectionHandling/Connection/write(_:from:count:)``.
    public mutating func write(_ file: OpenFile, from offset: Int = 0, count: Int) {
        precondition(exchange.progress == .body, "startBody() comes first")
        exchange.writeBody(file, from: offset, count: count, on: &connection)
    }

    /// Ends a body that was written piece by piece, or an answer without a body.
    ///
    /// - Precondition: as many bytes were written as ``startBody(length:)`` was given.
    public mutating func end() {
        if exchange.progress == .fields { return endFields(length: 0) }
        precondition(exchange.progress == .body, "begin() comes first")
        exchange.endBody(on: &connection)
        exchange.progress = .ended
    }

    /// The answer cannot be completed: lets the client see that, by cutting it off. What is written must never look
    /// whole when it is not.
    public mutating func abort() {
        exchange.progress = .ended
        connection.close(.aborting)
    }

    /// So much waits to be sent that more should be written only at ``HTTPApplication/drained(_:)``.
    public var isBackedUp: Bool { connection.isBackedUp }

    /// What `Date` says.
    package var unixSeconds: Int64 { connection.clock.unixSeconds }

    // MARK: Waiting

    /// Who asked.
    public var peer: SocketAddress { connection.peer }

    /// Has blocking `work` run elsewhere, and ``HTTPApplication/answered(_:)`` called when it is done.
    /// See ``ConnectionHandling/Connection/perform(_:)``.
    public mutating func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) -> Awaited<Value> {
        connection.perform(work)
    }

    /// As ``perform(_:)``, for work that suspends instead of blocking.
    public mutating func await<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) -> Awaited<Value> {
        connection.await(work)
    }
}
