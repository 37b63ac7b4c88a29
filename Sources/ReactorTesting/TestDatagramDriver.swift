public import ConnectionHandling
import ReactorWire

/// Drives one datagram handler with no socket and a clock that moves only when told: ``TestDriver`` for datagrams.
///
/// ```swift
/// let driver = TestDatagramDriver(Echo())
/// driver.receive("hello", from: .loopback(port: 40_000))
/// #expect(driver.takeSent().map(\.text) == ["hello"])
/// ```
public final class TestDatagramDriver {
    private var conversation: DatagramConversation
    private let clock: TestClock
    private let local: SocketAddress
    private var written: [Sent] = []
    /// Datagrams that the imagined system still takes; nil for any number.
    private var window: Int?

    /// A datagram that the handler sent.
    public struct Sent: Equatable, Sendable {
        public let payload: [UInt8]
        /// Nil where the socket is connected, and it went to its peer.
        public let destination: SocketAddress?

        public init(_ payload: [UInt8], to destination: SocketAddress?) {
            self.payload = payload
            self.destination = destination
        }

        public var text: String { String(decoding: payload, as: UTF8.self) }
    }

    /// Why the socket closed; nil while it is open.
    public private(set) var closed: CloseReason?

    /// - Parameter peer: whom the socket is connected to, if it is.
    public init<Handler: DatagramHandler & ~Copyable>(
        _ handler: consuming Handler, localAddress: SocketAddress = .loopback(port: 7), peer: SocketAddress? = nil,
        limits: DatagramLimits = .default, unixSeconds: Int64 = 784_111_777
    ) {
        clock = TestClock(unixSeconds: unixSeconds)
        local = localAddress
        conversation = DatagramConversation(
            handler: TypedDatagramHandlerBox(handler), localAddress: localAddress, peer: peer, clock: clock.clock, limits: limits)
        conversation.start()
        settle()
    }

    // MARK: Events

    /// A datagram arrives, unless the handler is held up: a real one would wait in the system's buffer, or be lost.
    ///
    /// - Parameters:
    ///   - localAddress: where it was sent to; by default where the socket is bound.
    ///   - segment: the system has joined datagrams of this many bytes each; 0 for a single one.
    ///   - lost: bytes at its end that the system had no room for.
    /// - Returns: whether it was delivered.
    @discardableResult
    public func receive(
        _ payload: [UInt8], from peer: SocketAddress = .loopback(port: 40_000), to localAddress: SocketAddress? = nil,
        segment: Int = 0, lost: Int = 0
    ) -> Bool {
        guard wantsInput else { return false }
        var origin = DatagramOrigin(peer: peer, local: localAddress ?? local)
        origin.fullLength = payload.count + lost
        conversation.receive(payload.span.bytes, segment: segment, from: &origin)
        settle()
        return true
    }

    @discardableResult
    public func receive(_ text: String, from peer: SocketAddress = .loopback(port: 40_000)) -> Bool {
        receive(Array(text.utf8), from: peer)
    }

    /// What was sent to `destination` did not arrive, as its host or one on the way says.
    public func fail(errno: Int32, destination: SocketAddress?, icmp: ICMPError? = nil) {
        guard closed == nil else { return }
        conversation.fail(DatagramFailure(errno: errno, destination: destination, icmp: icmp))
        settle()
    }

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

    /// Lets the imagined system take only `datagrams` more; nil lifts the restriction.
    public func setWindow(_ datagrams: Int?) {
        window = datagrams
        if closed == nil { settle() }
    }

    /// The imagined system refuses the next datagram that waits, for good.
    public func refuse(errno: Int32) {
        guard closed == nil, !conversation.socket.queue.isEmpty else { return }
        conversation.refused(errno: errno)
        settle()
    }

    /// What a host says of a port that nobody listens on (RFC 792, RFC 4443).
    public static func portUnreachable(from host: SocketAddress) -> ICMPError {
        if case .ipv6 = host { return ICMPError(isIPv6: true, type: 1, code: 4, sender: host) }
        return ICMPError(isIPv6: false, type: 3, code: 3, sender: host)
    }

    // MARK: What came out

    /// The datagrams sent since the last call.
    public func takeSent() -> [Sent] {
        defer { written.removeAll() }
        return written
    }

    public var wantsInput: Bool { closed == nil && conversation.wantsInput }
    public var statistics: DatagramStatistics { conversation.socket.statistics }

    // MARK: The driver's part

    private func settle() {
        while closed == nil {
            flush()
            if let work = conversation.socket.takeWork() {
                ThreadBoundExecutor().run(work)
                conversation.answer()
            } else if let outcome = conversation.outcome {
                closed = outcome
                conversation.close(outcome)
            } else if conversation.socket.isBackedUp && conversation.socket.queue.isEmpty {
                conversation.drain()
            } else {
                return
            }
        }
    }

    private func flush() {
        while let next = conversation.socket.queue.first, closed == nil {
            if window == 0 { return conversation.backUp() }
            window = window.map { $0 - 1 }
            written.append(Sent(next.payload, to: next.destination))
            conversation.sent(1)
        }
    }
}
