import ConnectionHandling
import Glibc
import ReactorWire
import TestSupport
import Testing

@testable import Reactor

/// Connections that others than their handlers hold, in every state that they may be in.
@Suite(.timeLimit(.minutes(40))) struct LoopConnectionTests {
    private final class Told {
        var closed: [CloseReason] = []
        var failures: [Int32] = []
    }

    private struct Counting: ConnectionHandler {
        let told: Told
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        mutating func closed(_ reason: CloseReason) { told.closed.append(reason) }
    }

    /// Both ends of a connection; one is adopted by the loop.
    private func adopt(_ loop: EventLoop, _ told: Told) throws -> (LoopConnection<Counting>, peer: CInt) {
        var pair: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
        return (try loop.adopt(Descriptor(owning: pair[0]), Counting(told: told)), pair[1])
    }

    @Test func anOpenConnectionIsReached() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let told = Told()
        let (connection, peer) = try adopt(loop, told)
        defer { close(peer) }
        #expect(connection.isOpen && !connection.isInCall)
        let answer = connection.withHandler { handler, connection in
            connection.write("hello")
            return 42
        }
        #expect(answer == 42)
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(recv(peer, &bytes, 10, CInt(MSG_DONTWAIT)) == 5, "written when the closure returned, loop or no loop")
        connection.close()
        #expect(told.closed == [.finished])
        #expect(!connection.isOpen)
        connection.close()
        #expect(connection.withHandler { _, _ in 1 } == nil)
        #expect(told.closed == [.finished])
    }

    @Test func aClosingConnectionIsReachedNoMore() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let told = Told()
        let (connection, peer) = try adopt(loop, told)
        // More than the peer's buffer takes, so that the close has to wait.
        let large = [UInt8](repeating: 1, count: 2_000_000)
        _ = connection.withHandler { $1.write(large.span.bytes) }
        connection.close()
        #expect(told.closed.isEmpty)
        #expect(connection.withHandler { _, _ in 1 } == nil)
        connection.close(.aborting)
        close(peer)
        loop.run { !told.closed.isEmpty }
        #expect(told.closed.count == 1 && told.closed[0] != .finished)
    }

    @Test func aConnectionOutlivesItsLoopUnused() throws {
        let told = Told()
        var loop: EventLoop? = try EventLoop()
        let (connection, peer) = try adopt(try #require(loop), told)
        defer { close(peer) }
        loop?.close()
        #expect(told.closed == [.stopped])
        loop = nil
        #expect(connection.withHandler { _, _ in 1 } == nil)
        #expect(!connection.isOpen && !connection.isInCall)
        connection.close()
        #expect(told.closed.count == 1)
    }

    @Test func closingWhileConnectingTellsNobody() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let told = Told()
        let listener = try loop.listen(on: "127.0.0.1:0") { EchoHandler() }
        let before = try descriptors().count
        for _ in 0..<400 {
            let connection = loop.connect(to: listener.address, onFailure: { told.failures.append($0.errno) }) {
                Counting(told: told)
            }
            #expect(connection.withHandler { _, _ in 1 } == nil && !connection.isOpen)
            connection.close()
            connection.close()
        }
        loop.after(.milliseconds(50)) { loop.stop() }
        loop.run()
        #expect(told.failures.isEmpty && told.closed.isEmpty)
        #expect(try descriptors().count < before + 300, "other tests run at the same time")
    }

    @Test func aConnectionThatIsMadeCanBeUsedAndOneThatIsNotSaysWhy() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let told = Told()
        let listener = try loop.listen(on: "127.0.0.1:0") { EchoHandler() }
        let connection = loop.connect(to: listener.address, onFailure: { told.failures.append($0.errno) }) { Counting(told: told) }
        loop.run { connection.isOpen }
        #expect(connection.withHandler { _, connection in connection.localAddress.port != 0 } == true)
        connection.close()
        listener.stop()
        let refused = loop.connect(to: listener.address, onFailure: { told.failures.append($0.errno) }) { Counting(told: told) }
        loop.run { !told.failures.isEmpty }
        #expect(told.failures == [ECONNREFUSED])
        #expect(!refused.isOpen && refused.withHandler { _, _ in 1 } == nil)
        refused.close()
    }

    @Test func aListenersConnectionsAreReachedFromOutside() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let told = Told()
        var made: [LoopConnection<Counting>] = []
        let listener = try loop.listen(on: .loopback(port: 0)) { (connection: LoopConnection<Counting>) in
            #expect(!connection.isOpen, "not before its handler is there")
            made.append(connection)
            return Counting(told: told)
        }
        let client = try TestClient(listener.address)
        loop.run { made.count == 1 }
        _ = made.first?.withHandler { $1.write("from outside") }
        #expect(client.receive(count: 12) == "from outside")
        made.first?.close(.aborting)
        #expect(told.closed == [.aborted])
        #expect(client.receiveToEnd().reset)
    }

    /// On a list, and off it again in `closed`, as in a chat room.
    private struct Member: ConnectionHandler {
        let this: LoopConnection<Member>
        let life: Told
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    @Test func aHandlerMayKeepItsOwnConnection() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        weak var life: Told?
        let listener = try loop.listen(on: .loopback(port: 0)) { (connection: LoopConnection<Member>) in
            let told = Told()
            life = told
            return Member(this: connection, life: told)
        }
        var client: TestClient? = try TestClient(listener.address)
        loop.run { life != nil }
        #expect(life != nil)
        client?.send("x")
        client = nil
        loop.run { life == nil }
        #expect(life == nil, "the handler went with its connection")
    }

    /// Sixteen pieces, as many as one call gathers, and output behind them.
    @Test(arguments: 6...18) func manySharedPiecesLeaveInOrder(_ count: Int) throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let (connection, number) = try adopt(loop, Told())
        let peer = Descriptor(owning: number)
        let shared = SharedBytes(copying: [UInt8](repeating: 0x73, count: 5_000).span.bytes)
        _ = connection.withHandler { _, connection in
            for _ in 0..<count {
                connection.write("h")
                connection.write(shared)
            }
            connection.write("tail")
        }
        connection.close()
        var (received, buffer): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 65_536))
        while true {
            let got = recv(peer.number, &buffer, buffer.count, 0)
            if got <= 0 { break }
            received += buffer[..<got]
        }
        let expected = (0..<count).flatMap { _ in [0x68] + [UInt8](repeating: 0x73, count: 5_000) } + Array("tail".utf8)
        #expect(received == expected)
    }

    /// Ends in silence, with most of what it wrote still here.
    private struct Verbose: ConnectionHandler {
        mutating func connected(on connection: inout Connection) {
            connection.write([UInt8](repeating: 0x76, count: 15_000_000).span.bytes)
        }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    @Test func aReplyThatSilenceCutsOffEndsInAReset() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(50)
        let listener = try loop.listen(on: .loopback(port: 0), limits: limits) { Verbose() }
        let client = try TestClient(listener.address)
        loop.run { loop.statistics.acceptedConnections == 1 && loop.statistics.openConnections == 0 }
        #expect(client.receiveToEnd().reset, "a plain end would make the rest look like a whole reply")
    }

    /// Closed by whoever makes its handler: the handler is told of the connection, and that it is over.
    @Test func aConnectionMayBeClosedBeforeItsHandlerIsThere() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let told = Told()
        let listener = try loop.listen(on: .loopback(port: 0)) { connection -> Counting in
            connection.close()
            return Counting(told: told)
        }
        let client = Told()
        loop.connect(to: listener.address, onFailure: { _ in }) { Counting(told: client) }
        loop.run { !told.closed.isEmpty && !client.closed.isEmpty }
        #expect(told.closed == [.finished])
        #expect(client.closed == [.finished])
        #expect(loop.statistics.openConnections == 0)
    }
}
