public import ConnectionHandling
import ReactorWire
import Synchronization

/// Drives one handler with no socket and a clock that moves only when told: what a protocol's tests need.
///
/// ```swift
/// let driver = TestDriver(Echo())
/// driver.receive("hello")
/// #expect(driver.takeOutput() == "hello")
/// ```
public final class TestDriver {
    private var conversation: Conversation
    private let clock: TestClock
    private var written: [UInt8] = []
    private let executor = ThreadBoundExecutor()
    /// Bytes that the imagined peer will still accept; nil for any number.
    private var window: Int?

    /// Why the connection closed; nil while it is open.
    public private(set) var closed: CloseReason?
    /// The handler closed or shut down its output, and it was all written.
    public private(set) var outputEnded = false

    /// - Parameter window: what the imagined peer accepts at first; see ``setWindow(_:)``. A handler that writes whenever
    ///   it may needs one.
    public init<Handler: ConnectionHandler & ~Copyable>(
        _ handler: consuming Handler, peer: SocketAddress = .loopback(port: 40_000),
        limits: ConnectionLimits = .default, unixSeconds: Int64 = 784_111_777, window: Int? = nil
    ) {
        self.window = window
        clock = TestClock(unixSeconds: unixSeconds)
        conversation = Conversation(
            handler: TypedHandlerBox(handler), peer: peer, clock: clock.clock, limits: ResolvedLimits(limits),
            descriptor: -1)
        conversation.start()
        settle()
    }

    // MARK: Events

    public func receive(_ bytes: [UInt8]) {
        guard closed == nil, !bytes.isEmpty else { return }
        conversation.receive(bytes.span.bytes)
        settle()
    }

    public func receive(_ text: String) { receive(Array(text.utf8)) }

    public func receiveEndOfInput() {
        guard closed == nil else { return }
        conversation.receiveEndOfInput()
        settle()
    }

    /// The connection breaks, as with a reset from the peer.
    public func reset(errno: Int32 = 104) { close(.failed(errno: errno)) }

    /// Moves the clock and delivers the deadlines that pass on the way.
    public func advance(by duration: Duration) {
        clock.advance(by: duration, next: { closed == nil ? conversation.deadline : nil }) {
            conversation.expire()
            settle()
        }
    }

    public func stop() {
        guard closed == nil else { return }
        conversation.stop()
        settle()
    }

    /// Lets the imagined peer accept only `bytes` more; nil lifts the restriction.
    public func setWindow(_ bytes: Int?) {
        window = bytes
        if closed == nil { settle() }
    }

    // MARK: What came out

    /// The output written since the last call.
    public func takeOutput() -> [UInt8] {
        defer { written.removeAll() }
        return written
    }

    public func takeOutput() -> String { String(decoding: takeOutput() as [UInt8], as: UTF8.self) }

    public var wantsInput: Bool { closed == nil && conversation.wantsInput }

    // MARK: The driver's part

    private func settle() {
        while closed == nil {
            if let violation = conversation.violation { return close(violation) }
            if conversation.connection.decisions.contains(.aborting) { return close(.aborted) }
            flush()
            // Writing calls the handler back, which may have cut the connection off.
            if conversation.violation != nil || conversation.connection.decisions.contains(.aborting) { continue }
            if let work = conversation.connection.takeWork() {
                executor.run(work)
                conversation.answer()
                continue
            }
            guard !conversation.connection.hasOutput else { return }
            if conversation.connection.decisions.contains(.outputFinished) { outputEnded = true }
            if conversation.isFinished {
                outputEnded = true
                return close(.finished)
            }
            return
        }
    }

    private func flush() {
        while conversation.connection.hasWritableOutput {
            let taken = conversation.connection.takeOutput(atMost: window ?? .max)
            if taken.isEmpty { return }
            written += taken
            if let open = window { window = open - taken.count }
            conversation.wrote()
        }
    }

    private func close(_ reason: CloseReason) {
        guard closed == nil else { return }
        closed = conversation.close(reason)
        executor.finish()
    }
}
