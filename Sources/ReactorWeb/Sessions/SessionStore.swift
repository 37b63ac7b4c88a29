import ConnectionHandling
import Synchronization

/// A session as it is stored.
public struct SessionRecord: Equatable, Sendable {
    /// The session's value, in JSON.
    public var data: [UInt8]
    /// When it began and was last used, in seconds since 1970.
    public var began: Int64
    public var used: Int64
    /// From when on it is over. A store may forget it then; that it is over is looked at elsewhere.
    public var expires: Int64

    public init(data: [UInt8], began: Int64, used: Int64, expires: Int64) {
        self.data = data
        self.began = began
        self.used = used
        self.expires = expires
    }
}

/// Where sessions are kept: called by any number of threads at once.
public protocol SessionStore: Sendable {
    func load(_ id: SessionID) async throws -> SessionRecord?
    /// Stores the record of a session that begins.
    func insert(_ record: SessionRecord, as id: SessionID) async throws
    /// Stores the record in place of the one of that id, and only there: a request that is still under way must not bring
    /// back a session that another has ended.
    ///
    /// - Returns: whether there was one.
    func update(_ record: SessionRecord, as id: SessionID) async throws -> Bool
    func remove(_ id: SessionID) async throws
}

/// A store that answers at once, and so can be used by handlers that are not `async`.
public protocol ImmediateSessionStore: SessionStore {
    func load(_ id: SessionID) -> SessionRecord?
    func insert(_ record: SessionRecord, as id: SessionID)
    func update(_ record: SessionRecord, as id: SessionID) -> Bool
    func remove(_ id: SessionID)
}

/// Keeps sessions in this process, shared by its threads; they end with it. Under `fork` and `prefork` each process has its
/// own, so use another store there.
public final class MemorySessionStore: ImmediateSessionStore {
    private let table: Mutex<RecencyTable<SessionID, SessionRecord>>

    /// - Parameter capacity: the most sessions; past it the one used least recently goes. 100,000 take some 50 MB with small
    ///   values. Who can begin sessions without end can push out those of others: begin them only behind a login or a rate
    ///   limit.
    public init(capacity: Int = 100_000) { table = Mutex(RecencyTable(capacity: capacity)) }

    public var count: Int { table.withLock { $0.count } }

    public func load(_ id: SessionID) -> SessionRecord? { table.withLock { $0.peek(id) } }

    public func update(_ record: SessionRecord, as id: SessionID) -> Bool {
        table.withLock { table in
            if table.peek(id) == nil { return false }
            table.set(id, record)
            return true
        }
    }

    public func insert(_ record: SessionRecord, as id: SessionID) {
        table.withLock { table in
            table.set(id, record)
            // Those that are over are at the front, more or less: a few for each that comes keep the table clean.
            for _ in 0..<4 {
                guard let oldest = table.oldest, oldest.value.expires <= record.used else { break }
                table.remove(oldest.key)
            }
        }
    }

    public func remove(_ id: SessionID) { table.withLock { _ = $0.remove(id) } }
}
