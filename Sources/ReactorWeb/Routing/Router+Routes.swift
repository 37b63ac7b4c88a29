public import ReactorHTTP

/// Adding routes, whatever the methods.
extension Router {
    /// Answers `methods` at `path` by a closure that is lent the request and writes the answer.
    ///
    /// The closure is called on the connection's thread and must not block. It answers; or it leaves what takes long to the
    /// other kinds of handlers.
    ///
    /// - Parameters:
    ///   - path: see ``Router`` for what it may have in it.
    ///   - delivery: how much of a body is taken. A closure of this kind has it delivered whole.
    /// - Precondition: the body is delivered whole.
    public mutating func on(
        _ methods: HTTPMethods, _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) {
        precondition(!delivery.isStreamed, "a lent request has its body whole: \(path)")
        add(methods, path, delivery, .lent(handler))
    }

    /// Answers `methods` at `path` by an `async` closure that returns the answer: a ``Response``, a `String`, an `HTTPStatus`, or
    /// whatever else is ``ResponseConvertible``.
    ///
    /// On a reactor it runs on the loop's thread: it may suspend, but neither block nor compute for long. If the client goes,
    /// its task is cancelled.
    ///
    /// - Parameter delivery: how the body comes; by ``BodyDelivery/streamed(limit:)``, ``Request/body`` has pieces as they
    ///   arrive.
    public mutating func on<Answer: ResponseConvertible>(
        _ methods: HTTPMethods, _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) {
        add(methods, path, delivery, .owned { try await handler($0).response(to: $0) })
    }

    /// As the other, for a value that is sent in JSON.
    @_disfavoredOverload public mutating func on<Answer: Encodable & Sendable>(
        _ methods: HTTPMethods, _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) {
        add(methods, path, delivery, .owned { try JSON(try await handler($0)).response(to: $0) })
    }

    /// Answers `methods` at `path` by an application that is made for each exchange: it may take the body in pieces, and lent.
    /// Of its ``HTTPApplication/delivery(of:)`` and ``HTTPApplication/refused(_:with:)`` nothing is asked; `delivery` is what
    /// counts.
    public mutating func on<Application: HTTPApplication & ~Copyable>(
        _ methods: HTTPMethods, _ path: String, _ delivery: BodyDelivery = .whole(),
        _ make: @escaping @Sendable () -> Application
    ) {
        add(methods, path, delivery, .application { TypedApplicationBox(make()) })
    }
}
