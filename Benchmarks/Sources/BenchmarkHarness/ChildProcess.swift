import CBenchSystem
import Glibc

/// A program started by the harness, in a process group of its own, with what it prints kept. The whole group is killed
/// when this goes out of scope, when the harness is killed, and on Ctrl-C: no path leaves a process behind.
package struct ChildProcess: ~Copyable {
    package let id: Int32
    /// A file in memory instead of a pipe: a program that prints a lot is never blocked by the harness. Open as long as this
    /// lives.
    let output: Int32
    private var hasExited = false
    /// What it and the children that it waited for used, once it has ended.
    package private(set) var usage = ResourceUse()
    package var cpuNanoseconds: Int64 { usage.user + usage.system }

    package enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .code(let code): "status \(code)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    /// - Parameter cpu: the only CPU it may use; nil leaves it free.
    package init(_ arguments: [String], cpu: Int?) throws {
        let output = bench_memory_file()
        guard output >= 0 else { throw Failure("no memory file for the output of \(arguments[0])", errno: -output) }
        var argv = arguments.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        let id = bench_spawn(arguments[0], &argv, output, Int32(cpu ?? -1))
        guard id > 0 else {
            close(output)
            throw Failure("cannot start \(arguments[0])", errno: -id)
        }
        self.id = id
        self.output = output
    }

    deinit {
        if !hasExited {
            var status: Int32 = 0
            var used = bench_usage()
            bench_signal_group(id, SIGKILL)
            bench_wait(id, -1, &status, &used)
        }
        close(output)
    }

    package func send(_ signal: Int32) { bench_signal_group(id, signal) }

    /// To the program itself, not to the processes that it started.
    package func sendToLeader(_ signal: Int32) { kill(id, signal) }

    /// Waits for the program to end; what it started is killed then.
    ///
    /// - Returns: nil if it was still running when the time had passed.
    package mutating func wait(milliseconds: Int) throws -> ExitStatus? {
        var status: Int32 = 0
        var used = bench_usage()
        let result = bench_wait(id, Int32(milliseconds), &status, &used)
        guard result >= 0 else { throw Failure("waiting for process \(id)", errno: -result) }
        guard result > 0 else { return nil }
        usage = ResourceUse(
            user: used.user_ns, system: used.system_ns, voluntary: used.voluntary, involuntary: used.involuntary)
        hasExited = true
        let signal = status & 0x7f
        return signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }

    /// Everything printed so far, on standard output and standard error.
    package func printed() -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = pread(output, &chunk, chunk.count, off_t(bytes.count))
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ChildProcess {
    /// Runs a short command to its end and returns what it printed, or nil if it failed.
    package static func output(of arguments: [String]) -> String? {
        guard var child = try? ChildProcess(arguments, cpu: nil), let status = try? child.wait(milliseconds: 5000),
            status != .signal(SIGKILL), status != .code(127)
        else { return nil }
        return child.printed()
    }
}
