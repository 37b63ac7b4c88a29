import Foundation

/// Counts what this program's `run` takes, by running it under callgrind.
public struct Callgrind {
    /// The program whose `run NAME ROUNDS` does the work and prints `allocations=N`.
    let program: String

    public init(program: String) { self.program = program }

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
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "run", name, "\(rounds)"]
        process.environment = environment
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        // Both print a few lines, which fit in the pipes.
        process.waitUntilExit()
        let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let log = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        guard process.terminationStatus == 0 else {
            throw CountingFailure("\(name) under valgrind ended with \(process.terminationStatus): \(log)")
        }
        guard let instructions = Self.number(behind: "Collected :", in: log), let allocations = Self.number(behind: "allocations=", in: printed)
        else { throw CountingFailure("\(name): nothing was counted; valgrind printed: \(log)\(printed)") }
        return (instructions, allocations)
    }

    static func number(behind word: String, in text: String) -> Int? {
        guard let range = text.range(of: word) else { return nil }
        return Int(text[range.upperBound...].drop { $0 == " " }.prefix { $0.isNumber })
    }
}
