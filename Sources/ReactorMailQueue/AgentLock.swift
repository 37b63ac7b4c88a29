import Glibc

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
