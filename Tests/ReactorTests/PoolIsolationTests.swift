import Testing

/// Threads use a pooled connection one after another: code that would leave a handler's own on one of them does not
/// compile. Nor does code that uses a lease which it has given back.
@Suite(.timeLimit(.minutes(40))) struct PoolIsolationTests {
    private func compileWithPools(_ code: String) throws -> (status: Int32, errors: String) {
        try compile(
            """
            import ConnectionHandling
            import Reactor
            import ServerArchitectures

            final class Shared { var count = 0 }
            struct Caller: ReusableConnectionHandler {
                var shared = Shared()
                var isReusable: Bool { true }
                mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
            }
            \(code)
            """)
    }

    @Test func whatIsAllowedCompiles() throws {
        let result = try compileWithPools(
            """
            func use(_ pool: BlockingConnectionPool<Caller>) throws {
                var lease = try pool.acquire(.loopback(port: 1))
                let count = lease.withHandler { caller, _ in caller.shared.count }
                lease.release()
                print(count ?? 0)
            }
            """)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test(arguments: [
        "func take(_ lease: inout BlockingPoolLease<Caller>) { let shared = lease.withHandler { c, _ in c.shared }; _ = shared }",
        "func give(_ lease: inout BlockingPoolLease<Caller>, _ s: Shared) { _ = lease.withHandler { c, _ in c.shared = s } }",
        "func make(_ s: Shared) { _ = BlockingConnectionPool { _ in Caller(shared: s) } }",
        "func twice(_ lease: consuming BlockingPoolLease<Caller>) { lease.release(); lease.release() }",
        "func twice(_ lease: consuming PoolLease<Caller>) { lease.release(); _ = lease.isOpen }",
        "func send(_ pool: ConnectionPool<Caller>) { Task.detached { print(pool.statistics) }; pool.close() }",
    ])
    func whatWouldLeakDoesNotCompile(_ code: String) throws {
        let result = try compileWithPools(code)
        #expect(result.status != 0)
        #expect(
            ["Sendable", "sending", "data race", "consumed more than once", "used after consume"].contains { result.errors.contains($0) },
            "\(result.errors)")
    }
}
