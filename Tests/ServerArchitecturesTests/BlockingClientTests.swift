import ConnectionHandling
import Glibc
import Reactor
import ServerArchitectures
import TestSupport
import Testing

/// Clients on a thread of their own, and the pool that threads share.
@Suite(.timeLimit(.minutes(40))) struct BlockingClientTests {
    private func client(
        _ server: ThreadedServer, limits: ConnectionLimits = .default
    ) throws -> BlockingClient<LineCaller> {
        try BlockingClient(connectingTo: server.address, limits: limits) { LineCaller() }
    }

    @Test func requestsFollowEachOtherOnOneConnection() throws {
        let server = try ThreadedServer()
        var client = try client(server)
        for index in 0..<3 {
            _ = client.withHandler { $0.ask("line \(index)", on: &$1) }
            let outcome = client.serve(until: { $0.owed == 0 }, within: .seconds(20))
            #expect(outcome == .satisfied)
            #expect(client.handler.answers.count == index + 1)
        }
        let reason = client.close()
        #expect(reason == .finished)
        #expect(client.handler.answers == ["line 0", "line 1", "line 2"], "the handler can still be read")
        let nothing: Bool? = client.withHandler { _, _ in true }
        #expect(nothing == nil)
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    @Test func servingToTheEndSaysWhyItEnded() throws {
        let server = try ThreadedServer()
        for (line, expected) in [("last", CloseReason.finished), ("vanish", .failed(errno: ECONNRESET))] {
            var client = try client(server)
            _ = client.withHandler { $0.ask(line, on: &$1) }
            let reason = client.serve()
            #expect(reason == expected)
            #expect(client.closeReason == expected)
            let again = client.serve(until: { _ in false })
            #expect(again == .closed(expected), "and says so again")
        }
    }

    @Test func waitingForAnAnswerHasADeadline() throws {
        let server = try ThreadedServer()
        var client = try client(server)
        _ = client.withHandler { $0.ask("stall", on: &$1) }
        let started = ContinuousClock.now
        let outcome = client.serve(until: { $0.owed == 0 }, within: .milliseconds(50))
        #expect(outcome == .timedOut)
        #expect(ContinuousClock.now - started >= .milliseconds(50))
        _ = client.withHandler { $0.ask("awake", on: &$1) }
        let next = client.serve(until: { $0.last == "awake" }, within: .seconds(20))
        #expect(next == .satisfied, "the connection goes on")
    }

    @Test func theDriversLimitsCount() throws {
        let server = try ThreadedServer()
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(50)
        var client = try client(server, limits: limits)
        let reason = client.serve()
        #expect(reason == .idle)
    }

    @Test func aPeerThatReadsNothingIsGivenUp() throws {
        let socket = try ListeningSocket(.loopback(port: 0))
        var limits = ConnectionLimits()
        limits.writeStall = .milliseconds(100)
        var client = try BlockingClient(connectingTo: socket.address, limits: limits) { LineCaller() }
        let line = String(repeating: "x", count: 8_000_000)
        _ = client.withHandler { $0.ask(line, on: &$1) }
        let early = client.serve(until: { $0.owed == 0 }, within: .milliseconds(20))
        #expect(early == .timedOut)
        let reason = client.serve()
        #expect(reason == .writeStalled)
    }

    @Test func theEndOfTheOutputDoesNotWaitForTheNextCall() throws {
        let socket = try ListeningSocket(.loopback(port: 0))
        var client = try BlockingClient(connectingTo: socket.address) { LineCaller() }
        _ = client.withHandler { $1.write("all"); $1.finishOutput() }
        let accepted = Descriptor(owning: accept(socket.descriptor.number, nil, nil))
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(recv(accepted.number, &bytes, bytes.count, 0) == 3)
        var entry = pollfd(fd: accepted.number, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 5_000) == 1 && recv(accepted.number, &bytes, bytes.count, 0) == 0)
        #expect(client.closeReason == nil)
    }

    @Test func aDroppedClientIsAborted() throws {
        let server = try ThreadedServer()
        let counter = LiveCounter()
        do {
            let client = try BlockingClient(connectingTo: server.address) { LineCaller(countedBy: counter) }
            #expect(client.closeReason == nil && counter.alive == 1)
        }
        #expect(counter.alive == 0)
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    @Test func aRefusalIsASystemError() throws {
        let socket = try ListeningSocket(.loopback(port: 0))
        let address = socket.address
        _ = consume socket
        let error = #expect(throws: SystemError.self) { _ = try BlockingClient(connectingTo: address) { LineCaller() } }
        #expect(error?.errno == ECONNREFUSED && error?.address == address)
    }

    /// A listener whose queue is full answers nobody.
    @Test(arguments: [true, false])
    func connectingHasADeadline(_ isUnix: Bool) throws {
        var options = ListenOptions()
        options.backlog = 0
        let address: SocketAddress = isUnix ? .unix(path: "\0blocking-client-\(getpid())") : .loopback(port: 0)
        let socket = try ListeningSocket(address, options)
        let bound = socket.address
        var filling: [ConnectionFiller] = []
        for _ in 0..<4 { filling.append(try ConnectionFiller(bound)) }
        let started = ContinuousClock.now
        let error = #expect(throws: SystemError.self) {
            _ = try BlockingClient(connectingTo: bound, options: ConnectOptions(timeout: .milliseconds(100))) { LineCaller() }
        }
        #expect(error?.errno == ETIMEDOUT)
        #expect(ContinuousClock.now - started < .seconds(10))
        _ = consume socket
        _ = filling
    }

    private final class ConnectionFiller {
        private let socket: ConnectingSocket
        init(_ address: SocketAddress) throws {
            socket = try ConnectingSocket(address, .default)
            _ = socket.connect()
        }
    }
}
