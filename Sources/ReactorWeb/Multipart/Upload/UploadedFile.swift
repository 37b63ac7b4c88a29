import ConnectionHandling
import Glibc
import ReactorWire
import Synchronization

/// A file that came with a form, in a temporary file, which goes with the last reference to this unless it was kept.
public final class UploadedFile: Sendable {
    /// The field's name.
    public let name: String
    /// What the peer calls the file, for people to read; see ``MultipartHead/filename``.
    public let filename: String
    /// As the peer says; nothing has looked at the bytes.
    public let contentType: String?
    /// In bytes.
    public let size: Int
    /// Of the bytes; 32 bytes.
    public let sha256: [UInt8]
    /// Where the bytes are, until this goes.
    public let path: String
    private let isKept = Mutex(false)

    init(head: MultipartHead, path: String, size: Int, sha256: [UInt8]) {
        name = head.name
        filename = head.filename ?? ""
        contentType = head.contentType
        self.path = path
        self.size = size
        self.sha256 = sha256
    }

    deinit { if !isKept.withLock({ $0 }) { unlink(path) } }

    /// Moves the file to `destination`, in the same file system, in place of what is there. It blocks, so call it within
    /// `perform`.
    ///
    /// - Throws: ``UploadFailure``.
    public func keep(as destination: String) throws(UploadFailure) {
        let code = isKept.withLock { isKept in
            if rename(path, destination) != 0 { return Glibc.errno }
            isKept = true
            return 0
        }
        if code != 0 { throw UploadFailure("rename", code) }
    }
}

/// The system would not store what was uploaded.
public struct UploadFailure: Error, CustomStringConvertible, Sendable {
    public let call: String
    public let errno: Int32

    init(_ call: String, _ errno: Int32) {
        self.call = call
        self.errno = errno
    }

    public var description: String { "\(call): \(String(cString: strerror(errno)))" }
}
