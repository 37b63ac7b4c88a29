import CSQLite
import Dispatch
import Foundation
@testable import ReactorSMTP
import ReactorWire
import Testing

@Suite struct SpoolTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func envelope(_ recipients: [String] = ["b@b.test"], received: Int64 = 1_000) -> Envelope {
        Envelope(id: .random(), sender: "a@a.test", recipients: recipients, body: .eightBitMIME, received: received)
    }

    private let content = Array("Subject: x\r\n\r\n\u{E9}\u{0}body\r\n".utf8)

    /// Does to the spool's database what the spool would never do.
    private func tamper(_ sql: String) throws {
        let database = try Database(
            path: SpoolDirectory.database(in: directory.spool), flags: SQLITE_OPEN_READWRITE, busyTimeout: 1_000)
        try database.script(sql)
    }

    // MARK: Keeping

    @Test func whatIsCommittedIsThere() throws {
        let first = envelope(["b@b.test", "c@c.test"])
        let second = Envelope(id: .random(), sender: "", recipients: ["Postmaster"], received: 2_000)
        try Spool(directory: directory.spool).commit(first, content)
        // Another process, as far as a spool can tell.
        let spool = try Spool(directory: directory.spool)
        try spool.commit(second, [])
        let list = try Spool(reading: directory.spool).list()
        #expect(list.map(\.id) == [first.id.text, second.id.text])
        #expect(
            list[0] == QueuedMessage(
                id: first.id.text, state: .waiting, sender: "a@a.test",
                recipients: [
                    .init(address: "b@b.test", state: "waiting"), .init(address: "c@c.test", state: "waiting"),
                ], size: content.count, received: "1970-01-01T00:16:40Z", attempts: 0,
                nextAttempt: "1970-01-01T00:16:40Z", lastError: nil))

        let numbers = try spool.due(at: 2_000, limit: 10)
        #expect(numbers.count == 2)
        let message = try #require(try spool.load(numbers[0]))
        #expect(message.id == first.id && message.sender == first.sender && message.body == .eightBitMIME)
        #expect(message.recipients.map(\.address) == first.recipients)
        #expect(message.content == content)
        #expect(try spool.load(numbers[1])?.content == [])
    }

    @Test func json() throws {
        let spool = try Spool(directory: directory.spool)
        try spool.commit(envelope(), content)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let list = try spool.list()
        let text = String(decoding: try encoder.encode(list), as: UTF8.self)
        #expect(
            text.replacing(list[0].id, with: "ID") == """
                [{"attempts":0,"id":"ID","last_error":null,"next_attempt":"1970-01-01T00:16:40Z",\
                "received":"1970-01-01T00:16:40Z","recipients":[{"address":"b@b.test","last_reply":null,\
                "state":"waiting"}],"sender":"a@a.test","size":\(content.count),"state":"waiting"}]
                """)
        #expect(try JSONDecoder().decode([QueuedMessage].self, from: encoder.encode(list)) == list)
    }

    @Test func theSameIdTwiceIsRefusedAndSpoilsNothing() throws {
        let spool = try Spool(directory: directory.spool)
        let once = envelope()
        try spool.commit(once, content)
        #expect(throws: MessageStoreError.self) { try spool.commit(once, content) }
        try spool.commit(envelope(), content)
        #expect(try spool.list().count == 2)
    }

    @Test func manyThreadsAtOnce() throws {
        let spool = try Spool(directory: directory.spool)
        let other = try Spool(directory: directory.spool)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for _ in 0..<20 {
                do {
                    try (thread < 6 ? spool : other).commit(envelope(), content)
                } catch {
                    Issue.record(error)
                }
            }
        }
        let list = try spool.list()
        #expect(list.count == 160)
        #expect(Set(list.map(\.id)).count == 160)
        #expect(list.allSatisfy { $0.recipients.count == 1 })
    }

    /// Some in a group fail; the rest of the group does not.
    @Test func oneBadMessageInAGroup() throws {
        let spool = try Spool(directory: directory.spool)
        let taken = envelope()
        try spool.commit(taken, content)
        DispatchQueue.concurrentPerform(iterations: 16) { thread in
            let result = Result { try spool.commit(thread % 2 == 0 ? taken : envelope(), content) }
            #expect((try? result.get()) != nil || thread % 2 == 0)
        }
        #expect(try spool.list().count == 9)
    }

    @Test func commitsAreSignalled() throws {
        let spool = try Spool(directory: directory.spool)
        func isReadable() -> Bool {
            var poll = pollfd(fd: spool.committed.descriptor, events: Int16(POLLIN), revents: 0)
            return Glibc.poll(&poll, 1, 0) == 1
        }
        #expect(!isReadable())
        try spool.commit(envelope(), content)
        #expect(isReadable())
        spool.committed.clear()
        #expect(!isReadable())
    }

    // MARK: Room

    @Test func withoutRoomNothingIsAcceptedAndTheRestGoesOn() throws {
        let spool = try Spool(directory: directory.spool)
        try spool.commit(envelope(), content)
        var limits = SpoolLimits()
        limits.reserve = .max
        let full = try Spool(directory: directory.spool, limits: limits)
        for _ in 0..<2 {
            #expect(throws: SpoolError.full(directory: directory.spool).asStoreError) { try full.commit(envelope(), content) }
        }
        #expect(try full.list().count == 1)
        // What is there can be taken out.
        let message = try #require(try full.load(1))
        #expect(try full.record([.delivered("250 ok")], for: message, nextAttempt: 0) == .removed)
        limits.reserve = 0
        try Spool(directory: directory.spool, limits: limits).commit(envelope(), content)
        #expect(try full.list().count == 1)
    }

    @Test("a spool taken away in use accepts nothing, and a new one is taken", arguments: [false, true])
    func takenAway(_ isReplaced: Bool) throws {
        let spool = try Spool(directory: directory.spool)
        try spool.commit(envelope(), content)
        try FileManager.default.moveItem(atPath: directory.spool, toPath: directory.path + "/elsewhere")
        if isReplaced { _ = try Spool(directory: directory.spool) }
        #expect(throws: SpoolError.moved(directory: directory.spool).asStoreError) { try spool.commit(envelope(), content) }
        if !isReplaced {
            for _ in 0..<2 {
                #expect(throws: SpoolError.missing(directory: directory.spool).asStoreError) {
                    try spool.commit(envelope(), content)
                }
            }
            #expect(throws: SpoolError.missing(directory: directory.spool)) { try spool.list() }
            _ = try Spool(directory: directory.spool)
        }
        let accepted = envelope()
        try spool.commit(accepted, content)
        #expect(try Spool(reading: directory.spool).list().map(\.id) == [accepted.id.text])
        #expect(try Spool(reading: directory.path + "/elsewhere").list().count == 1)
    }

    // MARK: Delivering

    private func spoolWithOne(_ recipients: [String]) throws -> (Spool, OutgoingMessage) {
        let spool = try Spool(directory: directory.spool)
        try spool.commit(envelope(recipients), content)
        let number = try #require(try spool.due(at: 1_000, limit: 1).first)
        return (spool, try #require(try spool.load(number)))
    }

    @Test func dueMessages() throws {
        let spool = try Spool(directory: directory.spool)
        for time in [3_000, 1_000, 2_000] as [Int64] { try spool.commit(envelope(received: time), content) }
        #expect(try spool.due(at: 999, limit: 10) == [])
        #expect(try spool.nextAttempt(after: 999) == 1_000)
        #expect(try spool.due(at: 1_000, limit: 10) == [2])
        #expect(try spool.due(at: 5_000, limit: 10) == [2, 3, 1])
        #expect(try spool.due(at: 5_000, limit: 2) == [2, 3])
        #expect(try spool.due(at: 5_000, limit: 2, excluding: [2, 3]) == [1])
        #expect(try spool.nextAttempt(after: 2_000) == 3_000)
        #expect(try spool.nextAttempt(after: 3_000) == nil)
    }

    @Test func deliveredToAll() throws {
        let (spool, message) = try spoolWithOne(["b@b.test", "c@c.test"])
        #expect(try spool.record([.delivered("250 ok"), .delivered("250 ok")], for: message, nextAttempt: 0) == .removed)
        #expect(try spool.list().isEmpty)
        #expect(try spool.load(message.number) == nil)
        for table in ["message", "recipient", "content"] {
            #expect(try spool.use { database throws(Database.Failure) in try database.number("SELECT count(*) FROM \(table)") } == 0)
        }
    }

    @Test func deferredForOne() throws {
        let (spool, message) = try spoolWithOne(["b@b.test", "c@c.test", "d@d.test"])
        let outcomes: [DeliveryOutcome] = [.delivered("250 ok"), .deferred("450 later"), .failed("550 no")]
        #expect(try spool.record(outcomes, for: message, nextAttempt: 1_500) == .deferred)
        let listed = try Spool(reading: directory.spool).list()[0]
        #expect(listed.recipients.map(\.state) == ["delivered", "waiting", "failed"])
        #expect(listed.recipients.map(\.lastReply) == ["250 ok", "450 later", "550 no"])
        #expect(listed.attempts == 1 && listed.nextAttempt == "1970-01-01T00:25:00Z" && listed.state == .waiting)
        #expect(try spool.due(at: 1_499, limit: 1) == [])
        #expect(try spool.due(at: 1_500, limit: 1) == [message.number])

        let again = try #require(try spool.load(message.number))
        #expect(again.recipients.map(\.address) == ["c@c.test"])
        #expect(again.attempts == 1)
        // One was refused for good: it stays, and is not tried again.
        #expect(try spool.record([.delivered("250 ok")], for: again, nextAttempt: 2_000) == .failed)
        let failed = try spool.list()[0]
        #expect(failed.state == .failed && failed.nextAttempt == nil && failed.lastError == "550 no")
        #expect(failed.recipients.map(\.state) == ["delivered", "delivered", "failed"])
        #expect(try spool.due(at: .max, limit: 10) == [])
        #expect(try spool.nextAttempt(after: 0) == nil)
    }

    @Test func aNumberIsNotUsedAgainAndAnotherMessageIsLeftAlone() throws {
        let (spool, message) = try spoolWithOne(["b@b.test"])
        try tamper("PRAGMA foreign_keys = ON; DELETE FROM message")
        try spool.commit(envelope(), content)
        #expect(try spool.due(at: 1_000, limit: 2) == [message.number + 1])
        #expect(try spool.record([.delivered("250 ok")], for: message, nextAttempt: 0) == .gone)
        // The same number by force.
        try tamper("PRAGMA foreign_keys = ON; DELETE FROM message; DELETE FROM sqlite_sequence")
        try spool.commit(envelope(), content)
        #expect(try spool.due(at: 1_000, limit: 2) == [message.number])
        #expect(try spool.record([.delivered("250 ok")], for: message, nextAttempt: 0) == .gone)
        try spool.setAside(message.number, because: "it is whole")
        #expect(try spool.due(at: 1_000, limit: 2) == [message.number])
    }

    // MARK: Bad spools

    @Test func modes() throws {
        _ = try Spool(directory: directory.spool)
        func mode(_ path: String) -> Int? {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
        }
        #expect(mode(directory.spool) == 0o700)
        #expect(mode(directory.spool + "/spool.db") == 0o600)
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
            #expect(throws: SpoolError.missing(directory: path)) { try Spool(reading: path) }
        }
        #expect(!FileManager.default.fileExists(atPath: directory.spool))
    }

    @Test func otherVersions() throws {
        _ = try Spool(directory: directory.spool)
        try tamper("PRAGMA user_version = 2")
        let expected = SpoolError.version(directory: directory.spool, found: 2, expected: 1)
        #expect(throws: expected) { try Spool(directory: directory.spool) }
        #expect(throws: expected) { try Spool(reading: directory.spool) }
    }

    @Test func otherDatabases() throws {
        try FileManager.default.createDirectory(atPath: directory.spool, withIntermediateDirectories: false)
        let file = directory.spool + "/spool.db"
        #expect(FileManager.default.createFile(atPath: file, contents: Data(String(repeating: "no database ", count: 500).utf8)))
        #expect(throws: SpoolError.foreign(directory: directory.spool)) { try Spool(directory: directory.spool) }
        try FileManager.default.removeItem(atPath: file)
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        try tamper("CREATE TABLE something(x)")
        #expect(throws: SpoolError.foreign(directory: directory.spool)) { try Spool(directory: directory.spool) }
    }

    @Test func anEmptyDatabaseIsNoSpoolToReadAndOneToUse() throws {
        try FileManager.default.createDirectory(atPath: directory.spool, withIntermediateDirectories: false)
        #expect(FileManager.default.createFile(atPath: directory.spool + "/spool.db", contents: nil))
        #expect(throws: SpoolError.missing(directory: directory.spool)) { try Spool(reading: directory.spool) }
        #expect(try Spool(directory: directory.spool).list() == [])
    }

    @Test("damaged rows", arguments: [
        "DELETE FROM content WHERE message = 1", "DELETE FROM recipient WHERE message = 1",
        "UPDATE recipient SET state = 'strange' WHERE message = 1",
    ])
    func damagedRows(_ damage: String) throws {
        let spool = try Spool(directory: directory.spool)
        try spool.commit(envelope(), content)
        try spool.commit(envelope(), content)
        try tamper(damage)
        #expect(try spool.load(1) == nil)
        #expect(try spool.load(2) != nil)
        #expect(try spool.list().count == 2)
        try spool.setAside(1, because: "damaged")
        #expect(try spool.due(at: 5_000, limit: 10) == [2])
        #expect(try spool.list()[0].lastError == "damaged")
    }

    @Test func strangeValuesAreShownAndDoNotTrap() throws {
        let spool = try Spool(directory: directory.spool)
        try spool.commit(envelope(), content)
        try tamper("UPDATE message SET received = 9223372036854775807, next_attempt = -9223372036854775808, body = 'x', sender = CAST(x'ff' AS TEXT), attempts = -9223372036854775808")
        let listed = try spool.list()[0]
        #expect(listed.received == "9999-12-31T23:59:59Z" && listed.nextAttempt == "1970-01-01T00:00:00Z")
        #expect(try spool.load(1)?.body == .sevenBit)
    }

    @Test func oneAgentASpool() throws {
        let spool = try Spool(directory: directory.spool)
        do {
            let lock = try AgentLock(directory: spool.directory)
            #expect(throws: SpoolError.agentRunning(directory: spool.directory)) {
                _ = try AgentLock(directory: directory.spool)
            }
            _ = consume lock
        }
        _ = try AgentLock(directory: spool.directory)
    }
}

@Suite struct CivilTimeTests {
    @Test("dates", arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 +0000", "1994-11-06T08:49:37Z"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000", "2000-02-28T23:59:59Z"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00Z"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000", "2100-03-01T00:00:00Z"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59Z"),
        (Int64.max, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59Z"),
        (Int64.min, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"),
    ])
    func dates(_ seconds: Int64, _ mail: String, _ timestamp: String) {
        #expect(CivilTime(unixSeconds: seconds).mailDate == mail)
        #expect(CivilTime(unixSeconds: seconds).timestamp == timestamp)
    }

    /// Against the C library, a day and a bit at a time.
    @Test func everyDayOfTwoCenturies() {
        for seconds in stride(from: 0, to: 6_400_000_000, by: 86_400 + 3_607) {
            var parts = tm()
            var time = time_t(seconds)
            gmtime_r(&time, &parts)
            let ours = CivilTime(unixSeconds: Int64(seconds))
            #expect(ours.year == Int(parts.tm_year) + 1900 && ours.month == Int(parts.tm_mon) + 1)
            #expect(ours.day == Int(parts.tm_mday) && ours.weekday == Int(parts.tm_wday) && ours.hour == Int(parts.tm_hour))
        }
    }
}
