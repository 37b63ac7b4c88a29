import ConnectionHandling
import Foundation
import HTTPTestSupport
import Reactor
import ReactorHTTP
import ServerArchitectures
import Synchronization
import TestSupport
import Testing

@testable import ReactorWeb

/// One hub, and connections on several loops or threads.
@Suite(.timeLimit(.minutes(40))) struct EventSocketTests {
    private static func waitUntil(_ condition: () -> Bool) -> Bool {
        for _ in 0..<10_000 {
            if condition() { return true }
            usleep(1_000)
        }
        return false
    }

    @Test(arguments: [Architecture.reactor, .thread]) func oneSourceFeedsManyConnections(_ architecture: Architecture) throws {
        var hubOptions = EventHubOptions()
        hubOptions.keepAlive = .milliseconds(20)
        let hub = EventHub(options: hubOptions)
        var options = ServerOptions()
        options.architecture = architecture
        options.loops = 2
        var router = Router()
        router.get("/events") { EventStream(hub) }
        let application = RoutedApplication(router)
        let server = try Server(options, endpoints: [Endpoint(.loopback(port: 0)) { HTTPServerHandler(application: application) }])
        try withServer(server) {
            var clients = try (0..<16).map { _ in try TestClient(server.addresses[0]) }
            for client in clients {
                client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(client.receive(count: 15) == "HTTP/1.1 200 OK")
            }
            #expect(Self.waitUntil { hub.subscriberCount == 16 })
            for number in 0..<50 { hub.publish(ServerSentEvent("number \(number);")) }
            for client in clients {
                var next = 0
                while next < 50 {
                    let line = client.receive(until: UInt8(ascii: ";"))
                    #expect(line.hasSuffix("data: number \(next);"), "\(line)")
                    if line.isEmpty { break }
                    next += 1
                }
            }
            // Those who go are found out by the comments alone.
            clients.removeLast(10)
            #expect(Self.waitUntil { hub.subscriberCount == 6 })
            hub.close()
            for client in clients {
                client.endOutput()
                #expect(client.receiveToEnd().text.hasSuffix("0\r\n\r\n"))
            }
        }
    }

    private func withServer(_ server: Server, _ body: () throws -> Void) throws {
        let ended = Ended()
        try startThread {
            try? server.run()
            ended.value.store(true, ordering: .releasing)
        }
        defer {
            server.stop()
            _ = Self.waitUntil { ended.value.load(ordering: .acquiring) }
        }
        try body()
    }
}

private final class Ended: Sendable {
    let value = Atomic(false)
}
