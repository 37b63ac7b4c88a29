import COpenSSL

/// Owns a reference to an `SSL_SESSION`, what a client resumes by. It is not changed once it is made, and OpenSSL counts its
/// references.
final class SSLSession: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Takes a reference over.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { SSL_SESSION_free(pointer) }

    /// Too old, or replaced by another.
    var isStale: Bool {
        SSL_SESSION_is_resumable(pointer) == 0
            || SSL_SESSION_get_time(pointer) + SSL_SESSION_get_timeout(pointer) <= Int(currentTime())
    }

    /// A ticket of TLS 1.3 is used once, so that nobody can tell that two connections are of one client (RFC 8446 appendix
    /// C.4).
    var isSingleUse: Bool { SSL_SESSION_get_protocol_version(pointer) == TLS1_3_VERSION }
}
