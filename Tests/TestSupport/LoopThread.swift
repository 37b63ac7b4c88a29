import Glibc
public import Reactor
import Synchronization

/// A loop on a thread of its own, which runs until this goes.
public final class LoopThread<Made: Sendable>: Sendable {
    /// What was made on the loop before it ran.
    public let made: Made
    private let handle: EventLoopHandle

    public init(_ make: @escaping @Sendable (EventLoop) throws -> Made) throws {
        let ready = Ready<Made>()
        try startThread {
            do {
                let loop = try EventLoop()
                let made = (try make(loop), loop.handle)
                ready.made.withLock { $0 = .success(made) }
                loop.run()
                loop.close()
            } catch {
                ready.made.withLock { $0 = .failure(error) }
            }
        }
        while true {
            usleep(1_000)
            guard let result = ready.made.withLock({ $0 }) else { continue }
            (made, handle) = try result.get()
            return
        }
    }

    public func stop() { handle.stop() }

    deinit { stop() }
}

private final class Ready<Made: Sendable>: Sendable {
    let made = Mutex<Result<(Made, EventLoopHandle), any Error>?>(nil)
}
