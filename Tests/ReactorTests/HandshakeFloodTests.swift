import ConnectionHandling
import ReactorWire
import TestSupport
import Testing

@testable import Reactor

/// Handshakes cost much: a flood of them must leave the others their turns.
@Suite(.timeLimit(.minutes(40))) struct HandshakeFloodTests {
    private final class Shared {
        var readsInTurn: [UInt64: Int] = [:]
        var secured = 0
    }

    /// Counts its reads by the turn they fall in.
    private final class CountedLayer: ConnectionLayer {
        private let note: () -> Void
        init(_ note: @escaping () -> Void) {
            self.note = note
            super.init(handshakeTime: .seconds(10))
        }
        override func receive(_ bytes: RawSpan, into input: inout ByteQueue) {
            note()
            isHandshaking = false
        }
    }

    private struct Secured: ConnectionHandler {
        let shared: Shared
        let note: () -> Void
        mutating func connected(on connection: inout Connection) { connection.start(CountedLayer(note)) }
        mutating func secured(on connection: inout Connection) { shared.secured += 1 }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    private struct Greeting: ConnectionHandler {
        mutating func connected(on connection: inout Connection) { connection.write("hello") }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    @Test func aTurnHoldsOnlySoManyHandshakes() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let shared = Shared()
        let listener = try loop.listen(on: .loopback(port: 0)) { [unowned loop] in
            Secured(shared: shared) { shared.readsInTurn[loop.statistics.turns, default: 0] += 1 }
        }
        for _ in 0..<120 { loop.connect(to: listener.address, onFailure: { _ in }) { Greeting() } }
        loop.run { shared.secured == 120 }
        #expect(shared.secured == 120, "those put off have their turn")
        #expect((shared.readsInTurn.values.max() ?? 0) <= HandshakeTurns.perTurn)
        #expect(loop.statistics.deferredHandshakes > 0)
    }

    /// First come, first served, however many come behind.
    @Test func thoseWhoWaitAreServedInOrder() {
        var turns = HandshakeTurns()
        func identity(_ serial: Int) -> LoopIdentity { LoopIdentity(slot: serial, serial: UInt64(serial)) }
        var served: [UInt64] = []
        for arrival in 0..<30 where !turns.take() { turns.wait(identity(arrival)) }
        for _ in 0..<3 {
            turns.turnBegins()
            let isPassed = turns.take()
            #expect(!isPassed, "a newcomer waits behind them")
            while let next = turns.next() { served.append(next.serial) }
        }
        #expect(served == Array(8..<30))
        let isFree = turns.take()
        #expect(isFree, "what is left of the turn is for whoever comes")
    }
}
