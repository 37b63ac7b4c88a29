import CReactorSystem
import Glibc

/// Tells the one who delivers that something was committed, across threads and across processes forked after it was
/// made.
public final class CommitSignal: Sendable {
    /// Readable from a ``signal()`` to the next ``clear()``.
    public let descriptor: CInt

    init(directory: String) throws(SpoolError) {
        descriptor = creactor_eventfd()
        if descriptor < 0 {
            throw .unusable(directory: directory, reason: String(cString: strerror(-descriptor)))
        }
    }

    deinit { close(descriptor) }

    public func signal() { creactor_eventfd_signal(descriptor) }
    public func clear() { creactor_eventfd_clear(descriptor) }
}
