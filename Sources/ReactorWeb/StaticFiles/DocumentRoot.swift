import CReactorSystem
import ConnectionHandling
import Glibc

/// The directory whose files are served. Shared by every connection; nothing outside it can be opened through it.
public final class DocumentRoot: Sendable {
    private let descriptor: Descriptor

    /// - Throws: ``DocumentRootError`` if there is no directory at `path`, or the system cannot confine it
    ///   (openat2(2) is in Linux since 5.6).
    public init(_ path: String) throws(DocumentRootError) {
        let opened = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if opened < 0 { throw DocumentRootError(path: path, code: errno) }
        descriptor = Descriptor(owning: opened)
        let probe = creactor_open_beneath(opened, ".")
        if probe < 0 { throw DocumentRootError(path: path, code: -probe) }
        close(probe)
    }

    enum Found: ~Copyable {
        case file(FoundFile)
        case directory(Descriptor)
        case nothing
        case forbidden
        /// The system cannot say now: out of descriptors or memory, or the tree was changed meanwhile (EAGAIN).
        case exhausted
    }

    /// Opens what stands at `path`, which is relative and ends with a NUL. Links are followed, but not out of the root.
    func find(_ path: [UInt8]) -> Found {
        let opened = path.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -ENOENT }
            return creactor_open_beneath(descriptor.number, base.assumingMemoryBound(to: CChar.self))
        }
        switch -opened {
        case EACCES, EPERM: return .forbidden
        case EMFILE, ENFILE, ENOMEM, EAGAIN: return .exhausted
        case 1...: return .nothing
        default: break
        }
        let owned = Descriptor(owning: opened)
        var status = stat()
        guard fstat(opened, &status) == 0 else { return .nothing }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            return .file(
                FoundFile(
                    descriptor: owned, length: Int(status.st_size), modified: Int64(status.st_mtim.tv_sec),
                    nanoseconds: Int64(status.st_mtim.tv_nsec)))
        case S_IFDIR: return .directory(owned)
        // Neither pipes nor devices are served.
        default: return .nothing
        }
    }
}

/// The directory to serve cannot be opened.
public struct DocumentRootError: Error, CustomStringConvertible, Sendable {
    public let path: String
    /// The system's reason, as in `errno`.
    public let code: Int32
    public var description: String {
        "cannot serve the files under '\(path)': \(String(cString: strerror(code))); name a directory that can be read"
    }
}

/// A regular file that is there.
struct FoundFile: ~Copyable {
    let descriptor: Descriptor
    /// In bytes, when it was opened.
    let length: Int
    /// Seconds since 1970, and the nanoseconds behind them.
    let modified: Int64
    let nanoseconds: Int64

    consuming func intoOpenFile() -> OpenFile { OpenFile(descriptor) }

    /// Its first ``length`` bytes, for which there is room; false if it has become shorter.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        var offset = 0
        while offset < length {
            let count = pread(descriptor.number, buffer.baseAddress.map { $0 + offset }, length - offset, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return false }
            offset += count
        }
        return true
    }
}
