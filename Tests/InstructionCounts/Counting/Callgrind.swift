import Foundation

/// Counts what a program's `run NAME ROUNDS` takes, by running it under callgrind. It prints `allocations=N`.
public final class Callgrind {
    /// A copy of the program without debugging information: valgrind 3.19 gives up on what clang writes.
    private let program: String
    private let directory: URL

    public init(_ original: String) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "instruction-counts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        program = directory.appending(path: "counted").path
        let stripped = try Self.run(["strip", "--strip-debug", "-o", program, original], ProcessInfo.processInfo.environment)
        guard stripped.status == 0 else { throw CountingFailure("strip \(original): \(stripped.errors)") }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// Rounds that both runs do, so that what is done once is in neither count; and those that only the second does. Both
    /// divide by what rounds do in turn (``Work/cycle``).
    static let warmUp = 220
    static let rounds = 2_200

    /// What one round takes: what many more rounds add, divided by their number.
    public func count(_ name: String) throws -> Count {
        let (few, many) = (try run(name, Self.warmUp), try run(name, Self.warmUp + Self.rounds))
        return Count(
            instructions: Double(many.instructions - few.instructions) / Double(Self.rounds),
            allocations: Double(many.allocations - few.allocations) / Double(Self.rounds))
    }

    /// What else could differ between two machines is set.
    private var environment: [String: String] {
        let given = ProcessInfo.processInfo.environment
        var environment = [
            // Dictionaries are laid out by a number drawn at random in each process.
            "SWIFT_DETERMINISTIC_HASHING": "1",
            // One memcpy, memchr and so on for all processors of a kind.
            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-AVX,-BMI2,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2",
            "PATH": given["PATH"] ?? "/usr/bin:/bin",
        ]
        environment["LD_LIBRARY_PATH"] = given["LD_LIBRARY_PATH"]
        return environment
    }

    private func run(_ name: String, _ rounds: Int) throws -> (instructions: Int, allocations: Int) {
        // Some seconds, where nothing else runs. What hangs must not hold up CI.
        let command = [
            "timeout", "--kill-after=1", "600", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "run", name,
            "\(rounds)",
        ]
        let result = try Self.run(command, environment)
        guard result.status == 0 else {
            throw CountingFailure("\(name) under valgrind ended with \(result.status): \(result.errors)")
        }
        guard let instructions = Self.number(behind: "Collected :", in: result.errors),
            let allocations = Self.number(behind: "allocations=", in: result.output)
        else { throw CountingFailure("\(name): nothing was counted; valgrind printed: \(result.errors)\(result.output)") }
        return (instructions, allocations)
    }

    /// Runs what prints a few lines, which fit in the pipes.
    private static func run(
        _ command: [String], _ environment: [String: String]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.environment = environment
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        process.waitUntilExit()
        func text(_ pipe: Pipe) -> String { String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
        return (process.terminationStatus, text(output), text(errors))
    }

    static func number(behind word: String, in text: String) -> Int? {
        guard let range = text.range(of: word) else { return nil }
        return Int(text[range.upperBound...].drop { $0 == " " }.prefix { $0.isNumber })
    }
}
