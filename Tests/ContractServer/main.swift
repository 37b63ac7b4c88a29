// A server whose handler does what its input says, so that one suite of cases can be run against every driver.
// usage: contract-server ARCHITECTURE [LOOPS [datagrams]]
import ConnectionHandling
import Foundation
import Reactor
import ServerArchitectures

struct Scripted: ConnectionHandler {
    private var answer: Awaited<String>?
    private var remaining = 0

    mutating func connected(on connection: inout Connection) { connection.setDeadline(after: .seconds(30)) }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        while used < bytes.byteCount, !connection.isAwaiting, !connection.isClosing, !connection.isBackedUp, remaining == 0 {
            let command = bytes.unsafeLoad(fromByteOffset: used, as: UInt8.self)
            used += 1
            switch UnicodeScalar(command) {
            case "a": answer = connection.perform { usleep(20_000); return "performed;" }
            case "s": answer = connection.await { try await Task.sleep(for: .milliseconds(20)); return "awaited;" }
            case "f": answer = connection.perform { throw CancellationError() }
            case "d": connection.setDeadline(after: .milliseconds(50))
            case "h": connection.write("half;"); connection.finishOutput()
            case "q": connection.write("bye;"); connection.close()
            case "l": connection.write("refused;"); connection.close(.lingering)
            case "x": connection.write("dropped"); connection.close(.aborting)
            case "p":
                connection.pauseReading()
                connection.setDeadline(after: .milliseconds(50))
                return used
            case "i": connection.write("\(getpid());")
            case "w": remaining = 40_000_000; fill(&connection)
            default: connection.write("\(UnicodeScalar(command));")
            }
        }
        return used
    }

    /// Forty million bytes, as fast as the peer takes them.
    private mutating func fill(_ connection: inout Connection) {
        while remaining > 0 && !connection.isBackedUp {
            connection.write("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
            remaining -= 64
        }
    }

    mutating func drained(on connection: inout Connection) { fill(&connection) }

    mutating func answered(on connection: inout Connection) {
        switch answer?.take() {
        case .success(let text): connection.write(text)
        case .failure: connection.write("failed;")
        case nil: connection.write("missing;")
        }
    }

    mutating func deadlineExpired(on connection: inout Connection) {
        connection.write("deadline;")
        connection.resumeReading()
    }

    mutating func endOfInput(on connection: inout Connection) {
        connection.write("end;")
        connection.close()
    }

    mutating func stopping(on connection: inout Connection) {
        connection.write("stopping;")
        connection.close()
    }
}

guard CommandLine.arguments.count >= 2, let architecture = Architecture(rawValue: CommandLine.arguments[1]) else {
    FileHandle.standardError.write(Data("usage: contract-server ARCHITECTURE [LOOPS [datagrams]]\n".utf8))
    exit(64)
}
var options = ServerOptions(architecture: architecture)
options.loops = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 1 : 1
options.workers = 8
options.grace = .seconds(2)
let directory = FileManager.default.temporaryDirectory.path
var endpoints = [
    Endpoint(.loopback(port: 0)) { Scripted() },
    Endpoint(.ipv6(high: 0, low: 1, port: 0)) { Scripted() },
    Endpoint(.unix(path: "\(directory)/contract-\(getpid()).sock")) { Scripted() },
]
if CommandLine.arguments.count > 3 {
    endpoints += ScriptedDatagrams.endpoints(path: "\(directory)/contract-\(getpid()).dgram")
}
let server = try Server(options, endpoints: endpoints)
try server.stop(on: .terminate, .interrupt)
for address in server.addresses { FileHandle.standardError.write(Data("listening on contract://\(address)\n".utf8)) }
try server.run()
