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
    package let all: [any HTTPMiddleware]

    public init(_ all: [any HTTPMiddleware]) { self.all = all }

    /// Shows the request to each, until one answers.
    ///
    /// - Returns: whether the handler's turn has come.
    package func received(_ request: borrowing RequestView, with response: inout ResponseWriter) -> Bool {
        // A span lends each, here and below: an array's iterator would copy it, and count references, for each request.
        let all = all
        let lent = all.span
        for index in lent.indices {
            lent[index].received(request, with: &response)
            if response.hasBegun || response.isAwaiting { return false }
        }
        return true
    }

    /// Tells each of a request that was refused, until one answers.
    package func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        for middleware in all where !response.hasBegun { middleware.refused(status, with: &response) }
    }

    /// From the last to the first, as the answer goes out.
    func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        let all = all
        let lent = all.span
        for index in lent.indices.reversed() { lent[index].sending(status, with: &response) }
    }

    /// From the last to the first.
    package func ended(_ summary: borrowing ExchangeSummary) {
        let all = all
        let lent = all.span
        for index in lent.indices.reversed() { lent[index].ended(summary) }
    }
}
