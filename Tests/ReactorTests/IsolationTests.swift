import Foundation
import Testing

/// A loop and its handlers stay on their thread: code that takes them elsewhere does not compile.
@Suite(.timeLimit(.minutes(15))) struct IsolationTests {
    private func compile(_ body: String) throws -> (status: Int32, errors: String) {
        let build = try #require(Bundle.main.executableURL).deletingLastPathComponent()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let source = FileManager.default.temporaryDirectory.appending(path: "isolation-\(UUID().uuidString).swift")
        try """
        import ConnectionHandling
        import Reactor
        import ServerArchitectures

        final class Shared { var count = 0 }
        struct Echo: ConnectionHandler {
            var shared: Shared? = nil
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        }
        \(body)
        """.write(to: source, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: source) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // As far as SIL: the checks of what is sent to other threads come behind type-checking.
        process.arguments = [
            "swiftc", "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-package-name", "elsewhere", "-I", build.appending(path: "Modules").path,
            "-I", root.appending(path: "Sources/CLibev").path,
            "-Xcc", "-fmodule-map-file=\(build.appending(path: "CReactorSystem.build/module.modulemap").path)",
            source.path,
        ]
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let errors = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, errors)
    }

    @Test func whatTheReadmeShowsCompiles() throws {
        let result = try compile(
            """
            func serve() throws {
                let loop = try EventLoop()
                try loop.listen(on: "127.0.0.1:7000") { Echo() }
                loop.every(.seconds(10)) { print(loop.statistics) }
                try loop.on(.terminate) { loop.stop() }
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
        let result = try compile(code)
        #expect(result.status != 0)
        #expect(
            result.errors.contains("Sendable") || result.errors.contains("sending") || result.errors.contains("data race"),
            "\(result.errors)")
    }
}
