import ConnectionHandling
import ReactorTesting
import ReactorWire
import Synchronization
import Testing

/// Awaits from the first moment on.
private struct Waiting: ConnectionHandler {
    private var awaited: Awaited<Int>?

    mutating func connected(on connection: inout Connection) {
        connection.pauseReading()
        awaited = connection.perform { 1 }
    }
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
}

@Suite struct AwaitingTests {
    /// What is awaited is begun once, whatever happens meanwhile.
    @Test func workIsTakenOnce() {
        let clock = DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 0)
        var conversation = Conversation(
            handler: TypedHandlerBox(Waiting()), peer: .loopback(port: 40_000), clock: clock, limits: ResolvedLimits(.default),
            descriptor: -1)
        conversation.start()
        let first = conversation.connection.takeWork()
        #expect(first != nil)
        conversation.receive([1, 2, 3].span.bytes)
        conversation.receiveEndOfInput()
        conversation.stop()
        let (again, isPaused) = (conversation.connection.takeWork(), conversation.connection.isReadingPaused)
        conversation.close(.finished)
        #expect(again == nil)
        #expect(isPaused)
    }
}
