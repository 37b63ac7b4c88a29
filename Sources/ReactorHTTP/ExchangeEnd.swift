/// How an exchange, a request with its answer, has ended.
public enum ExchangeEnd: UInt8, Sendable {
    /// The application has written its answer whole.
    case answered
    /// The server has answered instead: what was sent broke the protocol or a limit, took too long, or the application
    /// had no answer.
    case refused
    /// The answer was cut off, by the application or the server.
    case cutOff
    /// The connection was gone before the answer was written.
    case connectionLost
}

/// What there is to say of an exchange that is over.
public struct ExchangeSummary {
    public let end: ExchangeEnd
    /// What was answered; nil if no answer had begun.
    public let status: HTTPStatus?
    /// Bytes of the answer's body that were written, in the coding in which they were sent.
    public let bytesWritten: Int
    /// Whose exchange it was. Nil where nobody has asked for a context.
    public let context: ExchangeContext?
    /// Those who are to hear of it.
    package let chain: MiddlewareChain?

    init(end: ExchangeEnd, status: HTTPStatus?, bytesWritten: Int, context: ExchangeContext?, chain: MiddlewareChain?) {
        self.end = end
        self.status = status
        self.bytesWritten = bytesWritten
        self.context = context
        self.chain = chain
    }

    /// From when the context was first asked for until now; nil without one.
    public var duration: Duration? { context?.elapsed }
}
