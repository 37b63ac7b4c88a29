import ConnectionHandling
import Foundation
import Glibc
import Reactor
import ServerArchitectures
import TestSupport
import Testing

/// What peers do to a server at the worst moment, under every architecture.
@Suite(.timeLimit(.minutes(40))) struct FaultTests {
    /// What is sent, and how much is read, before the peer vanishes: a state of the connection.
    static let states: [(name: String, send: String, receive: Int, endsOutput: Bool)] = [
        ("before a byte", "", 0, false), ("idle", "y", 2, false), ("half a message", "y2", 2, false),
        ("awaiting blocking work", "ya", 2, false), ("awaiting suspending work", "ys", 2, false),
        ("output waiting", "yw", 1_000, false), ("backed up behind input", "ywzzzz", 0, false),
        ("sending a file", "F", 1_000, false), ("corked", "yk", 0, false), ("corked and ended", "k", 0, true),
        ("half-closed by the server", "h", 5, false), ("half-closed by the peer, output waiting", "w", 1_000, true),
        ("half-closed by the peer, sending a file", "F", 1_000, true), ("awaiting, half-closed by the peer", "ya", 2, true),
        ("lingering", "l", 8, false), ("paused", "yp", 2, false), ("closing, output waiting", "Fq", 1_000, false),
        ("mixed output", "m\u{7}", 500, false), ("passing a descriptor", "VVV", 0, false),
    ]

    @Test(arguments: Driver.all)
    func aResetInAnyStateEndsOneConnectionOnce(_ driver: Driver) throws {
        let server = try driver.start()
        for address in [server.addresses[0], server.addresses[2]] {
            try Self.reset(address)
        }
        let ledger = try Ledger.settled(server.addresses[0])
        #expect(ledger.late == 0, "nothing is delivered behind closed")
        #expect(ledger.opened == ledger.closed + 1 && ledger.alive == 1, "\(ledger)")
        #expect(server.stop() == 0)
    }

    /// Resets a connection in every state, and twice in each: what the first left behind meets the second.
    private static func reset(_ address: SocketAddress) throws {
        for state in states + states {
            let client = try TestClient(address, receiveBuffer: 4_096)
            client.send(state.send)
            #expect(client.receiveBytes(count: state.receive).count == state.receive, "\(state.name)")
            if state.endsOutput { client.endOutput() }
            if !address.isUnix { client.resetOnClose() }
        }
    }

    @Test(arguments: Driver.all)
    func connectionsLeaveNothingBehind(_ driver: Driver) throws {
        // One worker: the descriptors that are counted are then always the same process's.
        let server = try driver.start("workers=1")
        // The first connections make what the process keeps: the runtime's threads have descriptors of their own.
        for address in server.addresses { try Self.reset(address) }
        let before = try Ledger.settled(server.addresses[0])
        for _ in 0..<3 { for address in server.addresses { try Self.reset(address) } }
        let after = try Ledger.settled(server.addresses[0])
        // A process for each connection starts with what its parent has, so that this sees what the parent keeps. The
        // runtime may have started another thread meanwhile; a leak would be of hundreds.
        #expect(after.descriptors <= before.descriptors + 2)
        #expect(after.alive == 1)
        #expect(server.stop() == 0)
    }

    @Test(arguments: ["tcp", "unix", "adopted", "outgoing"])
    func tenThousandConnectionsLeaveNothingBehind(_ kind: String) throws {
        // In a process of its own, where nobody else opens anything.
        let result = try run(ServerProcess.executable("contract-server").path, ["leaks", kind, "10000"])
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    // MARK: Output

    @Test(arguments: Driver.all)
    func mixedOutputArrivesInOrder(_ driver: Driver) throws {
        let server = try driver.start()
        for (index, seed) in ([3, 77, 200] as [UInt8]).enumerated() {
            let expected = try OutputMix(seed: UInt64(seed)).expected
            // A small window cuts the output wherever it likes.
            let client = try TestClient(server.addresses[index], receiveBuffer: index == 2 ? nil : 4_096)
            client.send([UInt8(ascii: "m"), seed])
            #expect(client.receiveBytes(count: expected.count) == expected, "seed \(seed)")
            client.send("q")
            #expect(client.receiveToEnd().text == "bye;")
        }
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func aFileIsSentWholeOrCutOffVisibly(_ driver: Driver) throws {
        let server = try driver.start()
        for address in server.addresses {
            let client = try TestClient(address)
            client.send("Fyq")
            #expect(client.receiveBytes(count: 8_000_005).count == 8_000_005)
            #expect(client.receiveToEnd().text == "y;bye;", "input waits behind the file")
            let shortened = try TestClient(address)
            shortened.send("T")
            let (text, reset) = shortened.receiveToEnd()
            #expect(text.utf8.count <= 1_000_005)
            // A Unix-domain socket has no reset to send when all that was written has been read.
            #expect(reset || address.isUnix, "the peer must not take it for the whole")
        }
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func aCorkHoldsUntilItIsTaken(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0])
        client.send("k")
        var entry = pollfd(fd: client.fd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 50) == 0)
        client.send("yu")
        #expect(client.receive(count: 9) == "corked;y;")
        client.send("kq")
        #expect(client.receiveToEnd().text == "corked;bye;", "a close takes the cork")
        let half = try TestClient(server.addresses[0])
        half.send("kh")
        #expect(half.receiveToEnd().text == "corked;half;", "the end of the output takes the cork")
        half.endOutput()
        #expect(server.stop() == 0)
    }

    // MARK: Descriptors

    @Test(arguments: Driver.all)
    func descriptorsArePassedBothWays(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try PassingClient(server.addresses[2])
        client.send("V")
        let (text, received) = client.receive()
        #expect(text == "passed;")
        try #require(received.count == 1)
        var greeting = [UInt8](repeating: 0, count: 8)
        #expect(read(received[0], &greeting, 8) == 8 && String(decoding: greeting, as: UTF8.self) == "greeting")
        #expect(read(received[0], &greeting, 8) == 0, "the server has closed both of its ends")
        close(received[0])

        client.pass("t", ["one", "two"])
        #expect(client.receive().text == "took one;took two;")
        client.pass("y", ["left"])
        #expect(client.receive().text == "y;", "one that is not taken waits")
        client.pass("t", ["right"])
        #expect(client.receive().text == "took left;took right;")
        // One past the limit.
        client.pass("t", ["one", "two", "three"])
        #expect(client.receive().text == "")
        let ledger = try Ledger.settled(server.addresses[0])
        #expect(ledger.late == 0 && ledger.alive == 1)
        #expect(server.stop() == 0)
    }
}
