import FoundationEssentials
import HTTPTypes
import ReactorHTTP
import ReactorWire

// MARK: From `async` handlers

/// `now` is the time in seconds since 1970; nil: the system's.
extension Sessions {
    private static var unixSeconds: Int64 { Int64(Date().timeIntervalSince1970) }

    /// The session that the request's cookie names; nil if there is none, or it is over.
    public func find(in request: Request, now: Int64? = nil) async throws -> Session<Value>? {
        for field in request.fields[values: .cookie] {
            if let session = try await find(in: field, now: now) { return session }
        }
        return nil
    }

    /// The session that a Cookie field names; nil if there is none, or it is over.
    public func find(in cookieField: String, now: Int64? = nil) async throws -> Session<Value>? {
        let now = now ?? Self.unixSeconds
        guard let token = token(in: Array(cookieField.utf8).span.bytes), let record = try await store.load(token.id) else { return nil }
        if isOver(record, at: now) {
            try await store.remove(token.id)
            return nil
        }
        return try session(token, record)
    }

    /// Begins a session: answer with its ``cookie(for:)``.
    public func begin(_ value: Value, now: Int64? = nil) async throws -> Session<Value> {
        let now = now ?? Self.unixSeconds
        let session = try fresh(value, at: now)
        try await store.insert(try record(session, at: now), as: session.id)
        return session
    }

    /// Saves a session that was changed, or was used.
    ///
    /// - Throws: ``SessionError``, what the store throws, and what encoding the value throws.
    public func save(_ session: inout Session<Value>, now: Int64? = nil) async throws {
        let now = now ?? Self.unixSeconds
        guard try await store.update(try record(session, at: now), as: session.id) else { throw SessionError.ended }
        session.used = now
    }

    /// Saves that the session is used, if that was not done lately.
    ///
    /// - Returns: whether the browser should be given its cookie anew, since an old key has signed it.
    public func touch(_ session: inout Session<Value>, now: Int64? = nil) async throws -> Bool {
        let now = now ?? Self.unixSeconds
        if needsTouch(session, at: now) { try await save(&session, now: now) }
        return session.isStale
    }

    /// Gives the session another id, and saves it: wherever the visitor's rights change, above all at login, so that an id that
    /// somebody else knew is worth nothing.
    public func regenerate(_ session: inout Session<Value>, now: Int64? = nil) async throws {
        let now = now ?? Self.unixSeconds
        let old = session.id
        let record = try record(session, at: now)
        let new = try SessionID.random()
        // One that has ended is not to go on under another id.
        guard try await store.update(record, as: old) else { throw SessionError.ended }
        session.id = new
        session.isStale = false
        session.used = now
        try await store.insert(record, as: new)
        try await store.remove(old)
    }

    /// Ends the session: answer with the ``removal`` of its cookie.
    public func destroy(_ session: Session<Value>) async throws { try await store.remove(session.id) }
}
