public import ConnectionHandling

/// Told who the peer was and why a connection ended, where that was before its handler was made.
public typealias TLSFailureReport = (SocketAddress, CloseReason) -> Void

/// TLS from the first byte, under any handler: made once the handshake is over, with the session to ask about the peer.
///
/// ```swift
/// try loop.listen(on: "127.0.0.1:8443") { TLSHandler(context) { _ in Echo() } }
/// let session = try client.makeSession(serverName: "www.example.org")
/// loop.connect(to: address, onFailure: report) { TLSHandler(session, onFailure: reportTLS) { _ in Caller() } }
/// ```
///
/// The inner handler hears nothing of a handshake that fails. To go over to TLS later, as STARTTLS does, a handler calls
/// ``Connection/start(_:keepingInput:)`` itself.
public struct TLSHandler<Inner: ConnectionHandler & ~Copyable>: ConnectionHandler, ~Copyable {
    /// Nil until the handshake is over: the one branch that an event pays. Call its methods; do not assign to its properties
    /// by `inner?.property = value`: there Swift 6.3 keeps the old value for ever.
    public var inner: Inner?
    private var entrance: Entrance?

    /// What is needed until the inner handler is there; apart, so that an idle connection does not pay for it.
    private final class Entrance {
        let session: TLSSession
        let onFailure: TLSFailureReport?
        let makeInner: (TLSSession) -> Inner
        var peer: SocketAddress?

        init(_ session: TLSSession, _ onFailure: TLSFailureReport?, _ makeInner: @escaping (TLSSession) -> Inner) {
            self.session = session
            self.onFailure = onFailure
            self.makeInner = makeInner
        }
    }

    /// - Parameters:
    ///   - session: this end of the connection, from a context.
    ///   - onFailure: told why, where the connection ends before the inner handler is made.
    ///   - makeInner: makes the inner handler.
    public init(
        _ session: TLSSession, onFailure: TLSFailureReport? = nil, makeInner: @escaping (TLSSession) -> Inner
    ) {
        inner = nil
        entrance = Entrance(session, onFailure, makeInner)
    }

    /// The server's end.
    public init(
        _ context: TLSServerContext, onFailure: TLSFailureReport? = nil, makeInner: @escaping (TLSSession) -> Inner
    ) {
        self.init(context.makeSession(), onFailure: onFailure, makeInner: makeInner)
    }

    // MARK: In front of the inner handler

    public mutating func connected(on connection: inout Connection) {
        guard let entrance else { return }
        entrance.peer = connection.peer
        // What stood in front of TLS, such as a PROXY header, may have come together with the peer's first words.
        connection.start(entrance.session, keepingInput: true)
    }

    public mutating func secured(on connection: inout Connection) {
        if inner != nil {
            inner?.secured(on: &connection)
            return
        }
        guard let entrance else { return }
        self.entrance = nil
        inner = entrance.makeInner(entrance.session)
        inner?.connected(on: &connection)
    }

    public mutating func closed(_ reason: CloseReason) {
        if let entrance {
            self.entrance = nil
            if let peer = entrance.peer { entrance.onFailure?(peer, reason) }
        } else {
            inner?.closed(reason)
        }
    }

    // MARK: The inner handler's events

    @inlinable public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        inner?.received(bytes, on: &connection) ?? 0
    }
    @inlinable public mutating func endOfInput(on connection: inout Connection) {
        if inner?.endOfInput(on: &connection) == nil { connection.close() }
    }
    @inlinable public mutating func deadlineExpired(on connection: inout Connection) {
        if inner?.deadlineExpired(on: &connection) == nil { connection.close() }
    }
    @inlinable public mutating func stopping(on connection: inout Connection) {
        if inner?.stopping(on: &connection) == nil { connection.close() }
    }
    @inlinable public mutating func answered(on connection: inout Connection) { inner?.answered(on: &connection) }
    @inlinable public mutating func backedUp(on connection: inout Connection) { inner?.backedUp(on: &connection) }
    @inlinable public mutating func drained(on connection: inout Connection) { inner?.drained(on: &connection) }
}

extension TLSHandler: ReusableConnectionHandler where Inner: ReusableConnectionHandler & ~Copyable {
    /// As the inner handler says.
    public var isReusable: Bool {
        switch inner {
        case .some(let inner): inner.isReusable
        case .none: false
        }
    }
}

extension Connection {
    /// The TLS session that protects this connection; nil for one in plain.
    public var tls: TLSSession? { layer as? TLSSession }
}
