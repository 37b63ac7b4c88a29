public import ConnectionHandling
public import HTTPTypes
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

    /// The head of the request, during the call that it is lent for: none of its calls can keep the writer.
    let lentHead: UnsafeRawBufferPointer?

    @usableFromInline init(
        connection: consuming Connection, exchange: consuming Exchange, lentHead: UnsafeRawBufferPointer? = nil
    ) {
        self.lentHead = lentHead
        self.connection = connection
        self.exchange = exchange
    }

    // MARK: Whole answers

    /// Sends an answer with this body.
    public mutating func send(_ status: HTTPStatus, contentType: StaticString, _ body: StaticString) {
        begin(status)
        field("Content-Type", contentType)
        end(body)
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

    /// Sends a status with itself as a short page: in HTML, JSON (RFC 9457) or plain text, as the request's Accept would
    /// have it. Plain text where it prefers nothing.
    public mutating func sendStatus(_ status: HTTPStatus) {
        begin(status)
        endWithStatus(status)
    }

    /// As ``sendStatus(_:)``, with these fields.
    package mutating func sendStatus(_ status: HTTPStatus, _ fields: HTTPFields) {
        begin(status)
        self.fields(fields)
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

    /// Ends the fields, and sends the status in words as the whole body.
    private mutating func endWithStatus(_ status: HTTPStatus) {
        // 205 has an empty body (RFC 9110 section 15.3.6).
        if status.forbidsBody || status.code == 205 { return end() }
        noticePage()
        var page = ByteQueue()
        exchange.page.append(status, to: &page)
        field("Content-Type", exchange.page.contentType)
        // The plain one may be given to anybody.
        if exchange.page == .html || exchange.page == .json { field("Vary", "Accept") }
        end(page.bytes)
    }

    /// Finds out what an error would be told in, while the request is lent.
    mutating func noticePage() {
        guard exchange.page == .undecided, let head = lentHead else { return }
        exchange.page = StatusPage(acceptedBy: RawSpan(_unsafeBytes: head))
    }

    // MARK: Answers field by field

    /// Begins the answer. `Date` and what frames the body are added; do not send them yourself.
    public mutating func begin(_ status: HTTPStatus) {
        precondition(exchange.progress == .open, "an answer has begun already")
        exchange.progress = .fields
        exchange.writeStatus(status, on: &connection)
        // The exchange holds it until its end, and nobody gives it another one: to count it here would be for nothing.
        exchange.heldChain?._withUnsafeGuaranteedRef { $0.sending(status, with: &self) }
    }

    /// Begins the answer with these fields. Those that frame messages and manage connections are left out: they are the
    /// server's.
    public mutating func begin(_ head: HTTPResponse) {
        begin(HTTPStatus(head.status))
        fields(head.headerFields)
    }

    /// Sends a field. A literal is the program's own, and is sent as it stands.
    public mutating func field(_ name: StaticString, _ value: StaticString) {
        precondition(exchange.progress == .fields, "fields stand between the status and the body")
        if let held { return Self.append(name, value, to: &held.fields) }
        Self.append(name, value, to: &connection.output)
    }

    /// In one step: most answers have such a field. The two numbers are `: ` and CRLF.
    private static func append(_ name: StaticString, _ value: StaticString, to output: inout ByteQueue) {
        let (nameLength, valueLength) = (name.utf8CodeUnitCount, value.utf8CodeUnitCount)
        output.append(capacity: nameLength + valueLength + 4) { room in
            guard let first = room.baseAddress else { return 0 }
            first.copyMemory(from: name.utf8Start, byteCount: nameLength)
            first.storeBytes(of: UInt16(littleEndian: 0x203A), toByteOffset: nameLength, as: UInt16.self)
            (first + nameLength + 2).copyMemory(from: value.utf8Start, byteCount: valueLength)
            first.storeBytes(of: UInt16(littleEndian: 0x0A0D), toByteOffset: nameLength + valueLength + 2, as: UInt16.self)
            return room.count
        }
    }

    /// Sends a field. Control bytes in the value, which could end the field, become spaces (RFC 9110 section 5.5).
    public mutating func field(_ name: StaticString, _ value: RawSpan) {
        precondition(exchange.progress == .fields, "fields stand between the status and the body")
        if let held { return Self.append(name, value, to: &held.fields) }
        Self.append(name, value, to: &connection.output)
    }

    private static func append(_ name: StaticString, _ value: RawSpan, to output: inout ByteQueue) {
        output.append(name)
        output.append(": ")
        append(value, to: &output)
    }

    private static func append(_ value: RawSpan, to output: inout ByteQueue) {
        var start = 0
        while start < value.byteCount {
            let stop = value.firstControl(from: start, to: value.byteCount)
            output.append(value.slice(start..<stop))
            if stop < value.byteCount { output.append(" ") }
            start = stop + 1
        }
        output.append("\r\n")
    }

    /// As ``field(_:_:)``, from a string. Disfavoured, because a literal would otherwise be taken for a `String`, and copied.
    @_disfavoredOverload public mutating func field(_ name: StaticString, _ value: String) {
        field(name, Array(value.utf8).span.bytes)
    }

    /// As ``field(_:_:)``, with a name of swift-http-types.
    public mutating func field(_ name: HTTPField.Name, _ value: String) {
        precondition(exchange.progress == .fields, "fields stand between the status and the body")
        if let held { return Self.append(name, value, to: &held.fields) }
        Self.append(name, value, to: &connection.output)
    }

    private static func append(_ name: HTTPField.Name, _ value: String, to output: inout ByteQueue) {
        output.append(name.rawName)
        output.append(": ")
        append(Array(value.utf8).span.bytes, to: &output)
    }

    /// Sends fields, but for those that frame messages and manage connections: they are the server's.
    public mutating func fields(_ fields: HTTPFields) {
        for one in fields where !Self.isServers(one.name) { field(one.name, one.value) }
    }

    private static func isServers(_ name: HTTPField.Name) -> Bool {
        switch name {
        case .date, .connection, .contentLength, .transferEncoding, .upgrade, .trailer, .te: true
        default: name.canonicalName == "keep-alive"
        }
    }

    /// Sends a field whose value is a date.
    public mutating func field(_ name: StaticString, unixSeconds: Int64) {
        var date = ByteQueue()
        HTTPDate.append(unixSeconds: unixSeconds, to: &date)
        field(name, date.bytes)
    }

    /// Sends an informational answer, such as 103 with links (RFC 8297), before the answer itself. To a client of HTTP/1.0,
    /// which knows none, nothing is sent.
    ///
    /// - Precondition: `status` is 102 to 199, without 101, and the answer has not begun.
    public mutating func sendInformational(_ status: HTTPStatus, _ fields: HTTPFields) {
        precondition(status.code > 101 && status.code < 200, "not an informational status")
        precondition(exchange.progress == .open, "an answer has begun already")
        if exchange.minorVersion == 0 { return }
        Exchange.writeStatusLine(status, on: &connection)
        for one in fields where !Self.isServers(one.name) { Self.append(one.name, one.value, to: &connection.output) }
        connection.write("\r\n")
    }

    /// Ends the answer with this as its whole body. For a status that allows none, see ``end()``.
    public mutating func end(_ body: RawSpan) {
        if held != nil { return endEncoded(body) }
        endWhole(length: body.byteCount)
        writeWhole(body)
    }

    private mutating func end(_ body: StaticString) {
        if held != nil {
            return body.withUTF8Buffer { endEncoded(RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
        }
        endWhole(length: body.utf8CodeUnitCount)
        guard exchange.sendsBody else { return }
        exchange.bytesWritten = body.utf8CodeUnitCount
        connection.write(body)
    }

    /// Ends the fields of an answer whose whole body is there.
    mutating func endWhole(length: Int?) {
        precondition(exchange.progress == .fields, "a body comes behind the status")
        exchange.progress = .ended
        // The rest of its request is not waited for.
        if exchange.isFarFromEnd { exchange.endConnection() }
        exchange.endFields(length: length, on: &connection)
    }

    mutating func writeWhole(_ body: RawSpan) {
        guard exchange.sendsBody else { return }
        exchange.bytesWritten = body.byteCount
        connection.write(body)
    }

    // MARK: Streamed bodies

    /// Begins a body that is written piece by piece; `length` nil if it is not known. Stop writing while
    /// ``isBackedUp``, and go on at ``HTTPApplication/drained(_:)``.
    public mutating func startBody(length: Int?) {
        precondition(exchange.progress == .fields, "a body comes behind the status")
        let isEncoding = releaseFields(length: length)
        exchange.endFields(length: isEncoding ? nil : length, on: &connection)
        exchange.progress = .body
    }

    /// Writes a copy of `bytes`, the body's next.
    ///
    /// - Precondition: they do not pass the length given to ``startBody(length:)``.
    public mutating func write(_ bytes: RawSpan) {
        guard exchange.progress == .body else { return dropBehindEnd("startBody() comes first") }
        if let encoding { return writeEncoded(bytes, encoding) }
        exchange.writeBody(bytes, on: &connection)
    }

    /// Writes `count` bytes of a file from `offset`, the body's next, without a copy through this process. Only for a
    /// body whose length was given. See ``ConnectionHandling/Connection/write(_:from:count:)``.
    public mutating func write(_ file: OpenFile, from offset: Int = 0, count: Int) {
        guard exchange.progress == .body else { return dropBehindEnd("startBody() comes first") }
        if let encoding { return writeEncoded(file, offset..<offset + count, encoding) }
        exchange.writeBody(file, from: offset, count: count, on: &connection)
    }

    /// Ends a body that was written piece by piece, or an answer without a body.
    ///
    /// - Precondition: as many bytes were written as ``startBody(length:)`` was given.
    public mutating func end() { end(trailers: [:]) }

    /// As ``end()``, with fields behind the body. They are dropped where the body's framing has no place for them: it has
    /// one if the length was not known, and the client speaks HTTP/1.1.
    public mutating func end(trailers: HTTPFields) {
        if exchange.progress == .fields {
            _ = releaseFields(length: 0)
            return endWhole(length: 0)
        }
        guard exchange.progress == .body else { return dropBehindEnd("begin() comes first") }
        finishEncoding()
        if exchange.progress == .ended { return }
        exchange.endBody(on: &connection)
        if exchange.takesTrailers {
            for one in trailers where !Self.isServers(one.name) { Self.append(one.name, one.value, to: &connection.output) }
            connection.write("\r\n")
        }
        exchange.progress = .ended
    }

    /// Only an answer that was cut off may be gone on with, for nothing: nobody foresees that an encoder fails, or that a
    /// file has become shorter.
    private func dropBehindEnd(_ mistake: StaticString) {
        precondition(exchange.progress == .ended && exchange.end == .cutOff, "\(mistake)")
    }

    /// The answer cannot be completed: lets the client see that, by cutting it off. What is written must never look
    /// whole when it is not. What else is written of it is dropped.
    public mutating func abort() {
        exchange.progress = .ended
        exchange.end = .cutOff
        connection.close(.aborting)
    }

    /// So much waits to be sent that more should be written only at ``HTTPApplication/drained(_:)``.
    public var isBackedUp: Bool { connection.isBackedUp }

    /// The answer has begun.
    public var hasBegun: Bool { exchange.progress != .open }

    /// The answer is written whole, or was cut off.
    package var hasEnded: Bool { exchange.progress == .ended }

    /// What was answered; nil before it was decided.
    public var status: HTTPStatus? { exchange.status == 0 ? nil : HTTPStatus(exchange.status) }

    /// Bytes of the body written so far, in the coding in which they are sent.
    public var bytesWritten: Int { exchange.bytesWritten }

    /// What `Date` says.
    package var unixSeconds: Int64 { connection.clock.unixSeconds }

    /// The driver's time.
    package var now: MonotonicTime { connection.clock.now }

    // MARK: The exchange

    /// Who asked.
    public var peer: SocketAddress { connection.peer }

    /// The values that belong to this exchange. Made when it is first asked for.
    public var context: ExchangeContext {
        mutating get {
            if let context = exchange.context { return context }
            let made = ExchangeContext(clock: connection.clock)
            exchange.context = made
            return made
        }
    }

    /// The trailer fields of the request, if its body was delivered whole (RFC 9110 section 6.5). Those of a streamed body come
    /// with ``HTTPApplication/bodyEnded(trailers:with:)``.
    public var requestTrailers: HTTPFields { exchange.context?.trailers ?? [:] }

    /// The context, if one was made.
    package var existingContext: ExchangeContext? { exchange.context }

    /// Hears of the answer as it begins.
    package var chain: MiddlewareChain? {
        get { exchange.chain }
        set { exchange.chain = newValue }
    }

    /// Holds back the rest of a streamed request body, until it is set to false again in ``HTTPApplication/answered(_:)`` or
    /// ``HTTPApplication/drained(_:)``. The client is not read from meanwhile.
    public var pausesBody: Bool {
        get { connection.isReadingPaused }
        set { if newValue { connection.pauseReading() } else { connection.resumeReading() } }
    }

    // MARK: Waiting

    /// Something is awaited.
    public var isAwaiting: Bool { connection.isAwaiting }

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
