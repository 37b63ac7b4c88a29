import Glibc

/// The directory that a spool lives in.
enum SpoolDirectory {
    static func database(in directory: String) -> String { directory + "/spool.db" }

    /// Makes the directory and an empty database file where missing; others can enter neither.
    static func prepare(_ directory: String) throws(SpoolError) {
        if mkdir(directory, 0o700) == 0 {
            try syncParent(of: directory)
        } else if errno != EEXIST {
            throw failure(directory)
        }
        // Made here for its mode, which SQLite's other files take over.
        let file = open(database(in: directory), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw failure(directory) }
        close(file)
        // SQLite makes files next to it.
        if access(directory, W_OK | X_OK) != 0 { throw failure(directory) }
    }

    /// - Throws: ``SpoolError/missing(directory:)`` if there is no spool.
    static func check(_ directory: String) throws(SpoolError) {
        if access(database(in: directory), R_OK) == 0 { return }
        if errno == ENOENT || errno == ENOTDIR { throw .missing(directory: directory) }
        throw failure(directory)
    }

    /// What the file system has left for us, in bytes; what only the superuser may use does not count. As much as can
    /// be if it does not say: then SQLite finds out.
    static func freeSpace(in directory: String) -> Int {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return .max }
        let (bytes, overflow) = UInt(status.f_bavail).multipliedReportingOverflow(by: UInt(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }

    /// In bytes; 0 if there is none.
    static func writeAheadLogSize(in directory: String) -> Int {
        var status = stat()
        return stat(database(in: directory) + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }

    /// So that a new directory survives the machine's death as what is put into it does.
    private static func syncParent(of directory: String) throws(SpoolError) {
        let parent = open(directory + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent < 0 { return }  // It may be a directory that we can enter and not read.
        defer { close(parent) }
        if fsync(parent) != 0 && errno != EINVAL { throw failure(directory) }
    }

    private static func failure(_ directory: String) -> SpoolError {
        .unusable(directory: directory, reason: String(cString: strerror(errno)))
    }
}
