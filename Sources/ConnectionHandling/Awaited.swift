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
