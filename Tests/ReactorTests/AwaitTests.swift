import ConnectionHandling
import Glibc
import Reactor
import ReactorWire
import Synchronization
import TestSupport
import Testing

/// `Connection.await` on a loop: where it runs, how soon it answers, what becomes of it.
@Suite(.timeLimit(.minutes(40))) struct AwaitTests {
    /// What a handler's tasks have seen.
    final class Seen: Sendable {
        let threads = Mutex<Set<UInt>>([])
        let cancelled = Atomic(0)
        let turns = Mutex<[UInt64]>([])
    }

    /// Each byte asks for something: `n` an answer at once, `s` one that suspends, `z` one that comes never.
    private struct Asking: ConnectionHandler {
        let seen: Seen
        var answer: Awaited<UInt8>?

        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            if bytes.byteCount == 0 || connection.isAwaiting { return 0 }
            let (byte, seen) = (bytes[0], seen)
            answer = connection.await {
                _ = seen.threads.withLock { $0.insert(UInt(pthread_self())) }
                if byte == UInt8(ascii: "s") { await Task.yield() }
                if byte == UInt8(ascii: "z") {
                    do { try await Task.sleep(for: .seconds(600)) } catch { seen.cancelled.add(1, ordering: .relaxed) }
                }
                _ = seen.threads.withLock { $0.insert(UInt(pthread_self())) }
                return byte
            }
            return 1
        }

        mutating func answered(on connection: inout Connection) {
            guard case .success(let byte)? = answer?.take() else { return connection.close(.aborting) }
            let text: [UInt8] = [byte]
            connection.write(text.span.bytes)
        }
    }

    @Test(arguments: ["n", "s", "nnnsnsn", String(repeating: "n", count: 1_000), String(repeating: "s", count: 200)])
    func everyAnswerComesInOrderAndOnTheLoop(_ input: String) throws {
        let loop = try EventLoop()
        let seen = Seen()
        let listener = try loop.listen(on: .loopback(port: 0)) { Asking(seen: seen) }
        let done = Mutex<String?>(nil)
        let address = listener.address
        try startThread {
            let client = try? TestClient(address)
            client?.send(input)
            let answer = client?.receive(count: input.utf8.count) ?? "none"
            done.withLock { $0 = answer }
        }
        loop.run { done.withLock { $0 != nil } }
        #expect(done.withLock { $0 } == input)
        #expect(seen.threads.withLock { $0 } == [UInt(pthread_self())])
    }

    /// A connection that ends takes its task along.
    @Test func theTaskOfAConnectionThatIsGoneIsCancelled() throws {
        let loop = try EventLoop()
        let seen = Seen()
        let listener = try loop.listen(on: .loopback(port: 0)) { Asking(seen: seen) }
        let client = try TestClient(listener.address)
        client.send("z")
        loop.run { seen.threads.withLock { !$0.isEmpty } }
        loop.shutDown(within: .milliseconds(1))
        loop.run()
        loop.run { seen.cancelled.load(ordering: .relaxed) == 1 }
        #expect(seen.cancelled.load(ordering: .relaxed) == 1)
    }

    /// One that pipelines endlessly leaves the others their turn.
    @Test func pipelinedAnswersDoNotStarveOthers() throws {
        let loop = try EventLoop()
        let seen = Seen()
        let listener = try loop.listen(on: .loopback(port: 0)) { Asking(seen: seen) }
        let client = try TestClient(listener.address)
        client.send(String(repeating: "n", count: 1_000))
        let before = loop.statistics.turns
        loop.run { client.waiting >= 1_000 }
        // At most 64 a turn.
        #expect(loop.statistics.turns - before >= 1_000 / 64)
    }
}

extension TestClient {
    /// Bytes that have come and were not read.
    fileprivate var waiting: Int {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        return recv(fd, &buffer, buffer.count, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT))
    }
}
