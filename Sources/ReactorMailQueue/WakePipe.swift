import Glibc

/// A FIFO in the spool's directory, through which those who change the queue wake the one who delivers, in whatever
/// process: they need not be related.
final class WakePipe: Sendable {
    /// Readable from a ``signal()`` to the next ``clear()``.
    let descriptor: CInt

    /// Opened for both directions, as Linux allows for a FIFO: so it never ends, and nobody waits for another to open it.
    init(directory: String) throws(SpoolError) {
        descriptor = open(SpoolDirectory.pipe(in: directory), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 { throw SpoolDirectory.failure(directory) }
        var status = stat()
        if fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFIFO {
            close(descriptor)
            throw .unusable(directory: directory, reason: "'wake' is no FIFO")
        }
    }

    deinit { close(descriptor) }

    /// A pipe that is full is readable too.
    func signal() {
        var byte: UInt8 = 1
        _ = write(descriptor, &byte, 1)
    }

    func clear() {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { bytes in
            while read(descriptor, bytes.baseAddress, bytes.count) == bytes.count {}
        }
    }
}
