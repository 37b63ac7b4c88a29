import CReactorSystem
import ConnectionHandling
import Glibc

/// The directory whose files are served. Shared by every connection; nothing outside it can be opened through it.
public final class DocumentRoot: Sendable {
    private let descriptor: Int32

    /// - Throws: ``DocumentRootError`` if there is no directory at `path`, or the system cannot confine it
    ///   (openat2(2) is in Linux since 5.6).
    public init(_ path: String) throws(DocumentRootError) {
        let opened = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if opened < 0 { throw DocumentRootError(path: path, code: errno) }
        let probe = creactor_open_beneath(opened, ".")
        if probe < 0 {
            close(opened)
            throw DocumentRootError(path: path, code: -probe)
        }
        close(probe)
        descriptor = opened
    }

    deinit { close(descriptor) }

    enum Found {
        case file(FoundFile)
        case directory
        case nothing
        case forbidden
        /// The system cannot say now: out of descriptors or memory, or the tree was changed meanwhile (EAGAIN).
        case exhausted
    }

    /// Opens what stands at `path`, which is relative and ends with a NUL. Links are followed, but not out of the root.
    func find(_ path: [UInt8]) -> Found {
        let opened = path.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -ENOENT }
            return creactor_open_beneath(descriptor, base.assumingMemoryBound(to: CChar.self))
        }
        switch -opened {
        case EACCES, EPERM: return .forbidden
        case EMFILE, ENFILE, ENOMEM, EAGAIN: return .exhausted
        case 1...: return .nothing
        default: break
        }
        var status = stat()
        let known = fstat(opened, &status) == 0
        if known && status.st_mode & S_IFMT == S_IFREG {
            return .file(
                FoundFile(
                    file: OpenFile(Descriptor(owning: opened)), length: status.st_size,
                    modified: Int64(status.st_mtim.tv_sec)))
        }
        close(opened)
        // Neither pipes nor devices are served.
        return known && status.st_mode & S_IFMT == S_IFDIR ? .directory : .nothing
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
struct FoundFile {
    let file: OpenFile
    /// In bytes, when it was opened.
    let length: Int
    /// Seconds since 1970.
    let modified: Int64
}
