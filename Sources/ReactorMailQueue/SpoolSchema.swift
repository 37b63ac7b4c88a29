/// The spool's tables. `user_version` is the format's number; `application_id` tells a spool from other databases.
enum SpoolSchema {
    static let version: Int64 = 1
    static let applicationID: Int64 = 0x5253_504C  // "RSPL"

    static let tables = """
        CREATE TABLE message(
            number INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of arrival, never used again
            id TEXT NOT NULL UNIQUE,
            sender TEXT NOT NULL,         -- empty for <>
            body TEXT NOT NULL,           -- 7BIT or 8BITMIME
            size INTEGER NOT NULL,        -- of the content, in bytes
            received INTEGER NOT NULL,    -- seconds since 1970, as all times here
            attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt INTEGER,         -- NULL: none; the message has failed
            last_error TEXT
        ) STRICT;
        CREATE INDEX message_due ON message(next_attempt) WHERE next_attempt IS NOT NULL;
        CREATE TABLE recipient(
            message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
            position INTEGER NOT NULL,
            address TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting',  -- waiting, delivered, failed
            reply TEXT,
            PRIMARY KEY(message, position)
        ) STRICT, WITHOUT ROWID;
        -- By itself, since an UPDATE of a message writes its whole row anew.
        CREATE TABLE content(
            message INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
            bytes BLOB NOT NULL
        ) STRICT;
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        """

    /// Each connection's settings. FULL makes a commit wait for the disk; the write-ahead log keeps readers and the
    /// writer out of each other's way, and is cut back to 16 MiB after a burst.
    static let settings = """
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA journal_size_limit = 16777216;
        """

    enum Found: Equatable {
        case ours, empty, foreign
        case version(Int64)
    }

    /// Finds out what the database is, and makes a spool of an empty one.
    static func prepare(_ database: Database, readOnly: Bool) throws(Database.Failure) -> Found {
        let found = try look(at: database)
        if readOnly { return found }
        switch found {
        case .ours: break
        case .empty:
            try database.script("PRAGMA journal_mode = WAL")
            // Another process may have been faster: look again with the write lock held.
            let settled = try database.transaction { database throws(Database.Failure) in
                let found = try look(at: database)
                if found == .empty { try database.script(tables) }
                return found == .empty ? .ours : found
            }
            if settled != .ours { return settled }
        case .foreign, .version: return found
        }
        try database.script(settings)
        return .ours
    }

    private static func look(at database: Database) throws(Database.Failure) -> Found {
        let version = try database.number("PRAGMA user_version") ?? 0
        if try database.number("PRAGMA application_id") == applicationID {
            return version == Self.version ? .ours : .version(version)
        }
        return try database.number("SELECT count(*) FROM sqlite_schema") == 0 && version == 0 ? .empty : .foreign
    }
}
