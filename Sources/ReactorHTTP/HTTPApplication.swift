/// What answers requests, whatever version of HTTP carries them. One value serves one exchange at a time.
///
/// It is made with its connection's handler, used on one thread at a time, and needs no locks. What connections share,
/// such as a cache, it refers to.
public protocol HTTPApplication: ~Copyable {
    /// A request has arrived, whole. Answer it; or ask for what the answer waits for, by ``ResponseWriter/perform(_:)`` or
    /// ``ResponseWriter/await(_:)``; or write a body until ``ResponseWriter/isBackedUp``. Doing none of these sends 500.
    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter)

    /// What was asked for is in its `Awaited`: go on with the answer. Default: nothing, so that 500 is sent.
    mutating func answered(_ response: inout ResponseWriter)

    /// There is room again: go on with the body. Default: nothing, so that the connection is cut off.
    mutating func drained(_ response: inout ResponseWriter)
}

extension HTTPApplication where Self: ~Copyable {
    @inlinable public mutating func answered(_ response: inout ResponseWriter) {}
    @inlinable public mutating func drained(_ response: inout ResponseWriter) {}
}
