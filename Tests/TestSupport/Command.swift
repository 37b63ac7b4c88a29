import Foundation
import Glibc

/// What a program printed, and how it ended.
public struct CommandResult: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
}

/// Runs a program to its end, found on the PATH; killed after `seconds`.
public func run(_ program: String, _ arguments: [String], input: String = "", seconds: Int = 60) throws -> CommandResult {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["timeout", "--kill-after=1", String(seconds), program] + arguments
    // Files, not pipes: nothing can fill up and wait.
    let directory = try TemporaryDirectory()
    func file(_ name: String, _ content: String = "") throws -> String {
        let path = directory.path + "/" + name
        try content.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }
    let (output, errors) = (try file("output"), try file("errors"))
    process.standardInput = FileHandle(forReadingAtPath: try file("input", input))
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    process.waitUntilExit()
    return CommandResult(
        status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
        errors: try String(contentsOfFile: errors, encoding: .utf8))
}

/// Runs this package's `reactor`.
public func reactor(_ arguments: String...) throws -> CommandResult {
    try run(ServerProcess.executable("reactor").path, arguments)
}

/// Runs a Python program with the arguments behind it.
public func python(_ program: String, _ arguments: String...) throws -> CommandResult {
    try run("python3", ["-c", program] + arguments)
}

/// A new directory, removed with all it holds when its owner goes.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "reactor-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func write(_ content: String, to name: String) throws {
        try content.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
    }
}
