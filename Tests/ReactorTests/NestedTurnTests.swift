import ConnectionHandling
import Glibc
import ReactorWire
import TestSupport
import Testing

@testable import Reactor

/// Handlers that use other connections of their loop within their own calls, all with a layer: the loop lends each its
/// buffers, and has but one of each.
@Suite(.timeLimit(.minutes(40))) struct NestedTurnTests {
    private final class Ring {
        var connections: [LoopConnection<Relaying>] = []
        var expected: [[UInt8]] = []
        let sizes: [Int]
        init(_ sizes: [Int]) { self.sizes = sizes }

        func piece(_ index: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(truncatingIfNeeded: expected[index].count &* 31), count: sizes[expected[index].count % sizes.count])
        }
    }

    /// Writes before, while and after it has those behind it in the ring write.
    private struct Relaying: ConnectionHandler {
        let ring: Ring
        let index: Int
        mutating func connected(on connection: inout Connection) { connection.start(ToyLayer()) }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            for _ in 0..<bytes.byteCount { relay(on: &connection) }
            return bytes.byteCount
        }
        func relay(on connection: inout Connection) {
            write(on: &connection)
            for next in ring.connections.dropFirst(index + 1) {
                _ = next.withHandler { $0.relay(on: &$1) }
                write(on: &connection)
            }
        }
        private func write(on connection: inout Connection) {
            let piece = ring.piece(index)
            connection.write(piece.span.bytes)
            ring.expected[index] += piece
        }
    }

    @Test(arguments: [[10], [5_000], [3, 9_000, 70_000], [60_000]]) func everyConnectionKeepsItsOwnBytes(_ sizes: [Int]) throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let ring = Ring(sizes)
        var peers: [CInt] = []
        defer { peers.forEach { close($0) } }
        var limits = ConnectionLimits()
        limits.maxQueuedOutput = 64 << 20
        for index in 0..<4 {
            var pair: [CInt] = [0, 0]
            try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
            peers.append(pair[1])
            ring.expected.append([])
            ring.connections.append(
                try loop.adopt(Descriptor(owning: pair[0]), limits: limits, Relaying(ring: ring, index: index)))
            send(pair[1], "H", 1, 0)
        }
        var got = [[UInt8]](repeating: [], count: 4)
        func drain() {
            var room = [UInt8](repeating: 0, count: 65_536)
            for index in peers.indices {
                let count = recv(peers[index], &room, room.count, CInt(MSG_DONTWAIT))
                if count > 0 { got[index] += room[..<count] }
            }
        }
        loop.run {
            drain()
            return got.allSatisfy { $0 == [UInt8(ascii: "h")] }
        }
        for round in 0..<3 {
            let word = ToyLayer.sealed("ab")
            send(peers[round % 2], word, word.count, 0)
            loop.run {
                drain()
                return ring.expected[3].count > 0 && got.indices.allSatisfy { got[$0].count == 1 + 2 * ring.expected[$0].count }
            }
        }
        for index in got.indices {
            let plain = stride(from: 2, to: got[index].count, by: 2).map { got[index][$0] ^ 0x20 }
            let isSame = plain == ring.expected[index]
            #expect(isSame, "connection \(index)")
        }
    }
}
