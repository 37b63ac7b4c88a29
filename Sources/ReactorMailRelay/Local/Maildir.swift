import Glibc

/// One directory with `tmp`, `new` and `cur` in it. Blocks.
struct Maildir {
    let path: String

    /// Makes what is missing, for its owner alone.
    init(at path: String) throws(MaildirError) {
        self.path = path
        var isNew = false
        for directory in [path, path + "/tmp", path + "/new", path + "/cur"] {
            if mkdir(directory, 0o700) == 0 {
                isNew = true
            } else if errno != EEXIST {
                throw MaildirError(operation: "make", path: directory, code: errno)
            }
        }
        // A message is no safer than the names that lead to it.
        if isNew { for directory in [path, path + "/.."] { try Self.synchronize(directory) } }
    }

    /// Makes a message of what `write` writes. One that has been there since an earlier attempt is left as it is.
    func deliver(_ name: String, _ write: (inout MaildirFile) throws(MaildirError) -> Void) throws(MaildirError) {
        let (draft, final) = ("\(path)/tmp/\(name)", "\(path)/new/\(name)")
        if access(final, F_OK) == 0 { return }
        // Left by an attempt that did not end: nobody else has the name.
        unlink(draft)
        var file = try MaildirFile(creating: draft)
        defer { unlink(draft) }
        try write(&file)
        try file.finish()
        // Not rename(2), which would replace one that is there.
        if link(draft, final) != 0, errno != EEXIST { throw MaildirError(operation: "link", path: final, code: errno) }
        try Self.synchronize("\(path)/new")
    }

    private static func synchronize(_ directory: String) throws(MaildirError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw MaildirError(operation: "open", path: directory, code: errno) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw MaildirError(operation: "sync", path: directory, code: errno) }
    }

    /// The convention for a host's name in that of a file: `/` and `:` have meanings there.
    static func safe(_ hostname: String) -> String {
        hostname.map { $0 == "/" ? "\\057" : $0 == ":" ? "\\072" : String($0) }.joined()
    }
}

/// A message that is being written.
struct MaildirFile: ~Copyable {
    private let descriptor: CInt
    private let path: String

    init(creating path: String) throws(MaildirError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw MaildirError(operation: "make", path: path, code: errno) }
        self.path = path
    }

    deinit { close(descriptor) }

    mutating func write(_ bytes: [UInt8]) throws(MaildirError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
            if count > 0 {
                written += count
            } else if count < 0, errno != EINTR {
                throw MaildirError(operation: "write", path: path, code: errno)
            }
        }
    }

    /// Returns once it is on the disk.
    mutating func finish() throws(MaildirError) {
        if fsync(descriptor) != 0 { throw MaildirError(operation: "sync", path: path, code: errno) }
    }
}

/// The system refused something of a Maildir.
struct MaildirError: Error, Equatable, CustomStringConvertible {
    let operation: String
    let path: String
    let code: CInt

    var isFull: Bool { code == ENOSPC || code == EDQUOT }
    /// Without the path, which is nobody's business who hears of it in a notice.
    var description: String { "cannot \(operation) a file of the mailbox: \(String(cString: strerror(code)))" }
}
