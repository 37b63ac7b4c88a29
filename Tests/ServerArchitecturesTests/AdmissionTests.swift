import CReactorSystem
import ConnectionHandling
import Foundation
import Glibc
import Reactor
import ServerArchitectures
import TestSupport
import Testing

/// How many are let in, and what happens when there is no room for more.
@Suite(.timeLimit(.minutes(40))) struct AdmissionTests {
    /// A client that is being served: its first byte was answered.
    private func served(_ address: SocketAddress) throws -> TestClient {
        let client = try TestClient(address)
        client.send("y")
        #expect(client.receive(count: 2) == "y;")
        return client
    }

    private func isAnswered(_ client: TestClient, within milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: client.fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    @Test(arguments: Driver.concurrent)
    func onePastTheLimitWaitsUntilOneLeaves(_ driver: Driver) throws {
        let server = try driver.start("max=3")
        for address in server.addresses {
            var clients = try (0..<3).map { _ in try served(address) }
            let next = try TestClient(address)
            next.send("y")
            #expect(!isAnswered(next, within: 300), "the fourth waits")
            clients[0].send("z")
            #expect(clients[0].receive(count: 2) == "z;", "the others are served")
            clients.removeFirst().endOutput()
            #expect(next.receive(count: 2) == "y;")
        }
        #expect(server.stop() == 0)
    }

    @Test(arguments: Driver.concurrent)
    func onePastThePeersLimitIsRefused(_ driver: Driver) throws {
        let server = try driver.start("per-peer=2")
        for address in server.addresses.prefix(2) {
            var clients = try (0..<2).map { _ in try served(address) }
            let next = try TestClient(address)
            next.send("y")
            #expect(next.receiveToEnd().text == "")
            clients[0].send("z")
            #expect(clients[0].receive(count: 2) == "z;", "the others are served")
            clients[0].send("q")
            #expect(clients.removeFirst().receiveToEnd().text == "bye;")
            // Its place is free as soon as the server has noticed.
            let isServed = (0..<500).contains { _ in
                guard let client = try? TestClient(address) else { return false }
                client.send("y")
                if client.receive(count: 2) == "y;" { return true }
                usleep(10_000)
                return false
            }
            #expect(isServed)
        }
        // Peers on this machine's own sockets are not told apart.
        let local = try (0..<4).map { _ in try served(server.addresses[2]) }
        #expect(local.count == 4)
        #expect(server.stop() == 0)
    }

    @Test func siteNetworksCountAsOnePeer() throws {
        let admission = Admission(maxConnections: 100, maxPerPeer: 2)
        func enter(_ text: String) throws -> Bool {
            #expect(admission.reserve())
            return admission.enter(PeerKey(try SocketAddress(parsing: text)))
        }
        #expect(try enter("[2001:db8:0:1::1]:1") && enter("[2001:db8:0:1:ffff::2]:2"))
        #expect(try !enter("[2001:db8:0:1::3]:3"), "the third of one /64 network")
        #expect(try enter("[2001:db8:0:2::3]:3"))
        #expect(try enter("192.0.2.1:1") && enter("[::ffff:192.0.2.1]:1"), "a mapped address is the IPv4 peer's")
        #expect(try !enter("192.0.2.1:2"))
        #expect(try enter("192.0.2.2:2"))
        #expect(admission.connections == 6, "who is refused has no place")
        admission.leave(PeerKey(try SocketAddress(parsing: "192.0.2.1:9")))
        #expect(try enter("192.0.2.1:3"))
    }

    // MARK: No descriptors

    /// Only where one process serves many connections can they use up its descriptors.
    static let exhaustible = [
        Driver(architecture: .reactor), Driver(architecture: .reactor, loops: 2), Driver(architecture: .thread),
    ]

    @Test(arguments: exhaustible)
    func serviceResumesWhenDescriptorsAreFreeAgain(_ driver: Driver) throws {
        _ = creactor_raise_descriptor_limit()
        let server = try driver.start("descriptors=40")
        let address = server.addresses[0]
        let inService = try served(address)
        let before = try cpuTime(server)
        let crowd = try (0..<1_000).map { _ in try TestClient(address) }
        for _ in 0..<10 {
            inService.send("y")
            #expect(inService.receive(count: 2) == "y;", "those in service go on")
            usleep(100_000)
        }
        // After a second without a descriptor, those that wait are turned away instead of left hanging.
        let refused = crowd.suffix(100).filter { $0.receiveBytes(count: 1).isEmpty }
        #expect(refused.count == 100)
        #expect(try cpuTime(server) - before < 1.0, "waiting for descriptors does not spin")
        inService.send("z")
        #expect(inService.receive(count: 2) == "z;")
        for client in crowd { client.endOutput() }
        let isServed = (0..<200).contains { _ in
            guard let client = try? TestClient(address) else { return false }
            client.send("yq")
            if client.receiveToEnd().text == "y;bye;" { return true }
            usleep(20_000)
            return false
        }
        #expect(isServed, "service resumes by itself")
        inService.endOutput()
        #expect(server.stop() == 0)
    }

    /// Seconds of processor time that the server has used.
    private func cpuTime(_ server: ServerProcess) throws -> Double {
        let path = "/proc/\(server.process.processIdentifier)/stat"
        let fields = try String(contentsOfFile: path, encoding: .utf8).split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = try fields[11...12].map { try #require(Double($0)) }
        return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
