import CSQLite
import Foundation
import Glibc
@testable import ReactorMailQueue
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Spools that are torn, old, foreign or full.
@Suite(.timeLimit(.minutes(40))) struct DamageTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    // MARK: Rows

    @Test("damaged rows are set aside", arguments: [
        "DELETE FROM content WHERE message = 1", "UPDATE content SET bytes = x'00' WHERE message = 1",
        "UPDATE recipient SET state = 'strange' WHERE message = 1", "UPDATE recipient SET notify = 99 WHERE message = 1",
        "UPDATE recipient SET address = CAST(x'ff' AS TEXT) WHERE message = 1", "UPDATE recipient SET address = '' WHERE message = 1",
        "UPDATE message SET body = 'x' WHERE number = 1", "UPDATE message SET ret = 'x' WHERE number = 1",
        "UPDATE message SET sender = CAST(x'ff' AS TEXT) WHERE number = 1", "UPDATE message SET size = -1 WHERE number = 1",
        "UPDATE message SET id = '' WHERE number = 1", "UPDATE message SET file = '../../etc/passwd' WHERE number = 1",
        "UPDATE message SET size = 9223372036854775807 WHERE number = 1",
    ])
    func damagedRows(_ damage: String) throws {
        let spool = try Spool(directory: directory.spool)
        let lease = try spool.acquireLease()
        for _ in 0..<3 { try spool.store(envelope()) }
        try directory.tamper(damage)
        // Behind a limit of one as well: what cannot be read does not hide the rest.
        #expect(try spool.due(limit: 1).map(\.number) == [2])
        try spool.settle()
        #expect(try spool.due().map(\.number) == [2, 3])
        let listed = try spool.list()
        #expect(listed.count == 3 && listed[0].state == .quarantined && listed[0].lastError?.contains("damaged") == true
            || listed[0].lastError?.contains("content") == true, "\(listed[0])")
        #expect(listed.dropFirst().allSatisfy { $0.state == .waiting })
        #expect(try spool.waitingDestinations().count == 1)
        // Tried again it is set aside again, unless that has repaired it; and it can be deleted.
        #expect(try spool.apply(.retry, matching: QueueFilter()) == 3)
        #expect(try spool.due(at: .max).count == (damage.contains("strange") ? 3 : 2))
        #expect(try spool.apply(.delete, matching: QueueFilter()) == 3)
        lease.release()
    }

    @Test func rowsThatBelongToNobodyDoNotTrap() throws {
        let spool = try Spool(directory: directory.spool)
        try spool.store(envelope())
        try directory.tamper("DELETE FROM message")
        #expect(try spool.due().isEmpty)
        try spool.settle()
        #expect(try spool.waitingDestinations().isEmpty && spool.list().isEmpty)
        #expect(try spool.statistics(now: 0).total == 0)
    }

    @Test func strangeValuesAreShownAndDoNotTrap() throws {
        let spool = try Spool(directory: directory.spool)
        try spool.store(envelope())
        try directory.tamper(
            """
            UPDATE message SET received = 9223372036854775807, size = -9223372036854775808, body = 'x';
            UPDATE recipient SET next_attempt = -9223372036854775808, attempts = -9223372036854775808;
            UPDATE spool SET newest = 9223372036854775807, epoch = 9223372036854775807, changes = 9223372036854775806;
            """)
        let listed = try spool.list()[0]
        #expect(listed.received == "9999-12-31T23:59:59Z" && listed.nextAttempt == "1970-01-01T00:00:00Z")
        #expect(try spool.statistics(now: 0).total == 1)
        let lease = try spool.acquireLease()
        #expect(lease.epoch == 1)
        try spool.store(envelope())
        lease.release()
    }

    // MARK: Files

    /// Copies a spool in use as a crash would leave it, damages the copy, and opens that.
    private func torn(_ damage: (String) throws -> Void) throws -> Result<[QueuedMessage], any Error> {
        let spool = try Spool(directory: directory.spool)
        for _ in 0..<50 { try spool.store(envelope(), Array(repeating: 65, count: 3_000)) }
        let copy = directory.path + "/copy"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
        for name in ["spool.db", "spool.db-wal"] {
            try FileManager.default.copyItem(atPath: directory.spool + "/" + name, toPath: copy + "/" + name)
        }
        try damage(copy)
        return Result {
            let torn = try Spool(directory: copy)
            let lease = try torn.acquireLease()
            defer { lease.release() }
            _ = try torn.due(limit: 1_000)
            try torn.settle()
            try torn.store(envelope())
            _ = try torn.waitingDestinations()
            return try torn.list()
        }
    }

    @Test func whatACrashLeavesIsWhole() throws {
        #expect(try torn { _ in }.get().count == 51)
    }

    @Test func aLogThatWasCutHasWhatWasWhole() throws {
        for share in [0.1, 0.5, 0.9, 0.999] {
            let left = try torn { copy in
                let log = SpoolDirectory.log(in: copy)
                truncate(log, off_t(Double(SpoolDirectory.logSize(in: copy)) * share))
            }
            // A cut that lets nothing of the tables through leaves an empty database, and a new spool.
            let count = try left.get().count
            #expect(count >= 1 && count <= 50 * 4 + 1)
        }
    }

    @Test func anEmptyDatabaseWithALogIsNoNewSpool() throws {
        let copy = directory.path + "/copy"
        let result = try torn { truncate(SpoolDirectory.database(in: $0), 0) }
        #expect(throws: SpoolError.torn(directory: copy)) { _ = try result.get() }
        #expect(SpoolDirectory.logSize(in: copy) > 0, "what could be recovered is left")
    }

    /// Never a crash: an error in one line, or what can still be read.
    @Test func garbageInTheDatabase() throws {
        var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
        let seed = random
        for _ in 0..<25 {
            let result = try torn { copy in
                // Everything into the database first, so that the damage is to what is read.
                try Database(path: SpoolDirectory.database(in: copy), flags: SQLITE_OPEN_READWRITE).script("PRAGMA wal_checkpoint(TRUNCATE)")
                let path = SpoolDirectory.database(in: copy)
                let handle = try #require(FileHandle(forUpdatingAtPath: path))
                let size = try handle.seekToEnd()
                if Bool.random(using: &random) { try handle.truncate(atOffset: UInt64.random(in: 0..<size, using: &random)) }
                for _ in 0..<Int.random(in: 1...20, using: &random) {
                    try handle.seek(toOffset: UInt64.random(in: 0..<size, using: &random))
                    try handle.write(contentsOf: Data((0..<50).map { _ in UInt8.random(in: 0...255, using: &random) }))
                }
                try handle.close()
            }
            if case .failure(let error) = result { #expect(!"\(error)".contains("\n") && !"\(error)".isEmpty, "\(seed)") }
        }
    }

    @Test("a spool taken away in use accepts nothing, and a new one is taken", arguments: [false, true])
    func takenAway(_ isReplaced: Bool) throws {
        let spool = try Spool(directory: directory.spool)
        let lease = try spool.acquireLease()
        try spool.store(envelope())
        let message = try #require(try spool.due().first)
        try FileManager.default.moveItem(atPath: directory.spool, toPath: directory.path + "/elsewhere")
        if isReplaced { _ = try Spool(directory: directory.spool) }
        #expect(throws: SpoolError.moved(directory: directory.spool).asStoreError) { try spool.store(envelope()) }
        if !isReplaced {
            for _ in 0..<2 {
                #expect(throws: SpoolError.missing(directory: directory.spool).asStoreError) { try spool.store(envelope()) }
            }
            #expect(throws: SpoolError.moved(directory: directory.spool)) { try spool.list() }
            #expect(throws: SpoolError.missing(directory: directory.spool)) { try spool.list() }
            _ = try Spool(directory: directory.spool)
        } else {
            #expect(throws: SpoolError.moved(directory: directory.spool)) { try spool.list() }
        }
        let accepted = envelope()
        try spool.store(accepted)
        #expect(try Spool(existing: directory.spool).list().map(\.id) == [accepted.id.text])
        #expect(try Spool(existing: directory.path + "/elsewhere").list().count == 1)
        // The right to deliver from the old one is none to deliver from the new one.
        #expect(throws: MailQueueError.leaseLost) { try spool.note(message.attempt(.delivered(report)), under: lease) }
    }

    // MARK: Other spools

    @Test func modes() throws {
        _ = try Spool(directory: directory.spool)
        func mode(_ path: String) -> Int? {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
        }
        #expect(mode(directory.spool) == 0o700 && mode(directory.spool + "/content") == 0o700)
        #expect(mode(directory.spool + "/spool.db") == 0o600 && mode(directory.spool + "/wake") == 0o600)
    }

    @Test func unwritableDirectories() throws {
        let file = directory.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        // Not by permissions, which the superuser does not heed.
        for path in [file, file + "/below", directory.path + "/missing/below", "/proc/spool", ""] {
            #expect {
                _ = try Spool(directory: path)
            } throws: { error in
                guard case SpoolError.unusable = error else { return false }
                return !"\(error)".contains("\n")
            }
        }
    }

    @Test func missingSpools() throws {
        for path in [directory.spool, directory.path, "/"] {
            #expect(throws: SpoolError.missing(directory: path)) { try Spool(existing: path) }
        }
        #expect(!FileManager.default.fileExists(atPath: directory.spool))
    }

    @Test func otherVersionsAndDatabases() throws {
        _ = try Spool(directory: directory.spool)
        try directory.tamper("PRAGMA user_version = 3")
        let expected = SpoolError.version(directory: directory.spool, found: 3, expected: 2)
        #expect(throws: expected) { try Spool(directory: directory.spool) }
        #expect(throws: expected) { try Spool(existing: directory.spool) }
        let file = directory.spool + "/spool.db"
        #expect(FileManager.default.createFile(atPath: file, contents: Data(String(repeating: "no database ", count: 500).utf8)))
        #expect(throws: SpoolError.foreign(directory: directory.spool)) { try Spool(directory: directory.spool) }
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        #expect(throws: SpoolError.missing(directory: directory.spool)) { try Spool(existing: directory.spool) }
        try directory.tamper("CREATE TABLE something(x)")
        #expect(throws: SpoolError.foreign(directory: directory.spool)) { try Spool(directory: directory.spool) }
    }

    @Test func aWakePipeThatIsNoPipe() throws {
        try FileManager.default.createDirectory(atPath: directory.spool, withIntermediateDirectories: false)
        try directory.write("", to: "spool/wake")
        #expect(throws: SpoolError.unusable(directory: directory.spool, reason: "'wake' is no FIFO")) { try Spool(directory: directory.spool) }
    }
}
