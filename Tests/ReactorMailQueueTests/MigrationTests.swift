import Dispatch
import Foundation
@testable import ReactorMailQueue
import ReactorSMTP
import TestSupport
import Testing

/// Spools of version 1, as its last release made them.
@Suite(.timeLimit(.minutes(40))) struct MigrationTests {
    private let directory: TemporaryDirectory

    private static let version1 = """
        PRAGMA journal_mode = WAL;
        CREATE TABLE message(
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, body TEXT NOT NULL,
            size INTEGER NOT NULL, received INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_attempt INTEGER,
            last_error TEXT) STRICT;
        CREATE INDEX message_due ON message(next_attempt) WHERE next_attempt IS NOT NULL;
        CREATE TABLE recipient(
            message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE, position INTEGER NOT NULL, address TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting', reply TEXT, PRIMARY KEY(message, position)) STRICT, WITHOUT ROWID;
        CREATE TABLE content(message INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE, bytes BLOB NOT NULL) STRICT;
        PRAGMA application_id = 1381191756;
        PRAGMA user_version = 1;
        INSERT INTO message VALUES(9, 'GONE', '', '7BIT', 0, 0, 0, 0, NULL);
        DELETE FROM message;
        INSERT INTO message VALUES(2, 'WAITS', 'a@a.test', '8BITMIME', 5, 1000, 3, 2000, '450 later');
        INSERT INTO recipient VALUES(2, 0, 'b@B.test', 'delivered', '250 ok'), (2, 1, '"x@y"@c.test', 'waiting', '450 later');
        INSERT INTO message VALUES(3, 'FAILED', '', '7BIT', 5, 1000, 1, NULL, '550 no');
        INSERT INTO recipient VALUES(3, 0, 'b@b.test', 'failed', '550 no');
        INSERT INTO message VALUES(4, 'ASIDE', '', '7BIT', 5, 1000, 0, NULL, 'not whole');
        INSERT INTO recipient VALUES(4, 0, 'b@b.test', 'waiting', NULL);
        INSERT INTO content VALUES(2, x'0102030405'), (3, x'0102030405');
        """

    init() throws {
        directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.spool, withIntermediateDirectories: false)
        #expect(FileManager.default.createFile(atPath: directory.spool + "/spool.db", contents: nil))
        try directory.tamper(Self.version1)
    }

    @Test func version1IsBroughtUpToDate() throws {
        let old = SpoolError.version(directory: directory.spool, found: 1, expected: 2)
        #expect(throws: old) { try Spool(existing: directory.spool) }
        let spool = try Spool(directory: directory.spool)
        let list = try spool.list()
        #expect(list.map(\.id) == ["WAITS", "FAILED", "ASIDE"] && list.map(\.state) == [.waiting, .failed, .quarantined])
        #expect(list[0].recipients.map(\.state) == ["delivered", "waiting"] && list[0].attempts == 3)
        #expect(list[0].recipients.map(\.destination) == ["b.test", "c.test"])
        #expect(list[0].nextAttempt == "1970-01-01T00:33:20Z" && list[2].lastError == "not whole")
        #expect(try spool.due("c.test").map(\.bytes) == [[1, 2, 3, 4, 5]])
        #expect(try spool.waitingDestinations() == [.init(name: "c.test", nextAttempt: 2_000)])
        // No number is used again.
        try spool.store(envelope())
        #expect(try spool.due(at: .max).map(\.number) == [10])
        #expect(try Spool(directory: directory.spool).list().count == 4)
        #expect(try Spool(existing: directory.spool).list().count == 4)
    }

    @Test func processesThatComeAtOnce() throws {
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            let count = Result { try Spool(directory: directory.spool).list().count }
            #expect((try? count.get()) == 3, "\(count)")
        }
    }
}
