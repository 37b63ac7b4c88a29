import ConnectionHandling
import Foundation
import Reactor
import ServerArchitectures

/// Does what its datagrams say: the datagram side of ``Scripted``.
struct ScriptedDatagrams: DatagramHandler {
    private var answers: [(Awaited<String>, DatagramOrigin)] = []
    /// Who is told what does not come with a datagram.
    private var last: DatagramOrigin?

    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        last = origin
        let text = payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let words = text.split(separator: " ")
        switch words.first {
        case "perform": answers.append((socket.perform { usleep(20_000); return "performed" }, origin))
        case "await": answers.append((socket.await { try await Task.sleep(for: .milliseconds(20)); return "awaited" }, origin))
        case "fail": answers.append((socket.perform { throw CancellationError() }, origin))
        case "deadline": socket.setDeadline(after: .milliseconds(50))
        case "pid": reply("\(getpid())", on: &socket)
        case "length": reply("\(payload.byteCount) of \(origin.fullLength) \(origin.isTruncated)", on: &socket)
        case "where": reply("\(origin.localAddress?.host ?? "?")", on: &socket)
        case "peer": reply("\(origin.peer)", on: &socket)
        case "oversized":
            // Longer than UDP carries, and before it one that is longer than may be queued.
            let (huge, long) = ([UInt8](repeating: 0, count: 4_000_000), [UInt8](repeating: 0, count: 70_000))
            if socket.send(huge.span.bytes, to: origin) { reply("queued", on: &socket) }
            socket.send(long.span.bytes, to: origin)
        case "nobody":
            // To a port that nobody listens on.
            guard words.count == 2, let address = try? SocketAddress(parsing: String(words[1])) else { return }
            socket.send(payload, to: address)
        default: socket.send(payload, to: origin)
        }
    }

    private func reply(_ text: String, on socket: inout DatagramSocket) {
        let bytes = Array(text.utf8)
        if let last { socket.send(bytes.span.bytes, to: last) }
    }

    mutating func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) {
        reply("failed \(failure.errno) \(failure.icmp?.isPortUnreachable ?? false)", on: &socket)
    }

    mutating func deadlineExpired(on socket: inout DatagramSocket) { reply("deadline passed", on: &socket) }

    mutating func answered(on socket: inout DatagramSocket) {
        answers.removeAll { answer, origin in
            guard let result = answer.take() else { return false }
            let bytes = Array(((try? result.get()) ?? "failed").utf8)
            socket.send(bytes.span.bytes, to: origin)
            return true
        }
    }

    mutating func stopping(on socket: inout DatagramSocket) {
        reply("stopping", on: &socket)
        socket.close()
    }

    /// IPv4, IPv6, Unix, and a socket of both families bound to every address, which cuts off at 100 bytes.
    static func endpoints(path: String) -> [Endpoint] {
        var (options, limits) = (DatagramOptions(), DatagramLimits())
        options.dualStack = true
        limits.maxPayload = 100
        return [
            Endpoint(datagrams: .loopback(port: 0)) { ScriptedDatagrams() },
            Endpoint(datagrams: .ipv6(high: 0, low: 1, port: 0)) { ScriptedDatagrams() },
            Endpoint(datagrams: .unix(path: path)) { ScriptedDatagrams() },
            Endpoint(datagrams: .ipv6(high: 0, low: 0, port: 0), options: options, limits: limits) { ScriptedDatagrams() },
        ]
    }
}
