/// Stands before handlers: sees requests first, adds to answers, and hears how exchanges ended. One value is shared by all
/// connections and called on each exchange's own thread.
public protocol HTTPMiddleware: Sendable {
    /// Before the handler. To answer here, or to begin to, ends the exchange: the handler and later middleware are not
    /// called. Default: nothing.
    func received(_ request: borrowing RequestView, with response: inout ResponseWriter)

    /// A request was refused before anybody saw it, because it broke the protocol or a limit or came too slowly: it is answered
    /// with this status, unless it is answered here. Default: nothing.
    func refused(_ status: HTTPStatus, with response: inout ResponseWriter)

    /// The status is decided, and fields may still be added. Default: nothing.
    func sending(_ status: HTTPStatus, with response: inout ResponseWriter)

    /// The exchange is over. Default: nothing.
    func ended(_ summary: borrowing ExchangeSummary)
}

extension HTTPMiddleware {
    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {}
    public func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {}
    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {}
    public func ended(_ summary: borrowing ExchangeSummary) {}
}

/// Middleware in the order in which it sees a request.
public final class MiddlewareChain: Sendable {
    private let outermost: MiddlewareLink?

    public init(_ all: [any HTTPMiddleware]) { outermost = all.reversed().reduce(nil) { MiddlewareLink($1, around: $0) } }

    /// Shows the request to each, until one answers.
    ///
    /// - Returns: whether the handler's turn has come.
    package func received(_ request: borrowing RequestView, with response: inout ResponseWriter) -> Bool {
        outermost?.received(request, with: &response) ?? true
    }

    /// Tells each of a request that was refused, until one answers.
    package func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        if !response.hasBegun { outermost?.refused(status, with: &response) }
    }

    /// From the last to the first, as the answer goes out.
    func sending(_ status: HTTPStatus, with response: inout ResponseWriter) { outermost?.sending(status, with: &response) }

    /// From the last to the first.
    package func ended(_ summary: borrowing ExchangeSummary) { outermost?.ended(summary) }
}

/// One of a chain, and those behind it. A constant of a class is lent where it lies; an array's element, of whatever type that
/// is, would be copied for each of these calls.
private final class MiddlewareLink: Sendable {
    private let middleware: any HTTPMiddleware
    private let inner: MiddlewareLink?

    init(_ middleware: any HTTPMiddleware, around inner: MiddlewareLink?) {
        self.middleware = middleware
        self.inner = inner
    }

    func received(_ request: borrowing RequestView, with response: inout ResponseWriter) -> Bool {
        middleware.received(request, with: &response)
        if response.hasBegun || response.isAwaiting { return false }
        return inner?.received(request, with: &response) ?? true
    }

    func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        middleware.refused(status, with: &response)
        if !response.hasBegun { inner?.refused(status, with: &response) }
    }

    func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        inner?.sending(status, with: &response)
        middleware.sending(status, with: &response)
    }

    func ended(_ summary: borrowing ExchangeSummary) {
        inner?.ended(summary)
        middleware.ended(summary)
    }
}
