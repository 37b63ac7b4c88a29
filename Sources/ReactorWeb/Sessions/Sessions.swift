import FoundationEssentials
public import ReactorHTTP
public import ReactorWire

/// A session of one visitor: change ``value``, and save it.
public struct Session<Value: Codable & Sendable>: Sendable {
    public internal(set) var id: SessionID
    public var value: Value
    /// In seconds since 1970.
    public let began: Int64
    /// When the store last heard of it.
    var used: Int64
    /// The browser's cookie was signed by a key of before.
    var isStale = false
}

/// Sessions whose id stands signed in a cookie and whose value is kept by a store.
///
/// ```swift
/// let sessions = Sessions<Login, _>(keys: try SessionKeys([key]), store: MemorySessionStore())
/// if var session = try sessions.find(in: request, with: response) { … }
/// ```
///
/// An id that this server has not signed is never looked up, so a visitor cannot choose one. Of two requests that change
/// one session at the same time the later saved counts.
public struct Sessions<Value: Codable & Sendable, Store: SessionStore>: Sendable {
    let keys: SessionKeys
    let store: Store
    let options: SessionOptions
    private let cookieName: [UInt8]
    let idle: Int64
    let absolute: Int64

    public init(of value: Value.Type = Value.self, keys: SessionKeys, store: Store, options: SessionOptions = .default) {
        self.keys = keys
        self.store = store
        self.options = options
        cookieName = Array(options.cookie.name.utf8)
        idle = options.idle.components.seconds
        absolute = options.absolute.components.seconds
    }

    // MARK: What is the same for every store

    /// The signed id in a Cookie field; nil if there is none that this server has signed.
    func token(in field: RawSpan) -> (id: SessionID, isCurrent: Bool)? {
        var cookies = CookieField(field)
        while let cookie = cookies.next() {
            if cookie.name.equals(cookieName), let token = keys.verify(cookie.value) { return token }
        }
        return nil
    }

    func isOver(_ record: SessionRecord, at now: Int64) -> Bool {
        now >= record.expires || now >= record.used.addingClamped(idle) || now >= record.began.addingClamped(absolute)
    }

    /// - Throws: `DecodingError` if the record is none of a `Value`, as after a change of the program.
    func session(_ token: (id: SessionID, isCurrent: Bool), _ record: SessionRecord) throws -> Session<Value> {
        let value = try JSONDecoder().decode(Value.self, from: Data(record.data))
        return Session(id: token.id, value: value, began: record.began, used: record.used, isStale: !token.isCurrent)
    }

    func record(_ session: Session<Value>, at now: Int64) throws -> SessionRecord {
        let data = try JSONEncoder().encode(session.value)
        if data.count > options.longestData { throw SessionError.tooLarge }
        let expires = min(now.addingClamped(idle), session.began.addingClamped(absolute))
        return SessionRecord(data: Array(data), began: session.began, used: now, expires: expires)
    }

    func fresh(_ value: Value, at now: Int64) throws -> Session<Value> {
        Session(id: try .random(), value: value, began: now, used: now)
    }

    /// The cookie that names the session.
    public func cookie(for session: Session<Value>) -> SetCookie {
        var cookie = options.cookie
        cookie.value = keys.sign(session.id)
        return cookie
    }

    /// The cookie that has the browser forget its session.
    public var removal: SetCookie { options.cookie.removal }

    func needsTouch(_ session: Session<Value>, at now: Int64) -> Bool {
        session.isStale || now >= session.used.addingClamped(options.touchInterval.components.seconds)
    }
}

// MARK: From lent handlers

extension Sessions where Store: ImmediateSessionStore {
    /// The session that the request's cookie names; nil if there is none, or it is over. Notes that it is used.
    public func find(in request: borrowing RequestView, with response: borrowing ResponseWriter) throws -> Session<Value>? {
        let now = response.unixSeconds
        for index in 0..<request.fieldCount where request.fieldName(index).equalsIgnoringCase("cookie") {
            guard let token = token(in: request.fieldValue(index)), var record = store.load(token.id) else { continue }
            if isOver(record, at: now) {
                store.remove(token.id)
                continue
            }
            var session = try session(token, record)
            if needsTouch(session, at: now) {
                record.used = now
                record.expires = min(now.addingClamped(idle), record.began.addingClamped(absolute))
                if !store.update(record, as: token.id) { continue }
                session.used = now
            }
            return session
        }
        return nil
    }

    /// Begins a session. Call it before `begin`, and ``setCookie(for:with:)`` after it.
    public func begin(_ value: Value, with response: borrowing ResponseWriter) throws -> Session<Value> {
        let session = try fresh(value, at: response.unixSeconds)
        store.insert(try record(session, at: response.unixSeconds), as: session.id)
        return session
    }

    public func save(_ session: inout Session<Value>, with response: borrowing ResponseWriter) throws {
        guard store.update(try record(session, at: response.unixSeconds), as: session.id) else { throw SessionError.ended }
        session.used = response.unixSeconds
    }

    /// As ``regenerate(_:now:)``.
    public func regenerate(_ session: inout Session<Value>, with response: borrowing ResponseWriter) throws {
        let old = session.id
        let record = try record(session, at: response.unixSeconds)
        let new = try SessionID.random()
        // One that has ended is not to go on under another id.
        guard store.update(record, as: old) else { throw SessionError.ended }
        session.id = new
        session.isStale = false
        session.used = response.unixSeconds
        store.insert(record, as: new)
        store.remove(old)
    }

    /// Ends the session. The browser is told by ``removal``.
    public func destroy(_ session: Session<Value>) { store.remove(session.id) }

    /// Sends the session's cookie, between `begin` and the body.
    public func setCookie(for session: Session<Value>, with response: inout ResponseWriter) throws(CookieError) {
        try response.setCookie(cookie(for: session))
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
