import Glibc

/// A file that takes each connection's secrets, for those who debug with a packet dump.
final class KeyLog: Sendable {
    private let descriptor: Int32

    init(path: String) throws(TLSConfigurationError) {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw TLSConfigurationError(.unreadable, path, "cannot be written: \(describe(errno))") }
    }

    deinit { close(descriptor) }

    /// One call a line, so that lines of several threads and processes do not mix. What cannot be written is lost.
    func append(_ line: UnsafePointer<CChar>) {
        var newline = UInt8(ascii: "\n")
        withUnsafeMutablePointer(to: &newline) { newline in
            let pieces = [
                iovec(iov_base: UnsafeMutableRawPointer(mutating: line), iov_len: strlen(line)),
                iovec(iov_base: newline, iov_len: 1),
            ]
            _ = writev(descriptor, pieces, 2)
        }
    }
}
