/// The spool's tables. `user_version` is the format's number; `application_id` tells a spool from other databases.
///
/// One index beside the keys, since each costs every message: what is due for a destination, and which destinations
/// wait, is read from it alone. Lists go by number and leave contents alone, which are in a table of their own.
enum SpoolSchema {
    static let version: Int64 = 2
    static let applicationID: Int64 = 0x5253_504C  // "RSPL"

    static let tables = """
        CREATE TABLE spool(  -- one row
            newest INTEGER NOT NULL,      -- number of the message that arrived last
            epoch INTEGER NOT NULL,       -- of the lease that was taken last
            changes INTEGER NOT NULL      -- made by operators
        ) STRICT;
        INSERT INTO spool VALUES(0, 0, 0);
        CREATE TABLE message(
            number INTEGER PRIMARY KEY,   -- in the order of arrival, never used again
            id TEXT NOT NULL UNIQUE,
            sender TEXT NOT NULL,         -- empty for <>
            body TEXT NOT NULL,           -- 7BIT, 8BITMIME or BINARYMIME
            utf8 INTEGER NOT NULL,        -- SMTPUTF8
            ret TEXT,                     -- FULL or HDRS
            envid TEXT,
            size INTEGER NOT NULL,        -- of the content, in bytes
            received INTEGER NOT NULL,    -- seconds since 1970, as all times here
            file TEXT,                    -- the content's file; NULL: it is in the table
            held INTEGER NOT NULL DEFAULT 0,
            warned INTEGER NOT NULL DEFAULT 0,
            quarantine TEXT               -- why it is set aside
        ) STRICT;
        CREATE TABLE recipient(
            message INTEGER NOT NULL,
            position INTEGER NOT NULL,
            address TEXT NOT NULL,
            domain TEXT NOT NULL,         -- lower case
            destination TEXT NOT NULL,    -- whom it is handed to, as the routing had it
            notify INTEGER,               -- bits: success, failure, delay
            orcpt TEXT,
            state TEXT NOT NULL DEFAULT 'waiting',  -- waiting, delivered, failed
            attempts INTEGER NOT NULL DEFAULT 0,
            next_attempt INTEGER,         -- NULL: none; not waiting, or held, or quarantined
            reply TEXT,
            status TEXT,
            remote TEXT,
            PRIMARY KEY(message, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX recipient_due ON recipient(destination, next_attempt, message) WHERE next_attempt IS NOT NULL;
        -- By itself, since an UPDATE of a message writes its whole row anew.
        CREATE TABLE content(message INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        """

    /// Each connection's settings. FULL makes a commit wait for the disk. The write-ahead log keeps readers and the
    /// writer out of each other's way; it is copied into the database at 16 MiB, so that most messages have gone before,
    /// and cut back to 64 MiB after a burst. Debian's SQLite would write zeros over everything that is deleted.
    static let settings = """
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 4096;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA secure_delete = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA trusted_schema = OFF;
        """

    enum Found: Equatable {
        case ours, empty, foreign
        case version(Int64)
    }

    /// Finds out what the database is; makes a spool of an empty one, and brings one of an earlier version up to date.
    static func prepare(_ database: Database, isReadOnly: Bool, routing: (String) -> String) throws(Database.Failure) -> Found {
        let found = try look(at: database)
        if isReadOnly { return found }
        switch found {
        case .ours: break
        case .empty, .version(1):
            if found == .empty { try database.script("PRAGMA journal_mode = WAL") }
            // Another process may have been faster: look again with the write lock held.
            let settled = try database.transaction { database throws(Database.Failure) -> Found in
                let found = try look(at: database)
                if found == .empty {
                    try database.script(tables)
                } else if found == .version(1) {
                    try migrateFromVersion1(database, routing: routing)
                } else {
                    return found
                }
                return .ours
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
