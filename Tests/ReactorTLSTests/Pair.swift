import ConnectionHandling
import ReactorTLS
import ReactorTesting
import ReactorWire

/// Two sessions joined back to back: what one puts on its wire, the other receives.
final class Pair {
    /// In which pieces bytes arrive.
    enum Splitting: Sendable, CustomStringConvertible {
        case whole, bytes
        case random(UInt64)

        static let all: [Splitting] = [.whole, .bytes] + (0..<3).map { _ in .random(UInt64.random(in: 0...UInt64.max)) }

        var description: String {
            switch self {
            case .whole: "whole"
            case .bytes: "byte by byte"
            case .random(let seed): "split by seed \(seed)"
            }
        }
    }

    let client: TLSSession
    let server: TLSSession
    var atClient = ByteQueue()
    var atServer = ByteQueue()
    /// Bytes that went over the wire, both ways.
    private(set) var carried = 0
    /// May change what goes over the wire.
    var tamper: ((_ toServer: Bool, inout [UInt8]) -> Void)?
    private let splitting: Splitting
    private var random: SeededGenerator

    /// - Parameter beginning: shakes hands at once.
    init(_ client: TLSSession, _ server: TLSSession, _ splitting: Splitting = .whole, beginning: Bool = true) {
        self.client = client
        self.server = server
        self.splitting = splitting
        let seed: UInt64 = if case .random(let seed) = splitting { seed } else { 0 }
        random = SeededGenerator(seed: seed)
        if beginning {
            begin()
            carry()
        }
    }

    func begin() {
        client.start()
        server.start()
    }

    /// Until nothing is on the wire.
    func carry() {
        while carry(toServer: true) || carry(toServer: false) {}
    }

    /// One flight. False if there was none.
    @discardableResult func carry(toServer: Bool) -> Bool {
        let (from, to) = toServer ? (client, server) : (server, client)
        var flight = from.wire.withUnsafeBytes { Array($0) }
        if flight.isEmpty { return false }
        from.wire.removeAll()
        tamper?(toServer, &flight)
        carried += flight.count
        for piece in pieces(of: flight) {
            let lent = piece.span.bytes
            if toServer { to.receive(lent, into: &atServer) } else { to.receive(lent, into: &atClient) }
        }
        return true
    }

    /// Bytes that come from nobody.
    func deliver(_ bytes: [UInt8]) {
        for piece in pieces(of: bytes) {
            let lent = piece.span.bytes
            server.receive(lent, into: &atServer)
        }
    }

    private func pieces(of flight: [UInt8]) -> [[UInt8]] {
        switch splitting {
        case .whole: return [flight]
        case .bytes: return flight.map { [$0] }
        case .random:
            var rest = flight[...]
            var pieces: [[UInt8]] = []
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...Int.random(in: 1...20_000, using: &random), using: &random))
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            return pieces
        }
    }

    func send(fromClient bytes: [UInt8]) {
        let lent = bytes.span.bytes
        client.seal(lent)
        carry()
    }

    func send(fromServer bytes: [UInt8]) {
        let lent = bytes.span.bytes
        server.seal(lent)
        carry()
    }

    func takeAtClient() -> [UInt8] {
        defer { atClient.removeAll() }
        return atClient.withUnsafeBytes { Array($0) }
    }

    func takeAtServer() -> [UInt8] {
        defer { atServer.removeAll() }
        return atServer.withUnsafeBytes { Array($0) }
    }

    var failures: [TLSFailure?] { [client.failure, server.failure] }

    var isEstablished: Bool {
        !client.isHandshaking && !server.isHandshaking && client.failure == nil && server.failure == nil
    }
}
