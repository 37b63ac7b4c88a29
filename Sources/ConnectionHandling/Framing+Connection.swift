public import ReactorWire

extension Framing {
    /// Calls `body` for each whole frame, until the input has no more or the connection is held: closed, backed up,
    /// paused, or awaiting an answer. Then what is left is offered again when that is over, so
    /// ``ConnectionHandler/received(_:on:)`` can return what this returns.
    ///
    /// - Returns: how many bytes were consumed.
    /// - Throws: the peer's violation. The frames in front of it have been handled; close the connection.
    @inlinable public mutating func forEachFrame(
        in bytes: RawSpan, on connection: inout Connection, _ body: (RawSpan, inout Connection) -> Void
    ) throws(Violation) -> Int {
        var used = 0
        while connection.takesInput, let frame = try next(in: bytes, from: used) {
            body(bytes.slice(frame.payload), &connection)
            used = frame.next
        }
        return used
    }
}

extension Connection {
    /// Whether the handler should go on with pipelined input: it has not closed, paused reading or asked for an answer,
    /// and is not backed up.
    public var takesInput: Bool {
        decisions.isDisjoint(with: .holds) && !isBackedUp
    }
}
