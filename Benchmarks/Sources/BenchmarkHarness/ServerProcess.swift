import CBenchSystem
import Foundation
import Glibc

/// A subject that is running, has answered correctly, and is ready to be measured.
package struct ServerProcess: ~Copyable {
    package private(set) var port: UInt16
    package let tree: ProcessTree
    private let service: Service
    /// What was started, for the record.
    package let command: [String]
    private var process: ChildProcess
    private let diesOfSignal: Bool

    /// What arrives, where the subject is a sink.
    package var arrivals: SinkCount { SinkCount(output: process.output) }

    package var url: String { service.url(port: port) }
    /// What every HTTP server has, whatever it was started for.
    var plaintextURL: String { "http://127.0.0.1:\(port)/plaintext" }

    /// Starts the subject, waits until it listens and asks it the correctness question. A port that was free when it was
    /// chosen may be another's when the subject binds it: then one more is tried.
    ///
    /// - Throws: ``Failure`` with what the subject printed.
    package static func start(
        _ subject: Subject, _ service: Service, workers: Int, in environment: Environment
    ) throws -> ServerProcess {
        for _ in 0..<4 {
            do {
                return try startOnce(subject, service, workers: workers, in: environment)
            } catch let failure as Failure where failure.saysPortIsTaken && subject.configuration != nil {
                continue
            }
        }
        return try startOnce(subject, service, workers: workers, in: environment)
    }

    private static func startOnce(
        _ subject: Subject, _ service: Service, workers: Int, in environment: Environment
    ) throws -> ServerProcess {
        guard var command = subject.command(service, workers, environment.executables) else {
            throw Failure("\(subject.name) offers no \(service.rawValue)")
        }
        let material = environment.executables.material
        // What has a configuration answers even a short text from a file.
        if service.usesMaterial || subject.configuration != nil { try material.make() }
        var chosenPort: UInt16?
        // Removed once the program has read it, so that nothing is left however this ends.
        var directory: TemporaryDirectory?
        defer { directory?.remove() }
        if let configuration = subject.configuration {
            let port = try freePort()
            let new = try TemporaryDirectory()
            let place = ServerPlace(port: port, directory: new.path, workers: workers, material: material)
            command += try configuration(service, place)
            (chosenPort, directory) = (port, new)
        }
        let process = try ChildProcess(command, cpu: environment.serverCPU)
        var server = ServerProcess(service, command: command, process: process, diesOfSignal: subject.diesOfSignal)
        let port = try server.waitUntilListening(chosenPort: chosenPort)
        server.port = port
        try server.measure { server in
            try ClientConnection.check(subject, service, port: port)
            try server.awaitRest()
        }
        return server
    }

    /// Starts the subject as a mail relay, and waits until it greets.
    ///
    /// - Throws: ``Failure`` with what the subject printed.
    package static func relay(_ subject: Subject, _ place: RelayPlace, in environment: Environment) throws -> ServerProcess {
        guard let relay = subject.relay else { throw Failure("\(subject.name) offers no \(Service.mail.rawValue)") }
        let command = try relay(place, environment.executables)
        let process = try ChildProcess(command, cpu: environment.serverCPU)
        var server = ServerProcess(.mail, command: command, process: process, diesOfSignal: subject.diesOfSignal)
        server.port = try server.waitUntilListening(chosenPort: place.port)
        try server.measure { server in
            try ClientConnection.check(subject, .mail, port: server.port)
            try server.awaitRest()
        }
        return server
    }

    private init(_ service: Service, command: [String], process: consuming ChildProcess, diesOfSignal: Bool = false) {
        self.diesOfSignal = diesOfSignal
        port = 0
        self.service = service
        self.command = command
        tree = ProcessTree(root: process.id)
        self.process = process
    }

    /// Measures the running server, and says of an error whether the server died of it and what it printed.
    package mutating func measure<Value>(_ body: (borrowing ServerProcess) throws -> Value) throws -> Value {
        do {
            return try body(self)
        } catch {
            let end = try? process.wait(milliseconds: 0)
            var failure = process.failure(end.map { "the server died (\($0))" } ?? "\(error)")
            // Of what else is to blame, such as the load.
            if let log = (error as? Failure)?.log { failure.log = log + "\n\nthe server printed:\n" + (failure.log ?? "") }
            throw failure
        }
    }

    /// The connections that the kernel holds for this server.
    package func sockets() -> ServerSockets {
        ServerSockets(readText("/proc/net/tcp") ?? "", port: port)
    }

    /// Waits until the server has let go of every connection that its clients have closed.
    ///
    /// - Parameter count: how many are still open.
    package func awaitRest(leaving count: Int = 0) throws {
        guard try !comesToRest(leaving: count, within: 5) else { return }
        throw Failure("the server still holds \(sockets().open) connections 5 s after its clients closed them")
    }

    /// Waits until the server holds no more than so many connections; returns false if it still does after so many seconds.
    func comesToRest(leaving count: Int, within seconds: Int) throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            guard tree.isAlive else { throw Failure("the server is dead") }
            if sockets().open <= count { return true }
            if .now > end { return false }
            usleep(5000)
        }
    }

    /// Asks the server to stop.
    ///
    /// - Returns: what it used from its start to its end, with the threads and the children that ended before.
    /// - Throws: ``Failure`` if it does not end with status 0 within 12 s; it is killed then.
    @discardableResult
    package consuming func stop() throws -> ResourceUse {
        process.sendToLeader(SIGTERM)
        switch try process.wait(milliseconds: 12_000) {
        case .code(0): break
        case .signal(SIGTERM) where diesOfSignal: break
        case let end?: throw process.failure("on SIGTERM the server ended with \(end)")
        case nil: throw process.failure("the server was still running 12 s after SIGTERM, and was killed")
        }
        return process.usage
    }

    private mutating func waitUntilListening(chosenPort: UInt16?) throws -> UInt16 {
        for _ in 0..<2000 {
            if let chosenPort {
                if tree.listens(on: chosenPort), (try? ClientConnection(port: chosenPort)) != nil { return chosenPort }
            } else if let port = Self.announcedPort(in: process.printed()) {
                return port
            }
            if let status = try process.wait(milliseconds: 5) {
                throw process.failure("the server ended at once (\(status))")
            }
        }
        throw process.failure("the server was not listening after 10 s")
    }

    /// The port in a line `listening on SCHEME://127.0.0.1:PORT`.
    static func announcedPort(in text: String) -> UInt16? {
        for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1) {
            guard line.contains("listening on "), line.contains("://"), let port = line.split(separator: ":").last else { continue }
            return UInt16(port)
        }
        return nil
    }

    static func freePort() throws -> UInt16 {
        let port = bench_free_port()
        guard port > 0, let port = UInt16(exactly: port) else { throw Failure("no port is free on 127.0.0.1") }
        return port
    }
}

/// When a signal ends the harness, it is gone, too.
private struct TemporaryDirectory {
    let path: String
    private let place: Int32

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        path = url.path()
        place = bench_remove_on_signals(path)
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        } catch {
            bench_forget_directory(place)
            throw error
        }
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        bench_forget_directory(place)
    }
}
