public import ConnectionHandling
import ReactorWire

/// Writes a PROXY header in front of a connection, then is the inner handler: for a connection made for somebody else.
///
/// ```swift
/// let header = ProxyHeader(.init(source: client, destination: listener))
/// let sender = try ProxyProtocolSender(header, inner: Forwarder())
/// ```
///
/// The header leaves in one write with what the inner handler writes first, as the specification asks.
public struct ProxyProtocolSender<Inner: ConnectionHandler & ~Copyable>: ConnectionHandler, ~Copyable {
    @usableFromInline var inner: Inner
    private var header: [UInt8]

    /// - Throws: ``ProxyHeaderError`` if the version cannot say the header.
    public init(
        _ header: ProxyHeader, _ version: ProxyHeader.Version = .v2, inner: consuming Inner
    ) throws(ProxyHeaderError) {
        var bytes = ByteQueue()
        try header.write(version, to: &bytes)
        self.header = bytes.bytes.array
        self.inner = inner
    }

    public mutating func connected(on connection: inout Connection) {
        connection.output.append(header)
        header = []
        inner.connected(on: &connection)
    }

    @inlinable public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        inner.received(bytes, on: &connection)
    }
    @inlinable public mutating func endOfInput(on connection: inout Connection) { inner.endOfInput(on: &connection) }
    @inlinable public mutating func deadlineExpired(on connection: inout Connection) {
        inner.deadlineExpired(on: &connection)
    }
    @inlinable public mutating func answered(on connection: inout Connection) { inner.answered(on: &connection) }
    @inlinable public mutating func backedUp(on connection: inout Connection) { inner.backedUp(on: &connection) }
    @inlinable public mutating func drained(on connection: inout Connection) { inner.drained(on: &connection) }
    @inlinable public mutating func stopping(on connection: inout Connection) { inner.stopping(on: &connection) }
    @inlinable public mutating func closed(_ reason: CloseReason) { inner.closed(reason) }
}
