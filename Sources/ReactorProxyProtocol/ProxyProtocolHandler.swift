public import ConnectionHandling
import ReactorWire

/// Reads the PROXY header in front of a connection, then is the inner handler: made once the header is there, with the
/// client that it names as ``Connection/peer``, and what the client connected to as ``Connection/localAddress``.
///
/// ```swift
/// let proxies = ProxyProtocol(trusting: [try CIDR(parsing: "10.0.0.0/8")])
/// let endpoint = Endpoint(address) { ProxyProtocolHandler(proxies) { header in Echo() } }
/// ```
///
/// The inner handler hears nothing of what was before, and nothing at all if the connection is refused.
public struct ProxyProtocolHandler<Inner: ConnectionHandler & ~Copyable>: ConnectionHandler, ~Copyable {
    /// Nil until the header is there: the one branch that an event pays.
    @usableFromInline var inner: Inner?
    private var entrance: Entrance?

    /// What is needed until the inner handler is there.
    private struct Entrance {
        let proxies: ProxyProtocol
        let makeInner: (ProxyHeader?) -> Inner
    }

    /// - Parameter makeInner: makes the inner handler, given the header; nil where a peer that is not trusted is served
    ///   directly.
    public init(_ proxies: ProxyProtocol, makeInner: @escaping (ProxyHeader?) -> Inner) {
        inner = nil
        entrance = Entrance(proxies: proxies, makeInner: makeInner)
    }

    // MARK: In front of the inner handler

    public mutating func connected(on connection: inout Connection) {
        guard let proxies = entrance?.proxies else { return }
        if proxies.trusts(connection.peer) {
            connection.setDeadline(after: proxies.limits.headerTime)
        } else if proxies.untrustedPeers == .serveDirectly {
            begin(with: nil, on: &connection)
        } else {
            refuse(.untrusted, on: &connection)
        }
    }

    @usableFromInline mutating func receiveHeader(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        guard let limit = entrance?.proxies.limits.headerLength else { return 0 }
        do throws(ProxyViolation) {
            guard let (header, length) = try ProxyHeader.parse(bytes, limit: limit) else { return 0 }
            if let endpoints = header.endpoints {
                connection.peer = endpoints.source
                connection.needExtras().localAddress = endpoints.destination
            }
            connection.clearDeadline()
            begin(with: header, on: &connection)
            // The driver offers the rest again if the inner handler will not have it now.
            guard length < bytes.byteCount, connection.takesInput,
                let used = inner?.received(bytes.slice(length..<bytes.byteCount), on: &connection)
            else { return length }
            return length + used
        } catch {
            refuse(.violation(error), on: &connection)
            return 0
        }
    }

    private mutating func begin(with header: ProxyHeader?, on connection: inout Connection) {
        guard let entrance else { return }
        self.entrance = nil
        inner = entrance.makeInner(header)
        inner?.connected(on: &connection)
    }

    /// Reset, as the specification recommends: the sender notices, and nothing of the connection is kept.
    @usableFromInline mutating func refuse(_ reason: ProxyRefusal, on connection: inout Connection) {
        entrance?.proxies.noteRefusal(of: connection.peer, reason)
        entrance = nil
        connection.close(.aborting)
    }

    // MARK: The inner handler's events

    @inlinable public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        if let used = inner?.received(bytes, on: &connection) { return used }
        return receiveHeader(bytes, on: &connection)
    }

    @inlinable public mutating func endOfInput(on connection: inout Connection) {
        if inner?.endOfInput(on: &connection) == nil { refuse(.ended, on: &connection) }
    }

    @inlinable public mutating func deadlineExpired(on connection: inout Connection) {
        if inner?.deadlineExpired(on: &connection) == nil { refuse(.timedOut, on: &connection) }
    }

    @inlinable public mutating func stopping(on connection: inout Connection) {
        if inner?.stopping(on: &connection) == nil { connection.close() }
    }

    @inlinable public mutating func answered(on connection: inout Connection) { inner?.answered(on: &connection) }
    @inlinable public mutating func secured(on connection: inout Connection) { inner?.secured(on: &connection) }
    @inlinable public mutating func backedUp(on connection: inout Connection) { inner?.backedUp(on: &connection) }
    @inlinable public mutating func drained(on connection: inout Connection) { inner?.drained(on: &connection) }
    @inlinable public mutating func closed(_ reason: CloseReason) { inner?.closed(reason) }
}
