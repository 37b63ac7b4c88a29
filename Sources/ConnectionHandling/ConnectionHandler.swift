/// Speaks a protocol on one connection: events come in as calls, decisions go out through the ``Connection``.
///
/// A handler never sees a socket, a thread or a clock of its own, so the same handler runs on a reactor, under threads
/// and in forked processes. Its driver makes it where it is used, calls it from one thread at a time, never calls it
/// from within itself, and never moves it elsewhere; a handler needs neither locks nor `Sendable`.
///
/// The order of calls is `connected`, then any of the others, then `closed`, exactly once and last.
public protocol ConnectionHandler: ~Copyable, SendableMetatype {
    /// The connection is there. Greet, or set a first deadline. Default: nothing.
    mutating func connected(on connection: inout Connection)

    /// Bytes have arrived.
    ///
    /// The bytes are lent for the length of the call. What was not consumed is kept by the driver and lent again, with
    /// more behind it, at the next call. Leave bytes unconsumed only when more are needed to go on, or when the handler
    /// awaits an answer, paused reading, is backed up or closed: the driver calls again when that is over.
    ///
    /// - Returns: how many of the bytes were consumed, from the front.
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int

    /// The peer will send no more (it closed, or shut down its sending side); output can still be written. Called
    /// after every byte was offered to ``received(_:on:)``. Default: close once the output is written.
    mutating func endOfInput(on connection: inout Connection)

    /// The deadline set on the connection has passed. It is cleared before the call. Default: close.
    mutating func deadlineExpired(on connection: inout Connection)

    /// The answer to ``Connection/perform(_:)`` or ``Connection/await(_:)`` is in its ``Awaited``. Default: nothing.
    mutating func answered(on connection: inout Connection)

    /// The output has reached the high watermark: write no more until `drained`, and stop whoever produces it. Called
    /// once for each time; ``Connection/isBackedUp`` says the same while writing. Default: nothing.
    mutating func backedUp(on connection: inout Connection)

    /// The handshake of ``Connection/start(_:keepingInput:)`` is over: what is written and received from now on is
    /// protected. A handshake that fails is told to ``closed(_:)``. Default: nothing.
    mutating func secured(on connection: inout Connection)

    /// The connection was backed up and its output has drained to the low watermark: write on. Default: nothing.
    mutating func drained(on connection: inout Connection)

    /// The server is stopping: finish what is in flight, then close. Called at most once. Default: close.
    mutating func stopping(on connection: inout Connection)

    /// The connection is gone. Always the last call, and always made. Default: nothing.
    mutating func closed(_ reason: CloseReason)
}

extension ConnectionHandler where Self: ~Copyable {
    @inlinable public mutating func connected(on connection: inout Connection) {}
    @inlinable public mutating func endOfInput(on connection: inout Connection) { connection.close() }
    @inlinable public mutating func deadlineExpired(on connection: inout Connection) { connection.close() }
    @inlinable public mutating func answered(on connection: inout Connection) {}
    @inlinable public mutating func secured(on connection: inout Connection) {}
    @inlinable public mutating func backedUp(on connection: inout Connection) {}
    @inlinable public mutating func drained(on connection: inout Connection) {}
    @inlinable public mutating func stopping(on connection: inout Connection) { connection.close() }
    @inlinable public mutating func closed(_ reason: CloseReason) {}
}

/// A handler behind one indirect call, so that drivers are written and compiled once. The subclass is generic and
/// inlinable: the handler's own code is specialised where the handler is made.
open class HandlerBox {
    @usableFromInline init() {}

    open func connected(on connection: inout Connection) {}
    open func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    open func endOfInput(on connection: inout Connection) {}
    open func deadlineExpired(on connection: inout Connection) {}
    open func answered(on connection: inout Connection) {}
    open func secured(on connection: inout Connection) {}
    open func backedUp(on connection: inout Connection) {}
    open func drained(on connection: inout Connection) {}
    open func stopping(on connection: inout Connection) {}
    open func closed(_ reason: CloseReason) {}
}

/// The box for handlers of one type; see ``HandlerBox``.
public final class TypedHandlerBox<Handler: ConnectionHandler & ~Copyable>: HandlerBox {
    /// Never reached while one of its calls is under way, which drivers see to: the check at run time would be a tenth of
    /// a small event.
    @exclusivity(unchecked) public var handler: Handler

    @inlinable public init(_ handler: consuming Handler) {
        self.handler = handler
        super.init()
    }

    @inlinable public override func connected(on connection: inout Connection) { handler.connected(on: &connection) }
    @inlinable public override func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        handler.received(bytes, on: &connection)
    }
    @inlinable public override func endOfInput(on connection: inout Connection) { handler.endOfInput(on: &connection) }
    @inlinable public override func deadlineExpired(on connection: inout Connection) {
        handler.deadlineExpired(on: &connection)
    }
    @inlinable public override func answered(on connection: inout Connection) { handler.answered(on: &connection) }
    @inlinable public override func secured(on connection: inout Connection) { handler.secured(on: &connection) }
    @inlinable public override func backedUp(on connection: inout Connection) { handler.backedUp(on: &connection) }
    @inlinable public override func drained(on connection: inout Connection) { handler.drained(on: &connection) }
    @inlinable public override func stopping(on connection: inout Connection) { handler.stopping(on: &connection) }
    @inlinable public override func closed(_ reason: CloseReason) { handler.closed(reason) }
}
