import ConnectionHandling
import Foundation
import Glibc
import ServerArchitectures
import TestSupport
import Testing

/// A driver of the contract: an architecture, and for the reactor a number of loops.
struct Driver: CustomTestStringConvertible, Sendable {
    let architecture: Architecture
    var loops = 1

    static let all =
        [Driver(architecture: .reactor), Driver(architecture: .reactor, loops: 2)]
        + Architecture.allCases.filter { $0 != .reactor }.map { Driver(architecture: $0) }

    static let concurrent = all.filter { $0.architecture != .iterative }

    var testDescription: String { loops > 1 ? "\(architecture.rawValue) ×\(loops)" : architecture.rawValue }

    func start(_ settings: String...) throws -> ServerProcess {
        try ServerProcess("contract-server", [architecture.rawValue, String(loops)] + settings, listeners: 3)
    }
}

/// The same cases for every driver, over real sockets: what a handler sees must not depend on the architecture.
@Suite(.timeLimit(.minutes(40))) struct DriverTests {
    @Test(arguments: Driver.all)
    func theContractHolds(_ driver: Driver) throws {
        let server = try driver.start()
        for address in server.addresses {
            func converse(_ input: String) throws -> String {
                let client = try TestClient(address)
                client.send(input)
                client.endOutput()
                return client.receiveToEnd().text
            }
            #expect(try converse("yz") == "y;z;end;")
            #expect(try converse("yqz") == "y;bye;", "nothing is delivered behind a close")
            #expect(try converse("aysyf") == "performed;y;awaited;y;failed;end;", "answers come in order")
            #expect(try converse("yh") == "y;half;")
            #expect(try converse("pyz") == "deadline;y;z;end;", "a paused handler gets its input later")
            #expect(try converse("") == "end;")
        }
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func deadlinesExpireWhileNothingComes(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0])
        client.send("yd")
        #expect(client.receive(count: 11) == "y;deadline;")
        client.send("z")
        #expect(client.receive(count: 2) == "z;")
        client.endOutput()
        #expect(client.receiveToEnd().text == "end;")
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func halfCloseKeepsTheOtherDirection(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0])
        client.send("h")
        #expect(client.receiveToEnd().text == "half;")
        #expect(client.send("yz"), "the server still reads")
        client.endOutput()
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func aLingeringCloseLetsTheRefusalArrive(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0])
        client.send("l")
        // More than fits into the buffers on the way: a plain close would answer it with a reset.
        client.send([UInt8](repeating: 0x79, count: 4_000_000))
        client.endOutput()
        let (text, reset) = client.receiveToEnd()
        #expect(text == "refused;")
        #expect(!reset)
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func abortingResets(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0])
        client.send("x")
        let (text, reset) = client.receiveToEnd()
        #expect(text == "")
        #expect(reset)
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func aSlowReaderGetsEveryByteInOrder(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0], receiveBuffer: 4_096)
        client.send("wz")
        usleep(100_000)
        let bytes = client.receiveBytes(count: 40_000_000)
        #expect(bytes.count == 40_000_000)
        let pattern = Array("0123456789abcdef".utf8)
        #expect(bytes.indices.allSatisfy { bytes[$0] == pattern[$0 & 15] })
        #expect(client.receive(count: 2) == "z;", "input waits behind the back-pressure")
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func peersThatResetHarmNobodyElse(_ driver: Driver) throws {
        let server = try driver.start()
        for input in ["", "y", "a", "s", "w", "p", "d", "yyyyyyyyyyyyyyyy", "h"] {
            let client = try TestClient(server.addresses[0])
            client.send(input)
            client.resetOnClose()
        }
        let client = try TestClient(server.addresses[0])
        client.send("yq")
        #expect(client.receiveToEnd().text == "y;bye;")
        #expect(server.process.isRunning)
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.concurrent)
    func connectionsAreServedAtTheSameTime(_ driver: Driver) throws {
        let server = try driver.start()
        let clients = try (0..<6).map { _ in try TestClient(server.addresses[0]) }
        for client in clients { client.send("y") }
        for client in clients { #expect(client.receive(count: 2) == "y;") }
        for client in clients.reversed() { client.send("z") }
        for client in clients.reversed() { #expect(client.receive(count: 2) == "z;") }
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.all)
    func stoppingTellsIdleConnectionsAndThenExits(_ driver: Driver) throws {
        let server = try driver.start()
        let path = server.addresses.compactMap { if case .unix(let path) = $0 { path } else { nil } }
        let client = try TestClient(server.addresses[0])
        client.send("y")
        #expect(client.receive(count: 2) == "y;")
        server.signal(SIGTERM)
        #expect(client.receiveToEnd().text == "stopping;")
        #expect(server.waitForExit() == 0)
        #expect(throws: (any Error).self) { try TestClient(server.addresses[0]) }
        #expect(path.count == 1 && !FileManager.default.fileExists(atPath: path[0]), "the Unix path is removed")
    }

    @Test(arguments: Driver.all)
    func whatWasSentBeforeTheStopIsServed(_ driver: Driver) throws {
        let server = try driver.start()
        let clients = try (0..<20).map { _ in try TestClient(server.addresses[0]) }
        for client in clients { client.send("y") }
        server.signal(SIGTERM)
        for client in clients {
            let (text, reset) = client.receiveToEnd()
            #expect(text == "y;stopping;")
            #expect(!reset)
        }
        #expect(server.waitForExit() == 0)
    }

    @Test(arguments: Driver.all)
    func aHandlerThatStreamsIsToldToStop(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0], receiveBuffer: 4_096)
        client.send("wz")
        #expect(client.receiveBytes(count: 1_000).count == 1_000)
        server.signal(SIGTERM)
        usleep(200_000)
        // Told to stop, it says so and closes: fewer than the forty million bytes, and a clean end.
        let (text, reset) = client.receiveToEnd()
        #expect(text.hasSuffix("stopping;"))
        #expect(text.utf8.count < 39_000_000)
        #expect(!reset)
        #expect(server.waitForExit() == 0)
    }

    @Test(arguments: Driver.all)
    func theGracePeriodEnds(_ driver: Driver) throws {
        let server = try driver.start()
        let client = try TestClient(server.addresses[0], receiveBuffer: 4_096)
        // A peer that never reads can't keep the server from stopping.
        client.send("w")
        usleep(100_000)
        server.signal(SIGTERM)
        let status = server.waitForExit(seconds: 10)
        #expect(status == 0)
    }

    @Test(arguments: [Architecture.fork, .prefork])
    func processesServeConnections(_ architecture: Architecture) throws {
        let server = try Driver(architecture: architecture).start()
        let clients = try (0..<3).map { _ in try TestClient(server.addresses[0]) }
        var pids: Set<String> = []
        for client in clients {
            client.send("i")
            pids.insert(client.receive(until: UInt8(ascii: ";")))
        }
        #expect(pids.count == 3, "each connection has a process of its own")
        #expect(!pids.contains("\(server.process.processIdentifier);"))
        // A worker that dies is replaced, or harms only its own connection.
        for pid in pids { kill(try #require(pid_t(pid.dropLast())), SIGKILL) }
        usleep(600_000)
        let client = try TestClient(server.addresses[0])
        client.send("yq")
        #expect(client.receiveToEnd().text == "y;bye;")
        #expect(server.stop() == 0)
    }

    @Test(arguments: [Architecture.fork, .prefork])
    func childrenDieWithTheirParent(_ architecture: Architecture) throws {
        let server = try Driver(architecture: architecture).start()
        let client = try TestClient(server.addresses[0])
        client.send("i")
        let child = try #require(pid_t(client.receive(until: UInt8(ascii: ";")).dropLast()))
        server.signal(SIGKILL)
        _ = server.waitForExit()
        _ = client.receiveToEnd()
        for _ in 0..<200 where kill(child, 0) == 0 { usleep(10_000) }
        #expect(kill(child, 0) != 0)
    }
}
