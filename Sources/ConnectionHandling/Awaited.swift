import Synchronization

/// The box in which an awaited answer arrives: made by ``Connection/perform(_:)`` or ``Connection/await(_:)``, kept by
/// the handler, and full by the time ``ConnectionHandler/answered(on:)`` is called.
public final class Awaited<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    init() {}

    func fulfil(_ value: Result<Value, any Error>) {
        result.withLock { $0 = value }
    }

    /// The answer, or what the work threw. Nil before it has arrived, and after it was taken.
    public func take() -> Result<Value, any Error>? {
        result.withLock { stored in
            defer { stored = nil }
            return stored
        }
    }
}

/// Work that a handler waits for. The driver decides where it runs: a reactor on other threads, the blocking
/// architectures on the connection's own.
package final class AwaitedWork: Sendable {
    package enum Body: Sendable {
        case blocking(@Sendable () -> Void)
        case async(@Sendable () async -> Void)
    }

    package let body: Body

    init(_ body: Body) { self.body = body }

    /// Runs the work and returns when it is done, whatever its kind: for drivers that own the thread they run on.
    package func runBlocking() {
        switch body {
        case .blocking(let work):
            work()
        case .async(let work):
            ThreadBoundExecutor().run(work)
        }
    }
}
