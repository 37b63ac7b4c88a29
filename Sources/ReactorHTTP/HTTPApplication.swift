public import HTTPTypes

/// What answers requests, whatever version of HTTP carries them. One value serves one exchange at a time.
///
/// It is made with its connection's handler, used on one thread at a time, and needs no locks. What connections share,
/// such as a cache, it refers to.
public protocol HTTPApplication: ~Copyable, SendableMetatype {
    /// The head of a request with a body has arrived: how to deliver the body. Not called for a request without one.
    /// Default: ``BodyDelivery/whole(limit:)``.
    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery

    /// A request has arrived: whole, or, where its body is streamed, its head.
    ///
    /// Answer it; or ask for what the answer waits for, by ``ResponseWriter/perform(_:)`` or ``ResponseWriter/await(_:)``;
    /// or write a body until ``ResponseWriter/isBackedUp``; or go on as a streamed body arrives. Doing none of these sends
    /// 500. An answer may end before a streamed body does: the rest of the body is passed over.
    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter)

    /// The next piece of a streamed body, without its transfer coding; lent for the length of the call. None comes while
    /// something is awaited, while the answer is backed up, or while ``ResponseWriter/pausesBody`` is set.
    /// Default: nothing.
    mutating func received(_ body: RawSpan, with response: inout ResponseWriter)

    /// A streamed body has ended. The answer must be there now, or waited for. Default: nothing, so that 500 is sent.
    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter)

    /// What was asked for is in its `Awaited`: go on with the answer. Default: nothing, so that 500 is sent.
    mutating func answered(_ response: inout ResponseWriter)

    /// There is room again: go on with the body. Default: nothing, so that the connection is cut off.
    mutating func drained(_ response: inout ResponseWriter)

    /// A request was refused before ``respond(to:with:)`` saw it, because it broke the protocol or a limit or came too
    /// slowly: answer with that status, at once. The connection is closed behind it. Default: the status page.
    mutating func refused(_ status: HTTPStatus, with response: inout ResponseWriter)

    /// An exchange is over, a refused one included. Called once for each. Default: nothing.
    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary)
}

extension HTTPApplication where Self: ~Copyable {
    @inlinable public mutating func delivery(of request: borrowing RequestView) -> BodyDelivery { .whole() }
    @inlinable public mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {}
    @inlinable public mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {}
    @inlinable public mutating func answered(_ response: inout ResponseWriter) {}
    @inlinable public mutating func drained(_ response: inout ResponseWriter) {}
    @inlinable public mutating func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        response.sendStatus(status)
    }
    @inlinable public mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {}
}
