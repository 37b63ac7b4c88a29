import Glibc

/// The directory that a spool lives in, and what is where in it.
enum SpoolDirectory {
    static func database(in directory: String) -> String { directory + "/spool.db" }
    static func log(in directory: String) -> String { directory + "/spool.db-wal" }
    static func lock(in directory: String) -> String { directory + "/agent.lock" }
    static func pipe(in directory: String) -> String { directory + "/wake" }
    static func contents(in directory: String) -> String { directory + "/content" }

    /// Makes the directory and what belongs in it where missing; others can enter neither.
    static func prepare(_ directory: String) throws(SpoolError) {
        if try make(directory) { try synchronize(directory + "/..", of: directory) }
        _ = try make(contents(in: directory), of: directory)
        // Made here for its mode, which SQLite's other files take over.
        let file = open(database(in: directory), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw failure(directory) }
        close(file)
        if mkfifo(pipe(in: directory), 0o600) != 0, errno != EEXIST { throw failure(directory) }
        // SQLite makes files next to it.
        if access(directory, W_OK | X_OK) != 0 { throw failure(directory) }
        try synchronize(directory, of: directory)
    }

    /// - Throws: ``SpoolError/missing(directory:)`` if there is no spool, ``SpoolError/torn(directory:)`` if it is known to
    ///   have been one. SQLite would take an empty database with a log for a new one, and throw the log away.
    static func check(_ directory: String) throws(SpoolError) {
        var status = stat()
        guard stat(database(in: directory), &status) == 0, access(database(in: directory), R_OK) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw .missing(directory: directory) }
            throw failure(directory)
        }
        if status.st_size == 0, logSize(in: directory) > 0 { throw .torn(directory: directory) }
    }

    /// What the file system has left for us, in bytes; what only the superuser may use does not count. As much as can
    /// be if it does not say: then SQLite finds out.
    static func freeSpace(in directory: String) -> Int {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return .max }
        let (bytes, overflow) = UInt(status.f_bavail).multipliedReportingOverflow(by: UInt(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }

    /// Of the write-ahead log, in bytes; 0 if there is none.
    static func logSize(in directory: String) -> Int {
        var status = stat()
        return stat(log(in: directory), &status) == 0 ? Int(status.st_size) : 0
    }

    /// So that a new name survives the machine's death as what is behind it does.
    static func synchronize(_ path: String, of directory: String) throws(SpoolError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == EACCES { return }  // It is a directory that we can enter and not read.
            throw failure(directory)
        }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 && errno != EINVAL { throw failure(directory) }
    }

    /// Returns true if it was not there.
    private static func make(_ path: String, of directory: String? = nil) throws(SpoolError) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        if errno != EEXIST { throw failure(directory ?? path) }
        return false
    }

    static func failure(_ directory: String) -> SpoolError {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return .full(directory: directory) }
        return .unusable(directory: directory, reason: String(cString: strerror(code)))
    }
}
