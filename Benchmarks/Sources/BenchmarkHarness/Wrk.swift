import Glibc

/// Runs wrk, with one thread, against a server.
package struct Wrk {
    package let connections: Int
    /// A Lua script for wrk, or nil for one plain request at a time on each connection.
    package let script: String?
    package let cpu: Int?

    package init(connections: Int, script: String? = nil, cpu: Int?) {
        self.connections = connections
        self.script = script
        self.cpu = cpu
    }

    /// Loads the server for `seconds`.
    package func run(_ url: String, seconds: Int) throws -> WrkReport {
        var child = try start(url, seconds: seconds)
        guard let status = try child.wait(milliseconds: (seconds + 10) * 1000) else {
            throw Failure("wrk did not end within \(seconds + 10) s")
        }
        guard status == .code(0) else { throw Failure("wrk failed: \(child.printed().oneLine)") }
        var report = try WrkReport(child.printed())
        report.share = report.seconds > 0 ? Double(child.cpuNanoseconds) / 1e9 / report.seconds : 0
        return report
    }

    /// Loads the server for a short while, then holds the connections still, lets the server catch up, and calls
    /// `inspect` while they are open.
    ///
    /// - Returns: also how many requests were answered.
    package func warmUp<Value>(
        _ url: String, milliseconds: UInt32, inspect: () throws -> Value
    ) throws -> (Value, requests: UInt64) {
        var child = try start(url, seconds: 60)
        usleep(milliseconds * 1000)
        child.send(SIGSTOP)
        usleep(100_000)
        let value = try inspect()
        child.send(SIGINT)
        child.send(SIGCONT)
        if try child.wait(milliseconds: 5000) == nil { child.send(SIGKILL) }
        return (value, (try? WrkReport(child.printed()))?.requests ?? 0)
    }

    private func start(_ url: String, seconds: Int) throws -> ChildProcess {
        try ChildProcess(
            ["wrk", "-t", "1", "-c", "\(connections)", "-d", "\(seconds)", "--latency"]
                + (script.map { ["-s", $0] } ?? []) + [url],
            cpu: cpu)
    }

    /// The version of the wrk that is installed.
    ///
    /// - Throws: ``Failure`` that says how to install it.
    package static func version() throws(Failure) -> String {
        // `wrk -v` prints its version and then its usage, and exits with 1.
        guard let line = ChildProcess.output(of: ["wrk", "-v"])?.split(separator: "\n").first else {
            throw Failure("wrk is not installed: apt-get install wrk (or build github.com/wg/wrk)")
        }
        return line.split(separator: " ").dropFirst().first.map(String.init) ?? "unknown"
    }
}
