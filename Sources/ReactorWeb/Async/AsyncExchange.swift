import ConnectionHandling
import HTTPTypes
import ReactorHTTP
import ReactorWire
import Synchronization

/// Where a handler's task and its connection meet. The task says what it wishes and suspends; the connection, which has
/// awaited that, does it as far as back-pressure allows, and then awaits the next wish.
final class AsyncExchange: Sendable {
    enum Wish: Sendable {
        /// The whole answer.
        case send(Response)
        /// An answer whose body is to be written piece by piece.
        case begin(Response, length: Int?)
        case write([UInt8])
        case end(HTTPFields)
        /// The next of the request's body.
        case body
        case fail(any Error)
    }

    enum Reply: Sendable {
        case done
        case body([UInt8])
        case bodyEnded(HTTPFields)
    }

    /// Two of the handler's tasks use the connection at once.
    struct ConcurrentUse: Error {}

    private struct State {
        var wish: Wish?
        /// Ends when there is a wish.
        var step: AwaitedWork?
        var waiter: UnsafeContinuation<Reply, any Error>?
        var task: Task<Void, Never>?
        /// The exchange is over, whatever the task would still like to do.
        var isOver = false
        /// The handler has returned: a task that it left behind wishes nothing any more.
        var hasReturned = false
    }

    private let state = Mutex(State())
    private let request: OwnedRequest

    init(_ request: OwnedRequest) { self.request = request }

    /// For the log.
    var path: String { request.withView { $0.path.text } }

    // MARK: For the task

    /// Returns when the connection has done it.
    ///
    /// - Throws: `CancellationError` if the exchange is over.
    func ask(_ wish: Wish) async throws -> Reply {
        try await withUnsafeThrowingContinuation { waiter in
            let outcome = state.withLock { state -> Result<AwaitedWork?, any Error> in
                if state.isOver || state.hasReturned { return .failure(CancellationError()) }
                if state.waiter != nil { return .failure(ConcurrentUse()) }
                state.wish = wish
                state.waiter = waiter
                return .success(state.step.take())
            }
            switch outcome {
            case .success(let step): step?.finish()
            case .failure(let error): waiter.resume(throwing: error)
            }
        }
    }

    /// The last wish: the task ends, and waits for nothing.
    private func finish(_ wish: Wish) {
        let step = state.withLock { state in
            state.wish = wish
            state.hasReturned = true
            state.task = nil
            return state.step.take()
        }
        step?.finish()
    }

    private func run(_ handler: @Sendable (Request) async throws -> Response, _ request: Request) async {
        do {
            let response = try await handler(request)
            guard case .stream(let stream) = response.body.kind else { return finish(.send(response)) }
            _ = try await ask(.begin(response, length: stream.length))
            var writer = BodyWriter(exchange: self, length: stream.length, isHEAD: request.method == .head)
            if !writer.isHEAD { try await stream.write(&writer) }
            try writer.checkEnd()
            finish(.end(writer.trailers))
        } catch {
            finish(.fail(error))
        }
    }

    // MARK: For the connection

    /// Starts the handler. The step ends with its first wish.
    func begin(
        _ handler: @escaping @Sendable (Request) async throws -> Response, _ request: Request, _ step: AwaitedWork,
        _ starter: any TaskStarter
    ) {
        state.withLock { $0.step = step }
        let task = starter.start { await self.run(handler, request) }
        state.withLock { state in
            // It may be over by now.
            if state.step != nil || state.waiter != nil { state.task = task }
        }
    }

    /// Has the task go on. The step ends with its next wish.
    func resume(_ reply: Reply, _ step: AwaitedWork) {
        let (waiter, isAnswered) = state.withLock { state in
            // The last wish came while a task that the handler left behind was waited for.
            let isAnswered = state.hasReturned && state.wish != nil
            if !isAnswered { state.step = step }
            return (state.waiter.take(), isAnswered)
        }
        if isAnswered {
            waiter?.resume(throwing: CancellationError())
            step.finish()
        } else {
            waiter?.resume(returning: reply)
        }
    }

    func takeWish() -> Wish? { state.withLock { $0.wish.take() } }

    /// The exchange is over: the task is told so, and nobody waits for it.
    func end() {
        let (task, waiter, step) = state.withLock { state in
            state.isOver = true
            return (state.task.take(), state.waiter.take(), state.step.take())
        }
        task?.cancel()
        waiter?.resume(throwing: CancellationError())
        step?.finish()
    }
}
