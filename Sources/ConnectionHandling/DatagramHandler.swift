/// Speaks a protocol by datagrams, on one socket: events come in as calls, decisions go out through the
/// ``DatagramSocket``.
///
/// The datagram side of ``ConnectionHandler``, with the same promises: the driver makes it where it is used, calls it
/// from one thread at a time and never from within itself, and never moves it. One handler serves all peers of its
/// socket. A server with several loops or workers has a handler for each of them: one sees only its share of the
/// datagrams.
///
/// The order of calls is `bound`, then any of the others, then `closed`, exactly once and last.
public protocol DatagramHandler: ~Copyable, SendableMetatype {
    /// The socket is bound. Set a first deadline, or send. Default: nothing.
    mutating func bound(on socket: inout DatagramSocket)

    /// A datagram has arrived. May be empty. The bytes are lent for the length of the call; the origin may be kept.
    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket)

    /// A datagram sent earlier did not arrive: see ``DatagramFailure``. ICMP errors are a hint, not proof: they can be
    /// forged by whoever knows both addresses. Where several loops or workers receive on one address, the system may tell
    /// another than sent it. Default: nothing; it has been counted.
    mutating func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket)

    /// The deadline set on the socket has passed. It is cleared before the call. Default: nothing.
    mutating func deadlineExpired(on socket: inout DatagramSocket)

    /// An answer to ``DatagramSocket/perform(_:)`` or ``DatagramSocket/await(_:)`` is in its ``Awaited``; called once
    /// for each. Default: nothing.
    mutating func answered(on socket: inout DatagramSocket)

    /// The socket was backed up, and all that waited has been sent. Default: nothing.
    mutating func drained(on socket: inout DatagramSocket)

    /// The server is stopping: finish what is in flight, then close. What had arrived was delivered before. Called at
    /// most once. Default: close.
    mutating func stopping(on socket: inout DatagramSocket)

    /// The socket is gone. Always the last call, and always made. Default: nothing.
    mutating func closed(_ reason: CloseReason)
}

extension DatagramHandler where Self: ~Copyable {
    @inlinable public mutating func bound(on socket: inout DatagramSocket) {}
    @inlinable public mutating func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) {}
    @inlinable public mutating func deadlineExpired(on socket: inout DatagramSocket) {}
    @inlinable public mutating func answered(on socket: inout DatagramSocket) {}
    @inlinable public mutating func drained(on socket: inout DatagramSocket) {}
    @inlinable public mutating func stopping(on socket: inout DatagramSocket) { socket.close() }
    @inlinable public mutating func closed(_ reason: CloseReason) {}
}

/// A handler behind one indirect call; see ``HandlerBox``.
open class DatagramHandlerBox {
    @usableFromInline init() {}

    open func bound(on socket: inout DatagramSocket) {}
    open func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {}
    open func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) {}
    open func deadlineExpired(on socket: inout DatagramSocket) {}
    open func answered(on socket: inout DatagramSocket) {}
    open func drained(on socket: inout DatagramSocket) {}
    open func stopping(on socket: inout DatagramSocket) {}
    open func closed(_ reason: CloseReason) {}
}

/// The box for handlers of one type; see ``HandlerBox``.
public final class TypedDatagramHandlerBox<Handler: DatagramHandler & ~Copyable>: DatagramHandlerBox {
    public var handler: Handler

    @inlinable public init(_ handler: consuming Handler) {
        self.handler = handler
        super.init()
    }

    @inlinable public override func bound(on socket: inout DatagramSocket) { handler.bound(on: &socket) }
    @inlinable public override func received(
        _ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket
    ) {
        handler.received(payload, from: origin, on: &socket)
    }
    @inlinable public override func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) {
        handler.failed(failure, on: &socket)
    }
    @inlinable public override func deadlineExpired(on socket: inout DatagramSocket) {
        handler.deadlineExpired(on: &socket)
    }
    @inlinable public override func answered(on socket: inout DatagramSocket) { handler.answered(on: &socket) }
    @inlinable public override func drained(on socket: inout DatagramSocket) { handler.drained(on: &socket) }
    @inlinable public override func stopping(on socket: inout DatagramSocket) { handler.stopping(on: &socket) }
    @inlinable public override func closed(_ reason: CloseReason) { handler.closed(reason) }
}
