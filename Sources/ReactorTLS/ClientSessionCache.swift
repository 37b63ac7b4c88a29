import COpenSSL
import Synchronization

/// Sessions that a client may resume, by whom they are with. `Sendable`.
final class ClientSessionCache: Sendable {
    private struct Entry {
        /// The newest last.
        var sessions: [SSLSession]
        var lastUse: UInt64
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var count = 0
        var uses: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int
    /// Tickets that are kept of one server: for as many connections at a time can it be returned to without asking more.
    private static let perServer = 4

    init(limit: Int) { self.limit = limit }

    func put(_ session: SSLSession, for key: String) {
        state.withLock { state in
            state.uses += 1
            var entry = state.entries[key] ?? Entry(sessions: [], lastUse: 0)
            state.count -= entry.sessions.count
            // Of TLS 1.2 the newest does for all.
            if !session.isSingleUse || entry.sessions.last?.isSingleUse == false { entry.sessions = [] }
            entry.sessions = entry.sessions.suffix(Self.perServer - 1) + [session]
            entry.lastUse = state.uses
            state.count += entry.sessions.count
            state.entries[key] = entry
            while state.count > limit, let unused = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.count -= unused.value.sessions.count
                state.entries[unused.key] = nil
            }
        }
    }

    /// The newest that is still good.
    func take(for key: String) -> SSLSession? {
        state.withLock { state in
            guard var entry = state.entries.removeValue(forKey: key) else { return nil }
            state.count -= entry.sessions.count
            entry.sessions.removeAll { $0.isStale }
            guard let session = entry.sessions.last else { return nil }
            if session.isSingleUse { entry.sessions.removeLast() }
            if entry.sessions.isEmpty { return session }
            state.uses += 1
            entry.lastUse = state.uses
            state.count += entry.sessions.count
            state.entries[key] = entry
            return session
        }
    }

    /// OpenSSL does not tell of a ticket that replaces the one that was just taken up, which only TLS 1.2 knows.
    func noteReplacement(on ssl: OpaquePointer, for key: String) {
        guard SSL_session_reused(ssl) == 1, SSL_version(ssl) != TLS1_3_VERSION, let session = SSL_get1_session(ssl) else { return }
        put(SSLSession(owning: session), for: key)
    }

    /// Has what servers hand out for later put in here.
    static func install(in context: SSLContext) {
        copenssl_ctx_set_session_cache_mode(context.pointer, copenssl_client_cache)
        SSL_CTX_sess_set_new_cb(context.pointer) { ssl, session in
            guard let session, let place = TLSSession.of(ssl)?.place, SSL_SESSION_is_resumable(session) == 1 else { return 0 }
            place.cache.put(SSLSession(owning: session), for: place.key)
            return 1
        }
    }
}
