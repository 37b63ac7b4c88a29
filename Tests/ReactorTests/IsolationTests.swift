import Testing

/// A loop and its handlers stay on their thread: code that takes them elsewhere does not compile.
@Suite(.timeLimit(.minutes(40))) struct IsolationTests {
    private func compileWithEcho(_ code: String) throws -> (status: Int32, errors: String) {
        try compile(
            """
            import ConnectionHandling
            import Reactor
            import ServerArchitectures

            final class Shared { var count = 0 }
            struct Echo: ConnectionHandler {
                var shared: Shared? = nil
                mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
            }
            \(code)
            """)
    }

    /// What is around the code below compiles, and so does what may be done.
    @Test func whatStaysOnTheThreadCompiles() throws {
        let result = try compileWithEcho(
            """
            func serve(_ shared: Shared) throws {
                let loop = try EventLoop()
                try loop.listen(on: "127.0.0.1:7000") { Echo(shared: Shared()) }
                loop.every(.seconds(10)) { shared.count += loop.statistics.openConnections }
                let handle = loop.handle
                Task.detached { try handle.submit { loop in print(loop.statistics) } }
                loop.run()
            }
            """)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test(arguments: [
        "func take() throws { let loop = try EventLoop(); Task.detached { loop.stop() }; loop.stop() }",
        "func take(_ loop: EventLoop) { Task.detached { loop.run() } }",
        "func take(_ handle: EventLoopHandle, _ shared: Shared) throws { try handle.submit { _ in shared.count += 1 } }",
        "func take(_ shared: Shared) { _ = Endpoint(.loopback(port: 0)) { Echo(shared: shared) } }",
        "func take(_ loop: EventLoop, _ timer: Watcher) { Task.detached { timer.cancel() } }",
    ])
    func whatLeavesTheThreadDoesNotCompile(_ code: String) throws {
        let result = try compileWithEcho(code)
        #expect(result.status != 0)
        #expect(
            result.errors.contains("Sendable") || result.errors.contains("sending") || result.errors.contains("data race"),
            "\(result.errors)")
    }
}
