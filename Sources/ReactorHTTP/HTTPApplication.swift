/// What answers requests, whatever version of HTTP carries them. One value serves one exchange at a time.
///
/// It is made with its connection's handler, used on one thread at a time, and needs no locks. What connections share,
/// such as a cache, it refers to.
public protocol HTTPApplication: ~Copyable {
    /// A request has arrived, whole. Answer it; or ask for what the answer waits for, by ``HTTPResponse/perform(_:)`` or
    /// ``HTTPResponse/await(_:)``; or write a body until ``HTTPResponse/isBackedUp``. Doing none of these sends 500.
    mutating func respond(to request: borrowing HTTPRequest, with response: inout HTTPResponse)

    /// What was asked for is in its `Awaited`: go on with the answer. Default: nothing, so that 500 is sent.
    mutating func answered(_ response: inout HTTPResponse)

    /// There is room again: go on with the body. Default: nothing, so that the connection is cut off.
    mutating func drained(_ response: inout HTTPResponse)
}

extension HTTPApplication where Self: ~Copyable {
    @inlinable public mutating func answered(_ response: inout HTTPResponse) {}
    @inlinable public mutating func drained(_ response: inout HTTPResponse) {}
}
