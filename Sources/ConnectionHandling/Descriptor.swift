import Glibc

/// A file descriptor that is closed exactly once: when its owner goes.
public struct Descriptor: ~Copyable, Sendable {
    public let number: CInt

    public init(owning number: CInt) { self.number = number }

    /// Gives the descriptor to the caller, who closes it from now on.
    public consuming func release() -> CInt {
        let released = number
        discard self
        return released
    }

    deinit { close(number) }
}

/// A file that was opened for reading, for ``Connection/write(_:from:count:)``. Connections that send it share it; it is
/// closed when the last of them has.
public final class OpenFile: Sendable {
    package let descriptor: Descriptor

    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// What fstat(2) says now; 0 for what has no size.
    public var size: Int {
        var status = stat()
        return fstat(descriptor.number, &status) == 0 ? max(Int(status.st_size), 0) : 0
    }

    /// Lends the bytes in `range`, in pieces. False if the file cannot be read that far.
    package func read(_ range: Range<Int>, _ body: (RawSpan) -> Void) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: min(range.count, 32 * 1024), alignment: 16) { buffer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = pread(descriptor.number, buffer.baseAddress, min(buffer.count, range.upperBound - offset), off_t(offset))
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return false }
                body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count])))
                offset += count
            }
            return true
        }
    }
}
