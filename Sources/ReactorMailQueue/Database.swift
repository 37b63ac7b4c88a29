import CSQLite
import Glibc

/// One SQLite connection with its prepared statements. Used by one thread at a time, in the process that opened it.
final class Database {
    enum Value {
        case integer(Int64)
        case text(String)
        case blob([UInt8])
        case null
    }

    /// What SQLite said.
    struct Failure: Error {
        let code: Int32
        let reason: String
        let isFull: Bool

        /// What was to be written is at fault, not the database.
        var isOfOneRow: Bool { code == SQLITE_CONSTRAINT || code == SQLITE_TOOBIG }
        /// The connection is not to be trusted any more.
        var isGrave: Bool {
            [SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN, SQLITE_READONLY].contains(code)
        }
    }

    /// How often a writer looks whether another process's transaction has ended. Transactions are short: one of 10
    /// seconds is a disk that has stopped.
    private static let busyTries: Int32 = 10_000

    private let connection: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]

    /// - Parameter flags: `SQLITE_OPEN_READWRITE` and its kin.
    init(path: String, flags: Int32) throws(Failure) {
        var opened: OpaquePointer?
        // One thread at a time is the caller's promise, so SQLite needs no lock of its own.
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let failure = Self.failure(opened, code)
            sqlite3_close_v2(opened)
            throw failure
        }
        connection = opened
        sqlite3_extended_result_codes(connection, 1)
        // Writers are short: looks are 0.1 ms apart at first, then 1 ms, where SQLite's own would be ever further apart, and
        // so let the busy ones pass.
        let handler: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Int32 = { _, count in
            usleep(count < 100 ? 100 : 1_000)
            return count < Database.busyTries ? 1 : 0
        }
        sqlite3_busy_handler(connection, handler, nil)
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(connection)
    }

    /// The file that was opened is no longer the one at its path: what is written to it is lost.
    var hasMoved: Bool {
        var moved: Int32 = 0
        return sqlite3_file_control(connection, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0
    }

    /// Runs one statement, prepared once, and calls `row` for each row of its result.
    func run(_ sql: String, _ values: [Value] = [], row: (Row) -> Void = { _ in }) throws(Failure) {
        try scan(sql, values) { found in
            row(found)
            return true
        }
    }

    /// The same, until `row` says false.
    func scan(_ sql: String, _ values: [Value] = [], row: (Row) -> Bool) throws(Failure) {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() { try check(bind(value, to: statement, at: Int32(index + 1))) }
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw Self.failure(connection, code) }
            if !row(Row(statement: statement)) { return }
        }
    }

    /// Runs several statements that return nothing, unprepared.
    func script(_ sql: String) throws(Failure) { try check(sqlite3_exec(connection, sql, nil, nil, nil)) }

    /// Runs `body` in a transaction, which ends with it: committed, or rolled back if it throws.
    func transaction<Result>(_ body: (Database) throws(Failure) -> Result) throws(Failure) -> Result {
        // Takes the write lock at once; a transaction that read first and then wanted it could be refused for good.
        try run("BEGIN IMMEDIATE")
        do {
            let result = try body(self)
            try run("COMMIT")
            return result
        } catch {
            // Fails where SQLite has rolled back by itself.
            try? run("ROLLBACK")
            throw error
        }
    }

    /// Runs `body`, all of whose reads see one state.
    func snapshot<Result>(_ body: (Database) throws(Failure) -> Result) throws(Failure) -> Result {
        try run("BEGIN")
        defer { try? run("COMMIT") }
        return try body(self)
    }

    /// Rows that the last statement inserted, updated or deleted.
    var changed: Int { Int(sqlite3_changes(connection)) }

    /// The single number that `sql` asks for; nil if it is NULL or there is none.
    func number(_ sql: String, _ values: [Value] = []) throws(Failure) -> Int64? {
        var number: Int64?
        try run(sql, values) { number = $0.isNull(0) ? nil : $0.integer(0) }
        return number
    }

    private func prepared(_ sql: String) throws(Failure) -> OpaquePointer {
        if let known = statements[sql] { return known }
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        guard let statement else { throw Failure(code: SQLITE_MISUSE, reason: "empty statement", isFull: false) }
        statements[sql] = statement
        return statement
    }

    private func bind(_ value: Value, to statement: OpaquePointer, at index: Int32) -> Int32 {
        switch value {
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .text(let text): return csqlite_bind_text(statement, index, text, Int32(clamping: text.utf8.count))
        case .blob(let bytes): return bytes.withUnsafeBytes { bytes in
            // A null address would be a NULL.
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : csqlite_bind_blob(statement, index, bytes.baseAddress, UInt64(bytes.count))
        }
        case .null: return sqlite3_bind_null(statement, index)
        }
    }

    private func check(_ code: Int32) throws(Failure) {
        if code != SQLITE_OK { throw Self.failure(connection, code) }
    }

    private static func failure(_ connection: OpaquePointer?, _ extendedCode: Int32) -> Failure {
        let code = extendedCode & 0xFF
        let reason = String(cString: connection.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(extendedCode))
        let error = connection.map { sqlite3_system_errno($0) } ?? 0
        let isFull = code == SQLITE_FULL || code == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT)
        return Failure(code: code, reason: reason, isFull: isFull)
    }

    /// The row that a statement stands on; valid within the callback.
    struct Row {
        fileprivate let statement: OpaquePointer

        func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
        /// Empty for NULL.
        func text(_ column: Int32) -> String { String(decoding: blob(column), as: UTF8.self) }
        func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
        /// Nil if it is no UTF-8. Empty for NULL.
        func validText(_ column: Int32) -> String? {
            guard let bytes = sqlite3_column_blob(statement, column) else { return "" }
            let text = UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column)))
            return String(validating: text, as: UTF8.self)
        }
        /// Empty for NULL.
        func blob(_ column: Int32) -> [UInt8] {
            guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
            return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
        }
    }
}
