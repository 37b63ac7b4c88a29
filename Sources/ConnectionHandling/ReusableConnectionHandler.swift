import Glibc

/// A handler whose connection can serve one user after another: what a connection pool holds.
public protocol ReusableConnectionHandler: ConnectionHandler, ~Copyable {
    /// Nothing is owed in either direction, so that somebody else may begin an exchange. A pool asks when the connection
    /// is given back; one that says no is closed. No default: a connection reused too soon hands one user's answer to
    /// the next.
    var isReusable: Bool { get }
}

/// A handler in a pool: the caller's own, and what the pool must notice on its behalf.
package struct PooledHandler<Handler: ReusableConnectionHandler & ~Copyable>: ConnectionHandler, ~Copyable {
    package var handler: Handler
    /// It was used, and nobody uses it now: a peer that says anything answers a question that nobody has asked. A
    /// connection that was never used is not idle: the peer may greet.
    package private(set) var isIdle = false
    private var hasLeftOver = false
    private let notify: (Event) -> Void

    package enum Event: Sendable { case connected, closed }

    package init(_ handler: consuming Handler, notify: @escaping (Event) -> Void) {
        self.handler = handler
        self.notify = notify
    }

    /// Its user gives it back. True if the handler says that it is reusable, and the driver holds nothing of what was.
    package mutating func giveBack(on connection: borrowing Connection) -> Bool {
        isIdle =
            handler.isReusable && !hasLeftOver && !connection.hasOutput && !connection.isAwaiting && !connection.isClosing
            && !connection.inputHasEnded && !connection.isStopping
            && connection.decisions.isDisjoint(with: [.outputFinished, .readingPaused])
        return isIdle
    }

    /// The next user gets it. False if the peer has closed it, or has said something, or a deadline has passed: the driver
    /// may not have seen that yet.
    package mutating func handOut(on connection: borrowing Connection) -> Bool {
        if !isIdle { return true }
        isIdle = false
        return connection.isQuiet && connection.deadline > connection.clock.now
    }

    package mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        if isIdle {
            connection.close(.aborting)
            return bytes.byteCount
        }
        let used = handler.received(bytes, on: &connection)
        hasLeftOver = used < bytes.byteCount
        return used
    }

    package mutating func endOfInput(on connection: inout Connection) {
        if isIdle { connection.close() } else { handler.endOfInput(on: &connection) }
    }

    package mutating func stopping(on connection: inout Connection) {
        if isIdle { connection.close() } else { handler.stopping(on: &connection) }
    }

    package mutating func closed(_ reason: CloseReason) {
        handler.closed(reason)
        notify(.closed)
    }

    package mutating func connected(on connection: inout Connection) {
        handler.connected(on: &connection)
        notify(.connected)
    }

    package mutating func deadlineExpired(on connection: inout Connection) { handler.deadlineExpired(on: &connection) }
    package mutating func answered(on connection: inout Connection) { handler.answered(on: &connection) }
    package mutating func secured(on connection: inout Connection) { handler.secured(on: &connection) }
    package mutating func backedUp(on connection: inout Connection) { handler.backedUp(on: &connection) }
    package mutating func drained(on connection: inout Connection) { handler.drained(on: &connection) }
}

extension Connection {
    /// Nothing has come that was not read, nor the peer's end.
    fileprivate var isQuiet: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }
}
