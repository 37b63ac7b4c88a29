import CSQLite

/// Opening a spool's database.
enum SpoolConnection {
    static func open(_ directory: String, isReadOnly: Bool, routing: (String) -> String) throws(SpoolError) -> Database {
        try SpoolDirectory.check(directory)
        let found: SpoolSchema.Found
        let database: Database
        do throws(Database.Failure) {
            database = try Database(
                path: SpoolDirectory.database(in: directory), flags: isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE)
            found = try SpoolSchema.prepare(database, isReadOnly: isReadOnly, routing: routing)
        } catch {
            throw self.error(error, directory)
        }
        switch found {
        case .ours: return database
        case .empty: throw .missing(directory: directory)
        case .foreign: throw .foreign(directory: directory)
        case .version(let version): throw .version(directory: directory, found: version, expected: SpoolSchema.version)
        }
    }

    static func error(_ failure: Database.Failure, _ directory: String) -> SpoolError {
        if failure.isFull { return .full(directory: directory) }
        if failure.code == SQLITE_NOTADB { return .foreign(directory: directory) }
        if failure.code == SQLITE_CORRUPT {
            return .database(
                directory: directory,
                reason: failure.reason + "; stop the relay, and recover what can be read: sqlite3 spool.db .recover")
        }
        return .database(directory: directory, reason: failure.reason)
    }
}
