import ConnectionHandling
import Reactor
import ReactorTLS
import ReactorWire
import Synchronization
import TestSupport

/// A server of few words: it says what its test wants, and remembers what it was told.
struct ScriptedServer: ConnectionHandler {
    /// What all its connections share.
    final class Script: Sendable {
        enum TLS { case none, offered, broken }
        let tls: TLS
        let context: TLSServerContext?
        let recipientsTaken: Int
        let greeting: String
        private let state = Mutex<(commands: [String], contents: [String], connections: Int)>(([], [], 0))

        init(_ tls: TLS = .none, context: TLSServerContext? = nil, recipientsTaken: Int = 100, greeting: String = "220 scripted\r\n") {
            self.tls = tls
            self.context = context
            self.recipientsTaken = recipientsTaken
            self.greeting = greeting
        }

        var commands: [String] { state.withLock { $0.commands } }
        var contents: [String] { state.withLock { $0.contents } }
        var connections: Int { state.withLock { $0.connections } }
        func note(command: String) { state.withLock { $0.commands.append(command) } }
        func note(content: String) { state.withLock { $0.contents.append(content) } }
        func noteConnection() { state.withLock { $0.connections += 1 } }
    }

    private let script: Script
    private var framing = LineFraming()
    private var isProtected = false
    private var content: String?
    private var taken = 0

    init(_ script: Script) { self.script = script }

    static func listening(_ script: Script) throws -> LoopThread<SocketAddress> {
        try LoopThread { loop in try loop.listen(on: .loopback(port: 0)) { ScriptedServer(script) }.address }
    }

    mutating func connected(on connection: inout Connection) {
        script.noteConnection()
        connection.write(script.greeting)
    }

    mutating func secured(on connection: inout Connection) { isProtected = true }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var offset = 0
        while !connection.isClosing, let frame = try? framing.next(in: bytes, from: offset) {
            offset = frame.next
            take(bytes.slice(frame.payload).text, on: &connection)
        }
        return offset
    }

    private mutating func take(_ line: String, on connection: inout Connection) {
        if let soFar = content {
            if line != "." {
                content = soFar + line + "\n"
                return
            }
            script.note(content: soFar)
            content = nil
            return connection.write("250 2.0.0 taken\r\n")
        }
        script.note(command: line)
        switch line.prefix(4) {
        case "EHLO", "LHLO": connection.write(script.tls == .none || isProtected ? "250-scripted\r\n250 AUTH PLAIN\r\n" : "250-scripted\r\n250 STARTTLS\r\n")
        case "STAR":
            connection.write("220 go\r\n")
            if script.tls == .broken { return connection.close() }
            if let context = script.context { connection.start(context.makeSession()) }
        case "AUTH": connection.write(line == "AUTH PLAIN AHVzZXIAc2VjcmV0" ? "235 welcome\r\n" : "535 5.7.8 no\r\n")
        case "MAIL":
            taken = 0
            connection.write("250 ok\r\n")
        case "RCPT":
            if line.contains("<no") { return connection.write("550 5.1.1 nobody\r\n") }
            taken += 1
            connection.write(taken > script.recipientsTaken ? "452 4.5.3 too many\r\n" : "250 ok\r\n")
        case "DATA":
            content = ""
            connection.write("354 go\r\n")
        case "QUIT":
            connection.write("221 bye\r\n")
            connection.close()
        default: connection.write("250 ok\r\n")
        }
    }
}
