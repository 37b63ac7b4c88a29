public import ConnectionHandling
public import Foundation
import Glibc
import Synchronization

/// A server of this package, started as its own process, with what it prints on stderr kept.
public final class ServerProcess: @unchecked Sendable {
    // Unchecked: Foundation's Process is not Sendable; it is configured once and then only asked and signalled.
    public let process = Process()
    private let pipe = Pipe()
    private let lines = Mutex<[String]>([])
    private let partial = Mutex<Data>(Data())

    /// Where the package's executables are: beside the tests.
    public static var buildDirectory: URL {
        Bundle.main.executableURL?.deletingLastPathComponent() ?? URL(filePath: ".build/debug")
    }

    public static func executable(_ name: String) -> URL {
        let beside = buildDirectory.appending(path: name)
        if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
        return URL(filePath: FileManager.default.currentDirectoryPath).appending(path: ".build/debug/\(name)")
    }

    /// Starts `name` and waits until it has printed `listeners` lines of "listening on", 30 s at most.
    ///
    /// - Parameter under: a command in front of it that becomes it, or runs it as the same process.
    public init(_ name: String, _ arguments: [String], under: [String] = [], listeners: Int = 1) throws {
        process.executableURL = under.isEmpty ? Self.executable(name) : URL(filePath: "/usr/bin/env")
        process.arguments = under.isEmpty ? arguments : under + [Self.executable(name).path] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = pipe
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in self?.take(handle) }
        try process.run()
        for _ in 0..<3_000 {
            if addresses.count >= listeners || !process.isRunning { break }
            usleep(10_000)
        }
        guard addresses.count >= listeners else {
            let state = process.isRunning ? "still trying" : "ended by \(process.terminationStatus)"
            process.terminate()
            throw Failure(description: "\(name) \(arguments) did not start, \(state): \(output)")
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        public init(description: String) { self.description = description }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        // Foundation keeps what it watches; and nobody reads what the server says now.
        _ = waitForExit(seconds: 1)
        pipe.fileHandleForReading.readabilityHandler = nil
    }

    private func take(_ handle: FileHandle) {
        let data = handle.availableData
        if data.isEmpty {
            handle.readabilityHandler = nil
            return
        }
        partial.withLock { partial in
            partial.append(data)
            while let end = partial.firstIndex(of: 0x0A) {
                let line = String(decoding: partial[partial.startIndex..<end], as: UTF8.self)
                lines.withLock { $0.append(line) }
                partial = Data(partial[partial.index(after: end)...])
            }
        }
    }

    public var output: String { lines.withLock { $0.joined(separator: "\n") } }

    /// The addresses of its "listening on SCHEME://ADDRESS" lines, in order.
    public var addresses: [SocketAddress] {
        lines.withLock { lines in
            lines.compactMap { line in
                guard line.hasPrefix("listening on "), let start = line.range(of: "://") else { return nil }
                return try? SocketAddress(parsing: String(line[start.upperBound...]))
            }
        }
    }

    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the process to end, and gives its exit status; nil if it is still running after `seconds`.
    public func waitForExit(seconds: Double = 15) -> Int32? {
        for _ in 0..<Int(seconds * 100) where process.isRunning { usleep(10_000) }
        return process.isRunning ? nil : process.terminationStatus
    }

    /// Stops it with SIGTERM, and gives its exit status.
    @discardableResult
    public func stop() -> Int32? {
        signal(SIGTERM)
        return waitForExit()
    }
}
