import ConnectionHandling
import Foundation
import Glibc
import ServerArchitectures
import TestSupport
import Testing

extension Driver {
    /// Streams on the first three addresses, then datagrams on IPv4, IPv6, Unix, and on every address.
    fileprivate func startWithDatagrams() throws -> DatagramServer {
        DatagramServer(
            process: try ServerProcess("contract-server", [architecture.rawValue, String(loops), "datagrams=1"], listeners: 7))
    }

    /// Those where each peer has one receiver: its datagrams stay in order.
    fileprivate static let ordered = all.filter { ![.threadPool, .prefork].contains($0.architecture) }
    /// Those with one receiver in all: what becomes of what it sent, it alone is told.
    fileprivate static let ofOneReceiver = ordered.filter { $0.loops == 1 }
}

private struct DatagramServer {
    let process: ServerProcess
    var addresses: [SocketAddress] { Array(process.addresses[3..<6]) }
    var path: String { addresses[2].host }
    /// The port of the socket that is bound to every address of both families.
    var everywhere: UInt16 { process.addresses[6].port ?? 0 }
}

/// The same cases for every driver, over real sockets, as ``DriverTests`` has them for connections.
@Suite(.timeLimit(.minutes(40))) struct DatagramDriverTests {
    @Test(arguments: Driver.all)
    func theContractHolds(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        for address in server.addresses {
            let client = try TestDatagramClient(address)
            #expect(client.ask("hello") == "hello")
            #expect(client.ask("") == "", "an empty datagram is one")
            #expect(client.ask("perform") == "performed")
            #expect(client.ask("await") == "awaited")
            #expect(client.ask("fail") == "failed")
            client.send("deadline")
            #expect(client.receive() == "deadline passed")
            #expect(client.ask("peer") == "\(client.localAddress)")
        }
        // Connections are served beside it.
        let stream = try TestClient(server.process.addresses[0])
        stream.send("yq")
        #expect(stream.receiveToEnd().text == "y;bye;")
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func everySizeThatUDPCarries(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        for address in server.addresses {
            let client = try TestDatagramClient(address)
            for size in [1, 1_472, 1_473, 9_000, 65_507] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
                client.send(bytes)
                #expect(client.receiveBytes() == bytes, "\(size) bytes to \(address)")
            }
        }
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func aDatagramThatIsTooLongIsCutOffOrReported(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        let client = try TestDatagramClient(.loopback(port: server.everywhere))
        for (length, answer) in [(99, "99 of 99 false"), (100, "100 of 100 false"), (101, "100 of 101 true")] {
            #expect(client.ask("length".padding(toLength: length, withPad: " ", startingAt: 0)) == answer)
        }
        for address in server.addresses.prefix(2) {
            #expect(try TestDatagramClient(address).ask("oversized") == "failed \(EMSGSIZE) false")
        }
        let unix = try TestDatagramClient(server.addresses[2])
        #expect(unix.ask("oversized")?.utf8.count == 70_000, "a Unix-domain socket carries more")
        #expect(unix.ask("length".padding(toLength: 70_000, withPad: " ", startingAt: 0)) == "65536 of 70000 true")
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func answersLeaveFromTheAddressThatWasAsked(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        // Connected sockets hear nobody else.
        for host in ["127.0.0.1", "127.0.0.2", "127.1.2.3", "[::1]"] {
            let address = try SocketAddress(parsing: "\(host):\(server.everywhere)")
            let client = try TestDatagramClient(address)
            #expect(client.ask("where") == address.host)
            #expect(client.ask("peer") == "\(client.localAddress)", "an IPv4 peer has an IPv4 address")
        }
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: Driver.ofOneReceiver)
    func aPortThatNobodyListensOnIsReported(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        for (address, closed) in zip(server.addresses, ["127.0.0.1", "[::1]"]) {
            let nobody = try TestDatagramClient(SocketAddress(parsing: "\(closed):9")).localAddress
            let client = try TestDatagramClient(address)
            for _ in 0..<3 {
                #expect(client.ask("nobody \(nobody)") == "failed \(ECONNREFUSED) true")
                #expect(client.ask("hello") == "hello", "the next datagram is not to blame")
            }
        }
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func batchesLoseNothingAndKeepTheirOrder(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        // Several workers take turns: among them there is no order.
        let ordered = Driver.ordered.contains { $0.architecture == driver.architecture }
        for address in server.addresses.prefix(2) {
            let clients = try (0..<3).map { _ in try TestDatagramClient(address) }
            for round in 0..<4 {
                for number in 0..<60 { for client in clients { client.send("\(round) \(number)") } }
                for client in clients {
                    let got = (0..<60).compactMap { _ in client.receive() }
                    let sent = (0..<60).map { "\(round) \($0)" }
                    #expect(ordered ? got == sent : got.sorted() == sent.sorted())
                }
            }
        }
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func stoppingTellsTheHandlerAndThenExits(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        let clients = try server.addresses.map { try TestDatagramClient($0) }
        for client in clients { #expect(client.ask("hello") == "hello") }
        server.process.signal(SIGTERM)
        for client in clients { #expect(client.receive() == "stopping") }
        #expect(server.process.waitForExit() == 0)
        #expect(!FileManager.default.fileExists(atPath: server.path), "the Unix path is removed")
        #expect(throws: (any Error).self) { try TestDatagramClient(server.addresses[2]) }
    }

    @Test(arguments: Driver.all)
    func whatWasSentBeforeTheStopIsServed(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        let clients = try (0..<20).map { try TestDatagramClient(server.addresses[$0 % 2]) }
        for client in clients { client.send("hello") }
        server.process.signal(SIGTERM)
        for client in clients { #expect(client.receive() == "hello") }
        #expect(server.process.waitForExit() == 0)
    }

    @Test(arguments: Driver.all)
    func aFloodKeepsNobodyFromStopping(_ driver: Driver) throws {
        let server = try driver.startWithDatagrams()
        let address = server.addresses[0]
        let flood = Thread {
            guard let client = try? TestDatagramClient(address) else { return }
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<60_000 {
                let bytes = (0..<8).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                client.send(bytes)
            }
        }
        flood.start()
        // The other sockets are served meanwhile.
        let client = try TestDatagramClient(server.addresses[2])
        for _ in 0..<20 { #expect(client.ask("hello") == "hello") }
        #expect(server.process.stop() == 0)
    }

    @Test(arguments: [Architecture.fork, .prefork])
    func aReceiverThatDiesIsReplaced(_ architecture: Architecture) throws {
        let server = try Driver(architecture: architecture).startWithDatagrams()
        let client = try TestDatagramClient(server.addresses[0], seconds: 1)
        let pid = try #require(client.ask("pid").flatMap { pid_t($0) })
        #expect(pid != server.process.process.processIdentifier)
        kill(pid, SIGKILL)
        var answer: String?
        for _ in 0..<10 where answer == nil { answer = client.ask("pid") }
        #expect(answer != nil && answer != "\(pid)")
        #expect(server.process.stop() == 0)
    }
}
