import Glibc
import Synchronization

/// A large message's content on the disk: written once from front to end, read from anywhere afterwards.
///
/// Any thread may use it. The file is removed when nobody holds it any more, unless somebody ``keep()``s it.
public final class ContentFile: Sendable {
    public let path: String
    private let descriptor: CInt
    private let state: Mutex<State>

    private struct State {
        var size: Int
        var isKept: Bool
    }

    /// Makes a new file, readable by its owner only. Blocks.
    public init(creating path: String) throws(ContentFileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw ContentFileError(path, errno) }
        self.path = path
        state = Mutex(State(size: 0, isKept: false))
    }

    /// Opens one that was kept, to read it. Blocks.
    public init(reading path: String) throws(ContentFileError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 { throw ContentFileError(path, errno) }
        var status = stat()
        if fstat(descriptor, &status) != 0 {
            let code = errno
            close(descriptor)
            throw ContentFileError(path, code)
        }
        self.path = path
        state = Mutex(State(size: Int(status.st_size), isKept: true))
    }

    deinit {
        close(descriptor)
        if state.withLock({ !$0.isKept }) { unlink(path) }
    }

    /// In bytes.
    public var size: Int { state.withLock { $0.size } }

    /// Appends all of `bytes`. Blocks.
    public func append(_ bytes: RawSpan) throws(ContentFileError) {
        let start = size
        var written = 0
        while written < bytes.byteCount {
            let count = bytes.withUnsafeBytes { all in
                pwrite(descriptor, all.baseAddress.map { $0 + written }, all.count - written, off_t(start + written))
            }
            if count > 0 {
                written += count
            } else if count < 0, errno != EINTR {
                throw ContentFileError(path, errno)
            }
        }
        state.withLock { $0.size = start + written }
    }

    /// Returns once what was written is on the disk; the file's name is so once its directory is synced. Blocks.
    public func synchronize() throws(ContentFileError) {
        if fdatasync(descriptor) != 0 { throw ContentFileError(path, errno) }
    }

    /// The file outlives this object: somebody has taken responsibility for it.
    public func keep() { state.withLock { $0.isKept = true } }

    /// Removes the file once nobody holds it any more.
    public func discard() { state.withLock { $0.isKept = false } }

    /// Appends the bytes from `offset` on, `count` at most, to `buffer`. Fewer only at the end. Blocks.
    public func read(from offset: Int, upTo count: Int, into buffer: inout [UInt8]) throws(ContentFileError) {
        let before = buffer.count
        let wanted = min(max(count, 0), max(size - offset, 0))
        buffer.append(contentsOf: repeatElement(0, count: wanted))
        var got = 0
        while got < wanted {
            let result = buffer.withUnsafeMutableBytes { all in
                pread(descriptor, all.baseAddress.map { $0 + before + got }, wanted - got, off_t(offset + got))
            }
            if result > 0 {
                got += result
            } else if result == 0 || errno != EINTR {
                buffer.removeLast(wanted)
                // An end before the size that was seen: somebody has cut the file.
                throw ContentFileError(path, result == 0 ? EIO : errno)
            }
        }
    }
}

/// The system refused to make, write or read a content's file.
public struct ContentFileError: Error, Equatable, CustomStringConvertible, Sendable {
    public let path: String
    public let code: CInt

    init(_ path: String, _ code: CInt) {
        self.path = path
        self.code = code
    }

    /// No room on the disk, or none for this user.
    public var isFull: Bool { code == ENOSPC || code == EDQUOT }

    public var description: String { "\(path): \(String(cString: strerror(code)))" }
}
