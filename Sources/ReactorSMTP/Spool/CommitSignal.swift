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

/// Held by the one who delivers from a spool. Let go when the process ends, however it ends, so that no lease is left
/// behind; a child forked by the holder would hold it too.
struct AgentLock: ~Copyable {
    private let descriptor: CInt

    /// - Throws: ``SpoolError/agentRunning(directory:)`` if it is held.
    init(directory: String) throws(SpoolError) {
        descriptor = open(directory + "/agent.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw .unusable(directory: directory, reason: String(cString: strerror(errno))) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let error = errno
            close(descriptor)
            if error == EWOULDBLOCK { throw .agentRunning(directory: directory) }
            throw .unusable(directory: directory, reason: String(cString: strerror(error)))
        }
    }

    deinit { close(descriptor) }
}
