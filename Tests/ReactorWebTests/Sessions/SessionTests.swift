import ReactorWire
import Synchronization
import Testing

@testable import ReactorWeb

private struct Login: Codable, Equatable, Sendable {
    var user: String
    var visits = 0
}

private func key(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

/// A store that is not immediate: what a database's client would be.
private actor SlowStore: SessionStore {
    var records: [SessionID: SessionRecord] = [:]
    func load(_ id: SessionID) async throws -> SessionRecord? { records[id] }
    func insert(_ record: SessionRecord, as id: SessionID) async throws { records[id] = record }
    func update(_ record: SessionRecord, as id: SessionID) async throws -> Bool {
        if records[id] == nil { return false }
        records[id] = record
        return true
    }
    func remove(_ id: SessionID) async throws { records[id] = nil }
}

@Suite struct SessionTests {
    private let store = SlowStore()
    private let keys: SessionKeys
    private let sessions: Sessions<Login, SlowStore>
    private let start: Int64 = 784_111_777

    init() throws {
        keys = try SessionKeys([key(1)])
        sessions = Sessions(keys: keys, store: store)
    }

    private func field(_ session: Session<Login>) throws -> String {
        let cookie = sessions.cookie(for: session)
        return "other=1; \(cookie.name)=\(cookie.value); more=2"
    }

    @Test func beginsAndIsFound() async throws {
        var session = try await sessions.begin(Login(user: "ada"), now: start)
        let text = try sessions.cookie(for: session).text()
        #expect(text.hasPrefix("__Host-session=") && text.hasSuffix("; Path=/; Secure; HttpOnly; SameSite=Lax"))
        session.value.visits = 2
        try await sessions.save(&session, now: start)
        let found = try #require(try await sessions.find(in: try field(session), now: start + 1))
        #expect(found.value == Login(user: "ada", visits: 2))
        #expect(found.id == session.id)
    }

    @Test func endsWhenItIsNotUsed() async throws {
        var session = try await sessions.begin(Login(user: "ada"), now: start)
        let cookie = try field(session)
        #expect(try await sessions.find(in: cookie, now: start + 1_799) != nil)
        session = try #require(try await sessions.find(in: cookie, now: start + 1_000))
        _ = try await sessions.touch(&session, now: start + 1_000)
        #expect(try await sessions.find(in: cookie, now: start + 2_799) != nil)
        #expect(try await sessions.find(in: cookie, now: start + 2_800) == nil)
        #expect(await store.records.isEmpty)
    }

    @Test func whatIsDestroyedGetsNoOtherID() async throws {
        var session = try await sessions.begin(Login(user: "ada"), now: start)
        try await sessions.destroy(session)
        await #expect(throws: SessionError.ended) { try await sessions.regenerate(&session, now: start) }
        #expect(await store.records.isEmpty)
    }

    @Test func endsHoweverMuchItIsUsed() async throws {
        var session = try await sessions.begin(Login(user: "ada"), now: start)
        let cookie = try field(session)
        for now in stride(from: start, to: start + 12 * 3_600, by: 1_700) {
            session = try #require(try await sessions.find(in: cookie, now: now))
            _ = try await sessions.touch(&session, now: now)
        }
        #expect(try await sessions.find(in: cookie, now: start + 12 * 3_600 - 1) != nil)
        #expect(try await sessions.find(in: cookie, now: start + 12 * 3_600) == nil)
    }

    @Test func useIsNotWrittenEachTime() async throws {
        var session = try await sessions.begin(Login(user: "ada"), now: start)
        _ = try await sessions.touch(&session, now: start + 59)
        #expect(await store.records[session.id]?.used == start)
        _ = try await sessions.touch(&session, now: start + 60)
        #expect(await store.records[session.id]?.used == start + 60)
    }

    @Test func anotherIdAtLogin() async throws {
        var session = try await sessions.begin(Login(user: ""), now: start)
        let before = try field(session)
        session.value.user = "ada"
        try await sessions.regenerate(&session, now: start)
        #expect(try await sessions.find(in: before, now: start) == nil)
        #expect(try await sessions.find(in: try field(session), now: start)?.value.user == "ada")
    }

    @Test func whatIsDestroyedStaysSo() async throws {
        var session = try await sessions.begin(Login(user: "ada"), now: start)
        try await sessions.destroy(session)
        #expect(try await sessions.find(in: try field(session), now: start) == nil)
        // A request that began before saves what it has.
        await #expect(throws: SessionError.ended) { try await sessions.save(&session, now: start) }
        #expect(await store.records.isEmpty)
    }

    @Test func valuesHaveALimit() async throws {
        var options = SessionOptions()
        options.longestData = Array(#"{"user":"1234567890","visits":0}"#.utf8).count
        let sessions = Sessions<Login, _>(keys: keys, store: store, options: options)
        _ = try await sessions.begin(Login(user: "1234567890"), now: start)
        await #expect(throws: SessionError.tooLarge) { try await sessions.begin(Login(user: "12345678901"), now: start) }
    }

    // MARK: Signatures

    @Test func whatIsNotSignedIsNoSession() async throws {
        let session = try await sessions.begin(Login(user: "ada"), now: start)
        let signed = keys.sign(session.id)
        for index in signed.indices {
            var forged = signed
            forged.replaceSubrange(index...index, with: signed[index] == "A" ? "B" : "A")
            #expect(try await sessions.find(in: "__Host-session=\(forged)", now: start) == nil, "\(forged)")
        }
        for bad in ["", ".", session.id.text, session.id.text + ".", signed + "A", signed + "=", "." + signed, String(repeating: "A", count: 5_000)] {
            #expect(try await sessions.find(in: "__Host-session=\(bad)", now: start) == nil, "\(bad)")
        }
        // Of two cookies the one that is signed counts.
        #expect(try await sessions.find(in: "__Host-session=x; __Host-session=\(signed)", now: start) != nil)
    }

    @Test func keysAreChanged() async throws {
        let session = try await sessions.begin(Login(user: "ada"), now: start)
        let cookie = try field(session)
        let both = Sessions<Login, _>(keys: try SessionKeys([key(2), key(1)]), store: store)
        var found = try #require(try await both.find(in: cookie, now: start))
        #expect(try await both.touch(&found, now: start))
        let resigned = both.cookie(for: found)
        let new = Sessions<Login, _>(keys: try SessionKeys([key(2)]), store: store)
        #expect(try await new.find(in: cookie, now: start) == nil)
        #expect(try await new.find(in: "\(resigned.name)=\(resigned.value)", now: start) != nil)
        var current = try #require(try await new.find(in: "\(resigned.name)=\(resigned.value)", now: start))
        #expect(try await !new.touch(&current, now: start))
    }

    @Test func weakKeysAreRefused() {
        #expect(throws: SessionKeyError.none) { try SessionKeys([]) }
        #expect(throws: SessionKeyError.tooShort) { try SessionKeys([key(1), Array(key(1).dropLast())]) }
    }

    // MARK: In memory

    @Test func theMemoryIsBounded() throws {
        let store = MemorySessionStore(capacity: 3)
        let record = SessionRecord(data: [], began: 0, used: 0, expires: 100)
        let ids = try (0..<4).map { _ in try SessionID.random() }
        for id in ids[..<3] { store.insert(record, as: id) }
        #expect(store.update(record, as: ids[0]))
        store.insert(record, as: ids[3])
        #expect(store.count == 3)
        #expect(store.load(ids[0]) != nil && store.load(ids[1]) == nil)
        store.remove(ids[0])
        #expect(!store.update(record, as: ids[0]))
    }

    @Test func whatIsOverIsForgotten() throws {
        let store = MemorySessionStore()
        for _ in 0..<4 { store.insert(SessionRecord(data: [], began: 0, used: 0, expires: 100), as: try .random()) }
        store.insert(SessionRecord(data: [], began: 99, used: 99, expires: 200), as: try .random())
        #expect(store.count == 5)
        store.insert(SessionRecord(data: [], began: 100, used: 100, expires: 200), as: try .random())
        #expect(store.count == 2)
    }
}
