import ConnectionHandling
import ReactorProxyProtocol
import ReactorTesting
import ReactorWire
import Synchronization
import Testing

typealias TLV = ProxyHeader.TLV

func address(_ text: String) -> SocketAddress { (try? SocketAddress(parsing: text)) ?? .unix(path: "no address: \(text)") }

let clientAddress = address("192.0.2.7:4711")
let listenerAddress = address("198.51.100.1:25")

extension ProxyHeader {
    static let fromClient = ProxyHeader(Endpoints(source: clientAddress, destination: listenerAddress))

    func bytes(_ version: Version = .v2) throws(ProxyHeaderError) -> [UInt8] {
        var queue = ByteQueue()
        try write(version, to: &queue)
        return queue.bytes.array
    }
}

let lineHeader = Array("PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n".utf8)

func parse(_ bytes: [UInt8], limit: Int = 4096) throws(ProxyViolation) -> ProxyHeader? {
    guard let (header, length) = try ProxyHeader.parse(bytes.span.bytes, limit: limit) else { return nil }
    #expect(length <= bytes.count)
    return header
}

/// A header of version 2 whose every part can be wrong.
func binary(_ command: UInt8 = 0x21, _ family: UInt8 = 0x11, length: Int? = nil, _ rest: [UInt8]) -> [UInt8] {
    let length = UInt16(truncatingIfNeeded: length ?? rest.count)
    return [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, command, family]
        + [UInt8(length >> 8), UInt8(length & 255)] + rest
}

/// The addresses of ``ProxyHeader/fromClient``.
let binaryAddresses: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 0, 25]

/// The bytes whole, one at a time, and split at random.
func splits(of bytes: [UInt8], seed: UInt64) -> [[ArraySlice<UInt8>]] {
    var random = SeededGenerator(seed: seed)
    var result = [[bytes[...]], bytes.indices.map { bytes[$0...$0] }]
    for _ in 0..<4 {
        var (pieces, start): ([ArraySlice<UInt8>], Int) = ([], 0)
        while start < bytes.count {
            let end = min(start + Int.random(in: 1...12, using: &random), bytes.count)
            pieces.append(bytes[start..<end])
            start = end
        }
        result.append(pieces)
    }
    return result
}

/// What an inner handler was told.
final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    func take() -> [String] { lines.withLock { kept in defer { kept = [] }; return kept } }
}

/// Says who its peer is, then writes down what it hears and sends back what it receives.
struct Inner: ConnectionHandler {
    let log: Log
    var greeting = false

    mutating func connected(on connection: inout Connection) {
        log.add("connected \(connection.peer)")
        log.add("at \(connection.localAddress)")
        if greeting { connection.write("hello ") }
    }
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        let text = bytes.text
        log.add("received \(text)")
        if text == "pause" {
            connection.pauseReading()
            connection.setDeadline(after: .seconds(1))
        }
        if text == "await" { _ = connection.perform { 1 } }
        connection.write(bytes)
        return bytes.byteCount
    }
    mutating func endOfInput(on connection: inout Connection) {
        log.add("end")
        connection.close()
    }
    mutating func deadlineExpired(on connection: inout Connection) {
        log.add("deadline")
        connection.resumeReading()
    }
    mutating func answered(on connection: inout Connection) { log.add("answered") }
    mutating func drained(on connection: inout Connection) { log.add("drained") }
    mutating func stopping(on connection: inout Connection) {
        log.add("stopping")
        connection.close()
    }
    mutating func closed(_ reason: CloseReason) { log.add("closed \(reason)") }
}
