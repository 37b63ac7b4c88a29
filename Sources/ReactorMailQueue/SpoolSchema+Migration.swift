extension SpoolSchema {
    /// Version 1 had one time for all recipients of a message, no destinations, and kept what had failed.
    static func migrateFromVersion1(_ database: Database, routing: (String) -> String) throws(Database.Failure) {
        try database.script(
            """
            DROP INDEX message_due;
            ALTER TABLE message RENAME TO old_message;
            ALTER TABLE recipient RENAME TO old_recipient;
            ALTER TABLE content RENAME TO old_content;
            """)
        try database.script(tables)
        try database.script(
            """
            INSERT INTO message(number, id, sender, body, utf8, size, received, quarantine)
                SELECT number, id, sender, body, 0, size, received,
                    -- Nobody was refused, and yet it was not to be tried: it had been set aside.
                    CASE WHEN next_attempt IS NULL AND NOT EXISTS(
                        SELECT 1 FROM old_recipient WHERE message = number AND state = 'failed')
                    THEN coalesce(last_error, 'set aside') END
                FROM old_message;
            INSERT INTO content SELECT message, bytes FROM old_content;
            INSERT INTO recipient(message, position, address, domain, destination, state, attempts, next_attempt, reply)
                SELECT message, position, address, '', '', state, attempts,
                    CASE state WHEN 'waiting' THEN next_attempt END, reply
                FROM old_recipient JOIN old_message ON number = message;
            UPDATE spool SET newest = max(
                coalesce((SELECT max(number) FROM message), 0),
                coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'old_message'), 0));
            DROP TABLE old_content;
            DROP TABLE old_recipient;
            DROP TABLE old_message;
            """)
        var addresses: [String] = []
        try database.run("SELECT DISTINCT address FROM recipient") { addresses.append($0.text(0)) }
        try database.script("CREATE TEMP TABLE route(address TEXT PRIMARY KEY, domain TEXT, destination TEXT)")
        for address in addresses {
            try database.run(
                "INSERT OR IGNORE INTO route VALUES(?, ?, ?)",
                [.text(address), .text(Spool.domain(of: address)), .text(routing(address))])
        }
        try database.script(
            """
            UPDATE recipient SET (domain, destination) = (
                SELECT domain, destination FROM route WHERE route.address = recipient.address)
                WHERE address IN (SELECT address FROM route);
            DROP TABLE route;
            """)
    }
}
