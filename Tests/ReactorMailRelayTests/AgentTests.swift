import ConnectionHandling
import Foundation
import Logging
import Reactor
@testable import ReactorSMTP
import ReactorWire
import ReactorTesting
import Synchronization
import Testing

/// The agent and a next hop on one loop, over real sockets.
@Suite(.timeLimit(.minutes(15))) struct AgentTests {
    private let directory: TemporaryDirectory
    private let spool: Spool
    private let loop: EventLoop

    init() throws {
        directory = try TemporaryDirectory()
        spool = try Spool(directory: directory.spool)
        loop = try EventLoop()
    }

    private static let content = Array("Subject: x\r\n\r\n.body \u{E9}\r\n".utf8)

    @discardableResult
    private func commit(_ recipients: [String] = ["b@b.test"]) throws -> QueueID {
        let envelope = Envelope(id: .random(), sender: "a@a.test", recipients: recipients, body: .eightBitMIME, received: 1_700_000_000 + 3_600)
        try spool.commit(envelope, Self.content)
        return envelope.id
    }

    /// Old messages expire, so tests that have them deferred say how long ago is too long.
    private var limits: DeliveryLimits {
        var limits = DeliveryLimits()
        limits.firstReconnect = .milliseconds(10)
        limits.lastReconnect = .milliseconds(20)
        limits.poll = .seconds(3_600)  // What wakes the agent must be something else.
        limits.lifetime = .seconds(Int64(1) << 40)
        return limits
    }

    private func agent(to address: SocketAddress, limits: DeliveryLimits? = nil) throws -> DeliveryAgent {
        let agent = try DeliveryAgent(
            spool: spool, nextHop: NextHop(address), hostname: "relay.test", loop: loop, limits: limits ?? self.limits,
            logger: quietLogger)
        agent.start()
        return agent
    }

    private func serve(
        _ store: MemoryStore, on address: SocketAddress = .loopback(port: 0), relay: RelayPolicy = .local
    ) throws -> Listener {
        let server = SMTPServer(hostname: "mx.test", store: store, relay: relay, logger: quietLogger)
        return try loop.listen(on: address) { SMTPServerHandler(server) }
    }

    /// Runs the loop until `condition` holds; a failure if that takes ten seconds.
    private func run(until condition: @escaping () throws -> Bool) {
        let check = loop.every(.milliseconds(5)) { [loop] in
            if (try? condition()) == true { loop.stop() }
        }
        let guardian = loop.after(.seconds(10)) { [loop] in
            Issue.record("nothing happened for ten seconds")
            loop.stop()
        }
        loop.run()
        check.cancel()
        guardian.cancel()
    }

    /// A port on which nobody listens.
    private func freeAddress() throws -> SocketAddress {
        let listener = try serve(MemoryStore())
        listener.stop()
        return listener.address
    }

    private func finish(_ agent: DeliveryAgent) {
        agent.stop()
        loop.shutDown(within: .milliseconds(100))
        loop.run()
        // The tests' callbacks hold the loop.
        loop.close()
    }

    @Test func nextHopDownFirstThenUp() throws {
        try commit(["b@b.test", "c@c.test"])
        let address = try freeAddress()
        let agent = try agent(to: address)
        let store = MemoryStore()
        var listener: Listener?
        loop.after(.milliseconds(100)) {
            let waiting = try? self.spool.list()
            #expect(waiting?.count == 1)
            #expect(waiting?.first?.attempts == 0, "an absent next hop is not the message's fault")
            listener = try? self.serve(store, on: address)
        }
        run { try self.spool.list().isEmpty }
        #expect(listener != nil)
        #expect(store.messages.count == 1)
        #expect(store.messages.first?.envelope.recipients == ["b@b.test", "c@c.test"])
        #expect(store.messages.first?.envelope.body == .eightBitMIME)
        #expect(store.messages.first.map { Array($0.content.suffix(Self.content.count)) } == Self.content)
        finish(agent)
    }

    @Test func committedWhileItRuns() throws {
        let store = MemoryStore()
        let agent = try agent(to: try serve(store).address)
        let spool = spool
        for thread in 0..<4 {
            DispatchQueue.global().async {
                for number in 0..<25 {
                    let envelope = Envelope(id: .random(), sender: "", recipients: ["r\(thread).\(number)@b.test"], received: 1_000)
                    do { try spool.commit(envelope, Self.content) } catch { Issue.record(error) }
                }
            }
        }
        run { store.messages.count >= 100 }
        run { try spool.list().isEmpty }
        #expect(Set(store.messages.map(\.envelope.recipients)).count == 100)
        #expect(store.messages.count == 100, "each of them once")
        finish(agent)
    }

    @Test func connectionsAreLimited() throws {
        for _ in 0..<50 { try commit() }
        let store = MemoryStore()
        var limits = limits
        limits.connections = 3
        let address = try serve(store).address
        let agent = try agent(to: address, limits: limits)
        var most = 0
        loop.every(.milliseconds(1)) { [loop] in most = max(most, loop.statistics.openConnections) }
        run { try self.spool.list().isEmpty }
        #expect(store.messages.count == 50)
        // Each has two ends in this loop.
        #expect(most <= 6)
        #expect(loop.statistics.acceptedConnections <= 10, "connections are used again")
        finish(agent)
    }

    @Test func temporaryRefusal() throws {
        let id = try commit()
        let agent = try agent(to: try serve(MemoryStore(failing: .failed("broken"))).address)
        run { try self.spool.list().first?.attempts == 1 }
        let listed = try #require(try spool.list().first)
        #expect(listed.id == id.text && listed.state == .waiting)
        #expect(listed.lastError?.hasPrefix("451 4.3.0") == true)
        let now = loop.clock.unixSeconds
        let next = try #require(try spool.nextAttempt(after: 0))
        #expect((now + 3...now + 6).contains(next), "five seconds, give or take a fifth")
        finish(agent)
    }

    /// Greets, and closes with 421 at MAIL.
    private struct Busy: ConnectionHandler {
        mutating func connected(on connection: inout Connection) { connection.write("220 hi\r\n") }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            connection.write(bytes.text.hasPrefix("EHLO ") ? "250-x\r\n250 8BITMIME\r\n" : "421 too busy\r\n")
            return bytes.byteCount
        }
    }

    @Test func aNextHopThatGreetsAndThenRefusesIsLeftAloneForLonger() throws {
        for _ in 0..<40 { try commit() }
        var times: [MonotonicTime] = []
        let listener = try loop.listen(on: SocketAddress.loopback(port: 0)) { [loop] in
            times.append(loop.clock.now)
            return Busy()
        }
        var limits = limits
        limits.connections = 3
        limits.lastReconnect = .seconds(10)
        let agent = try agent(to: listener.address, limits: limits)
        run { times.count >= 3 + 6 }
        // One at a time, behind delays of 10, 20, 40, 80, 160 and 320 ms, each a fifth less at most.
        #expect(times[3].nanoseconds(until: times[8]) >= 480_000_000)
        finish(agent)
    }

    /// Takes two recipients a transaction.
    private struct TwoAtATime: ConnectionHandler {
        let took: () -> Void
        var recipients = 0
        mutating func connected(on connection: inout Connection) { connection.write("220 hi\r\n") }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            switch bytes.text {
            case let text where text.hasPrefix("RCPT "):
                recipients += 1
                connection.write(recipients > 2 ? "452 4.5.3 too many\r\n" : "250 ok\r\n")
            case "DATA\r\n":
                connection.write("354 go\r\n")
            case let text:
                if text.utf8.suffix(5).elementsEqual("\r\n.\r\n".utf8) { took() }
                recipients = 0
                connection.write(text.hasPrefix("EHLO ") ? "250-x\r\n250 8BITMIME\r\n" : "250 ok\r\n")
            }
            return bytes.byteCount
        }
    }

    @Test func recipientsPastTheNextHopsLimitFollowAtOnce() throws {
        try commit((1...7).map { "r\($0)@b.test" })
        var taken = 0
        let listener = try loop.listen(on: SocketAddress.loopback(port: 0)) { TwoAtATime { taken += 1 } }
        var limits = limits
        limits.firstRetry = .seconds(3_600)
        let agent = try agent(to: listener.address, limits: limits)
        run { try self.spool.list().isEmpty }
        #expect(taken == 4)
        finish(agent)
    }

    @Test func deferredMessagesAreTriedAgainInTime() throws {
        try commit()
        let address = try freeAddress()
        let failing = try serve(MemoryStore(failing: .failed("broken")), on: address)
        var limits = limits
        limits.firstRetry = .seconds(1)
        let agent = try agent(to: address, limits: limits)
        run { try self.spool.list().first?.attempts == 1 }
        failing.stop()
        let store = MemoryStore()
        let listener = try serve(store, on: address)
        run { try self.spool.list().isEmpty }
        #expect(store.messages.count == 1)
        listener.stop()
        finish(agent)
    }

    @Test func permanentRefusal() throws {
        let id = try commit()
        let agent = try agent(to: try serve(MemoryStore(), relay: RelayPolicy(allowed: [])).address)
        run { try self.spool.list().first?.state == .failed }
        let listed = try #require(try spool.list().first)
        #expect(listed.id == id.text && listed.nextAttempt == nil)
        #expect(listed.recipients.first?.lastReply == "554 5.7.1 relaying denied")
        finish(agent)
    }

    @Test func tooOldToWaitOn() throws {
        try commit()
        var limits = limits
        limits.lifetime = .seconds(86_400)
        let agent = try agent(to: try serve(MemoryStore(failing: .failed("broken"))).address, limits: limits)
        run { try self.spool.list().first?.state == .failed }
        #expect(try spool.list().first?.lastError?.hasPrefix("not delivered in time: 451") == true)
        finish(agent)
    }

    @Test func aDamagedMessageDoesNotStopTheOthers() throws {
        let damaged = try commit()
        try commit()
        try spool.use { database throws(Database.Failure) in try database.run("DELETE FROM content WHERE message = 1") }
        let store = MemoryStore()
        let agent = try agent(to: try serve(store).address)
        run { try self.spool.list().count == 1 }
        #expect(store.messages.count == 1)
        let listed = try #require(try spool.list().first)
        #expect(listed.id == damaged.text && listed.state == .failed)
        finish(agent)
    }

    /// Commits when as many wait as were asked for, so that so many deliveries are under way together.
    private final class GatheringStore: MessageStore {
        let kept = MemoryStore()
        private let arrivals: Int
        private let arrived = DispatchSemaphore(value: 0)
        private let count = Mutex(0)

        init(_ arrivals: Int) { self.arrivals = arrivals }

        func commit(_ envelope: Envelope, _ content: [UInt8]) throws(MessageStoreError) {
            let isLast = count.withLock { count in
                count += 1
                return count == arrivals
            }
            if isLast { for _ in 0..<arrivals { arrived.signal() } }
            _ = arrived.wait(timeout: .now() + 5)
            arrived.signal()  // Whoever comes later waits for nobody.
            try kept.commit(envelope, content)
        }
    }

    @Test func outcomesThatCannotBeWrittenDownHoldDeliveriesBackAndAreNotSentTwice() throws {
        for recipient in 1...5 { try commit(["r\(recipient)@b.test"]) }
        // The first message's outcome is not taken, the others' are.
        try spool.use { database throws(Database.Failure) in
            try database.script(
                "CREATE TRIGGER stuck BEFORE DELETE ON message WHEN old.number = 1 BEGIN SELECT RAISE(ABORT, 'no'); END")
        }
        let server = SMTPServer(hostname: "mx.test", store: GatheringStore(2), logger: quietLogger)
        let listener = try loop.listen(on: SocketAddress.loopback(port: 0)) { SMTPServerHandler(server) }
        var limits = limits
        limits.connections = 2
        limits.poll = .milliseconds(10)
        let agent = try agent(to: listener.address, limits: limits)
        let store = server.store.kept
        run { try self.spool.list().count <= 4 }
        loop.after(.milliseconds(100)) { [loop] in loop.stop() }  // Some polls.
        loop.run()
        #expect(store.messages.filter { $0.envelope.recipients == ["r1@b.test"] }.count == 1)
        #expect(try spool.list().contains { $0.recipients[0].address == "r1@b.test" })
        #expect(store.messages.count <= 3, "what was under way, and no more")
        try spool.use { database throws(Database.Failure) in try database.script("DROP TRIGGER stuck") }
        run { try self.spool.list().isEmpty }
        #expect(store.messages.map(\.envelope.recipients[0]).sorted() == (1...5).map { "r\($0)@b.test" }, "each once")
        finish(agent)
    }

    @Test func aSpoolThatCannotBeReadForAWhileStrandsNothing() throws {
        try commit()
        func rename(_ from: String, _ to: String) throws {
            try spool.use { database throws(Database.Failure) in
                try database.script("PRAGMA legacy_alter_table = ON; ALTER TABLE \(from) RENAME TO \(to)")
            }
        }
        try rename("content", "hidden")
        let store = MemoryStore()
        var limits = limits
        limits.poll = .milliseconds(10)
        let agent = try agent(to: try serve(store).address, limits: limits)
        run { self.loop.statistics.acceptedConnections > 2 }
        let listed = try #require(try spool.list().first)
        #expect(listed.state == .waiting && listed.attempts == 0 && listed.lastError == nil)
        try rename("hidden", "content")
        run { try self.spool.list().isEmpty }
        #expect(store.messages.count == 1)
        finish(agent)
    }

    @Test func oneAgentASpool() throws {
        let address = try freeAddress()
        let first = try agent(to: address)
        #expect(throws: SpoolError.agentRunning(directory: spool.directory)) { try agent(to: address) }
        #expect(throws: SpoolError.agentRunning(directory: spool.directory)) { try DeliveryAgent.requireNone(on: spool) }
        finish(first)
    }

    /// Says nothing once the content is there.
    private struct Silent: ConnectionHandler {
        let reached: () -> Void
        mutating func connected(on connection: inout Connection) { connection.write("220 hi\r\n") }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            let text = bytes.text
            switch text {
            case "DATA\r\n": connection.write("354 go\r\n")
            case _ where text.hasPrefix("EHLO "): connection.write("250-x\r\n250 8BITMIME\r\n")
            case _ where text.utf8.suffix(5).elementsEqual("\r\n.\r\n".utf8): reached()
            default: connection.write("250 ok\r\n")
            }
            return bytes.byteCount
        }
        mutating func stopping(on connection: inout Connection) {}
    }

    @Test func stoppedInTheMidst() throws {
        try commit()
        var reached = false
        let listener = try loop.listen(on: SocketAddress.loopback(port: 0)) { Silent { reached = true } }
        let agent = try agent(to: listener.address)
        run { reached }
        finish(agent)
        let listed = try #require(try spool.list().first)
        #expect(listed.state == .waiting && listed.attempts == 0, "due at once when the next agent starts")
    }

    @Test func aConnectionLostBeforeTheVerdictDefers() throws {
        try commit()
        var reached = 0
        let loop = loop
        struct Dropping: ConnectionHandler {
            var silent: Silent
            let dropped: () -> Bool
            mutating func connected(on connection: inout Connection) { silent.connected(on: &connection) }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
                let used = silent.received(bytes, on: &connection)
                if dropped() { connection.close(.aborting) }
                return used
            }
        }
        let listener = try loop.listen(on: SocketAddress.loopback(port: 0)) {
            let before = reached
            return Dropping(silent: Silent { reached += 1 }, dropped: { reached > before })
        }
        let agent = try agent(to: listener.address)
        run { try self.spool.list().first?.attempts == 1 }
        #expect(reached == 1)
        #expect(try spool.list().first?.state == .waiting)
        finish(agent)
    }

    @Test func runsOnALoopOfItsOwn() throws {
        try commit()
        let store = MemoryStore()
        let address = try serve(store).address
        let stop = try CommitSignal(directory: directory.path)
        let done = DispatchSemaphore(value: 0)
        let (spool, limits) = (spool, limits)
        Thread.detachNewThread {
            #expect(throws: Never.self) {
                try DeliveryAgent.run(
                    spool: spool, nextHop: NextHop(address), hostname: "relay.test", until: stop.descriptor,
                    limits: limits, logger: quietLogger)
            }
            done.signal()
        }
        run { try self.spool.list().isEmpty }
        stop.signal()
        #expect(done.wait(timeout: .now() + 60) == .success)
        loop.close()
        try DeliveryAgent.requireNone(on: spool)
    }

    @Test func aNameIsLookedUp() throws {
        try commit()
        let store = MemoryStore()
        let port = try #require(try serve(store).address.port)
        let agent = try DeliveryAgent(
            spool: spool, nextHop: NextHop(parsing: "LOCALHOST:\(port)"), hostname: "relay.test", loop: loop,
            limits: limits, logger: quietLogger)
        agent.start()
        run { try self.spool.list().isEmpty }
        #expect(store.messages.count == 1)
        finish(agent)
    }
}

@Suite struct NextHopTests {
    @Test("next hops", arguments: ["mail.example:25", "127.0.0.1:2525", "[::1]:25", "a_b:1", "unix:/run/x", "localhost:25"])
    func good(_ text: String) throws { #expect(try NextHop(parsing: text).description == text) }

    @Test("no next hops", arguments: [
        "", ":25", "mail.example", "mail.example:", "mail.example:0", "127.0.0.1:0", "mail.example:65536", "mail example:25",
        "*:25", "::1:25", "mail.example:+5", "1.2.3:25", "1.2.3.256:25", "[::1:25", "unix:", "a\r\nb:25",
    ])
    func bad(_ text: String) {
        #expect(throws: NextHopError.self) { try NextHop(parsing: text) }
    }
}

@Suite struct BackoffTests {
    @Test func doublesToItsEnd() {
        var random = SeededGenerator(seed: 1)
        let backoff = Backoff(first: .seconds(5), last: .seconds(3_600))
        for (failures, seconds) in [(0, 5), (1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (1_000, 3_600), (Int.max, 3_600)] {
            for _ in 0..<100 {
                let delay = backoff.delay(after: failures, using: &random)
                #expect(delay >= .seconds(seconds) * 0.8 && delay <= .seconds(seconds) * 1.2)
            }
        }
    }
}
