public import ReactorHTTP

/// Adding routes: the verbs.
extension Router {
    /// Answers GET, and HEAD with it by a closure that is lent the request and writes the answer. It must not block.
    public mutating func get(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) { on(.get, path, delivery, handler) }

    /// Answers GET, and HEAD with it by an `async` closure that returns the answer.
    public mutating func get<Answer: ResponseConvertible>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.get, path, delivery, handler) }

    /// Answers GET, and HEAD with it by an `async` closure whose value is sent in JSON.
    @_disfavoredOverload public mutating func get<Answer: Encodable & Sendable>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.get, path, delivery, handler) }

    /// Answers GET, and HEAD with it by an application that is made for each exchange.
    public mutating func get<Application: HTTPApplication & ~Copyable>(
        _ path: String, _ delivery: BodyDelivery = .whole(), _ make: @escaping @Sendable () -> Application
    ) { on(.get, path, delivery, make) }

    /// Answers POST by a closure that is lent the request and writes the answer. It must not block.
    public mutating func post(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) { on(.post, path, delivery, handler) }

    /// Answers POST by an `async` closure that returns the answer.
    public mutating func post<Answer: ResponseConvertible>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.post, path, delivery, handler) }

    /// Answers POST by an `async` closure whose value is sent in JSON.
    @_disfavoredOverload public mutating func post<Answer: Encodable & Sendable>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.post, path, delivery, handler) }

    /// Answers POST by an application that is made for each exchange.
    public mutating func post<Application: HTTPApplication & ~Copyable>(
        _ path: String, _ delivery: BodyDelivery = .whole(), _ make: @escaping @Sendable () -> Application
    ) { on(.post, path, delivery, make) }

    /// Answers PUT by a closure that is lent the request and writes the answer. It must not block.
    public mutating func put(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) { on(.put, path, delivery, handler) }

    /// Answers PUT by an `async` closure that returns the answer.
    public mutating func put<Answer: ResponseConvertible>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.put, path, delivery, handler) }

    /// Answers PUT by an `async` closure whose value is sent in JSON.
    @_disfavoredOverload public mutating func put<Answer: Encodable & Sendable>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.put, path, delivery, handler) }

    /// Answers PUT by an application that is made for each exchange.
    public mutating func put<Application: HTTPApplication & ~Copyable>(
        _ path: String, _ delivery: BodyDelivery = .whole(), _ make: @escaping @Sendable () -> Application
    ) { on(.put, path, delivery, make) }

    /// Answers PATCH by a closure that is lent the request and writes the answer. It must not block.
    public mutating func patch(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) { on(.patch, path, delivery, handler) }

    /// Answers PATCH by an `async` closure that returns the answer.
    public mutating func patch<Answer: ResponseConvertible>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.patch, path, delivery, handler) }

    /// Answers PATCH by an `async` closure whose value is sent in JSON.
    @_disfavoredOverload public mutating func patch<Answer: Encodable & Sendable>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.patch, path, delivery, handler) }

    /// Answers PATCH by an application that is made for each exchange.
    public mutating func patch<Application: HTTPApplication & ~Copyable>(
        _ path: String, _ delivery: BodyDelivery = .whole(), _ make: @escaping @Sendable () -> Application
    ) { on(.patch, path, delivery, make) }

    /// Answers DELETE by a closure that is lent the request and writes the answer. It must not block.
    public mutating func delete(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) { on(.delete, path, delivery, handler) }

    /// Answers DELETE by an `async` closure that returns the answer.
    public mutating func delete<Answer: ResponseConvertible>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.delete, path, delivery, handler) }

    /// Answers DELETE by an `async` closure whose value is sent in JSON.
    @_disfavoredOverload public mutating func delete<Answer: Encodable & Sendable>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.delete, path, delivery, handler) }

    /// Answers DELETE by an application that is made for each exchange.
    public mutating func delete<Application: HTTPApplication & ~Copyable>(
        _ path: String, _ delivery: BodyDelivery = .whole(), _ make: @escaping @Sendable () -> Application
    ) { on(.delete, path, delivery, make) }

    /// Answers any method, known or not by a closure that is lent the request and writes the answer. It must not block.
    public mutating func any(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: borrowing RequestView, _ response: inout ResponseWriter) throws -> Void
    ) { on(.all, path, delivery, handler) }

    /// Answers any method, known or not by an `async` closure that returns the answer.
    public mutating func any<Answer: ResponseConvertible>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.all, path, delivery, handler) }

    /// Answers any method, known or not by an `async` closure whose value is sent in JSON.
    @_disfavoredOverload public mutating func any<Answer: Encodable & Sendable>(
        _ path: String, _ delivery: BodyDelivery = .whole(),
        _ handler: @escaping @Sendable (_ request: Request) async throws -> Answer
    ) { on(.all, path, delivery, handler) }

    /// Answers any method, known or not by an application that is made for each exchange.
    public mutating func any<Application: HTTPApplication & ~Copyable>(
        _ path: String, _ delivery: BodyDelivery = .whole(), _ make: @escaping @Sendable () -> Application
    ) { on(.all, path, delivery, make) }
}
