import Glibc

/// Postfix's smtp-sink as the next hop: it takes everything, and counts.
struct MailSink: ~Copyable {
    static let program = "/usr/sbin/smtp-sink"
    let port: UInt16
    private let process: ChildProcess

    var arrivals: SinkCount { SinkCount(output: process.output) }

    /// `-c` writes a line for each message that is whole, before it is answered.
    static func command(port: UInt16, options: [String] = []) -> [String] {
        command + ["-c", "-m", "1000"] + options + ["127.0.0.1:\(port)", "1000"]
    }

    /// Without its address. As root it wants a user to become.
    static var command: [String] { [program] + (geteuid() == 0 ? ["-u", "nobody"] : []) }

    private init(port: UInt16, process: consuming ChildProcess) {
        self.port = port
        self.process = process
    }

    /// - Parameter stall: seconds that it reads nothing behind each DATA.
    static func start(stall: Int = 0, in environment: Environment) throws -> MailSink {
        let port = try ServerProcess.freePort()
        let options = stall > 0 ? ["-H", "\(stall)"] : []
        var process = try ChildProcess(command(port: port, options: options), cpu: environment.loadCPU)
        for _ in 0..<1000 {
            if (try? ClientConnection(port: port)) != nil { return MailSink(port: port, process: process) }
            if let status = try process.wait(milliseconds: 10) {
                throw Failure("smtp-sink ended at once (\(status)); it printed: \(process.printed().oneLine)")
            }
        }
        throw Failure("smtp-sink was not listening after 10 s")
    }
}

/// How many whole messages a sink has counted.
package struct SinkCount {
    let output: Int32

    func messages() throws -> Int {
        var status = stat()
        guard fstat(output, &status) == 0 else { throw Failure("cannot read the sink's count", errno: errno) }
        // A line has some 40 bytes.
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = pread(output, &bytes, bytes.count, max(0, status.st_size - off_t(bytes.count)))
        return Self.messages(in: String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
    }

    /// The last whole `mesg=N`, each of which has a carriage return behind it.
    static func messages(in text: String) -> Int {
        for line in text.utf8.split(separator: 13, omittingEmptySubsequences: false).dropLast().reversed() {
            if let number = Substring(line).split(separator: "mesg=").last.flatMap({ Int($0) }) { return number }
        }
        return 0
    }

    /// Waits until so many more than `before` have come, and not one too many.
    ///
    /// - Parameters:
    ///   - seconds: how long may pass without any.
    ///   - meanwhile: called each millisecond.
    func wait(for expected: Int, after before: Int, patience seconds: Int = 20, meanwhile: () throws -> Void = {}) throws {
        var (last, lastChange) = (before, ContinuousClock.now)
        while true {
            let count = try messages()
            if count > before + expected { throw Failure("\(count - before) messages arrived, of \(expected)") }
            if count == before + expected { return }
            if count > last { (last, lastChange) = (count, .now) }
            guard .now - lastChange < .seconds(seconds) else {
                throw Failure("\(count - before) of \(expected) messages arrived, and no more for \(seconds) s")
            }
            try meanwhile()
            usleep(1000)
        }
    }
}

/// Postfix's smtp-source: so many messages over sessions that stay open.
struct MailSource {
    static let program = "/usr/sbin/smtp-source"
    var sessions: Int
    /// Bytes of each, its header not counted.
    var size: Int

    func start(_ count: Int, port: UInt16, in environment: Environment) throws -> ChildProcess {
        try ChildProcess(
            [
                Self.program, "-d", "-s", "\(min(sessions, count))", "-m", "\(count)", "-l", "\(size)", "-M", "client.example",
                "-f", "sender@client.example", "-t", "recipient@live.example", "127.0.0.1:\(port)",
            ], cpu: environment.loadCPU)
    }

    /// Sends messages and waits until the last has arrived at the sink.
    ///
    /// - Returns: seconds from the start of smtp-source until then.
    func send(
        _ count: Int, port: UInt16, to arrivals: SinkCount, in environment: Environment, meanwhile: () throws -> Void = {}
    ) throws -> Double {
        let before = try arrivals.messages()
        let began = ContinuousClock.now
        var source = try start(count, port: port, in: environment)
        var hasEnded = false
        func check(_ milliseconds: Int) throws {
            guard !hasEnded, let status = try source.wait(milliseconds: milliseconds) else { return }
            guard status == .code(0) else { throw Failure("smtp-source ended with \(status): \(source.printed().oneLine)") }
            hasEnded = true
        }
        try arrivals.wait(for: count, after: before) {
            try check(0)
            try meanwhile()
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        // What was acknowledged to us twice was delivered twice.
        try check(10_000)
        guard hasEnded else { throw Failure("smtp-source did not end") }
        return seconds
    }
}

extension ClientConnection {
    func greet() throws {
        try reply(220)
        try command("EHLO client.example", 250)
    }

    /// One message of about so many bytes, acknowledged.
    func sendMessage(size: Int = 1000) throws {
        let line = String(repeating: "x", count: 70) + "\r\n"
        try command("MAIL FROM:<sender@client.example>", 250)
        try command("RCPT TO:<recipient@live.example>", 250)
        try command("DATA", 354)
        try send(["Subject: benchmark\r\n\r\n" + String(repeating: line, count: max(1, size / 72)) + ".\r\n"])
        try reply(250)
    }

    func command(_ line: String, _ code: Int) throws {
        try send([line + "\r\n"])
        try reply(code)
    }

    /// Waits for the whole reply (RFC 5321, section 4.2).
    func reply(_ code: Int) throws {
        var text = ""
        while !text.hasSuffix("\r\n") || text.split(separator: "\r\n").last?.dropFirst(3).first == "-" { text += try receive(behind: text) }
        guard text.split(separator: "\r\n").last?.hasPrefix("\(code)") == true else {
            throw Failure("the reply was \(text.oneLine), not \(code)")
        }
    }
}
