import Dispatch
import Synchronization

/// One answer that a thread waits for.
final class Answer: Sendable {
    private let given = Mutex<Result<Void, SpoolError>?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    func give(_ answer: Result<Void, SpoolError>) {
        given.withLock { $0 = answer }
        semaphore.signal()
    }

    func wait() -> Result<Void, SpoolError> {
        while true {
            semaphore.wait()
            if let answer = given.withLock({ $0 }) { return answer }
        }
    }
}
