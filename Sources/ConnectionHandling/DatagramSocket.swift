/// A datagram socket as its handler sees it: what to send, and what to decide.
///
/// As with ``Connection``, nothing here performs anything: datagrams are gathered while the handler runs, and sent in
/// batches when it returns. Valid only inside the handler's calls.
public struct DatagramSocket: ~Copyable {
    /// Where it is bound, with the port that the system chose.
    public let localAddress: SocketAddress
    /// Whom it is connected to: it receives from no other.
    public let peer: SocketAddress?
    /// The driver's time.
    public let clock: DriverClock
    public let limits: DatagramLimits
    /// What became of its datagrams so far.
    public package(set) var statistics = DatagramStatistics()

    package var queue = DatagramQueue()
    package var decisions: Decisions = []
    package private(set) var deadline = MonotonicTime.distantFuture
    /// Until when it may still send, once it is closed.
    package private(set) var closesBy = MonotonicTime.distantFuture
    package private(set) var awaited = 0
    private var work: [AwaitedWork] = []

    package struct Decisions: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let closing = Decisions(rawValue: 1 << 0)
        package static let aborting = Decisions(rawValue: 1 << 1)
        package static let backedUp = Decisions(rawValue: 1 << 2)
        package static let stopping = Decisions(rawValue: 1 << 3)
    }

    package init(localAddress: SocketAddress, peer: SocketAddress?, clock: DriverClock, limits: DatagramLimits) {
        limits.check()
        self.localAddress = localAddress
        self.peer = peer
        self.clock = clock
        self.limits = limits
    }

    // MARK: Sending

    /// Answers a datagram: sends `payload` to whom it came from, from the address that it was sent to. The addresses are
    /// used as the system wrote them.
    ///
    /// - Returns: false if too much waits already (``DatagramLimits/maxQueuedDatagrams``): it was dropped and counted.
    @discardableResult
    public mutating func send(_ payload: RawSpan, to origin: DatagramOrigin) -> Bool {
        guard hasRoom(payload.byteCount) else { return false }
        queue.append(payload, to: origin)
        return true
    }

    /// Sends `payload` to `address`, of a family that the socket has. What the system refuses is reported to
    /// ``DatagramHandler/failed(_:on:)``.
    ///
    /// - Returns: false if too much waits already: it was dropped and counted.
    @discardableResult
    public mutating func send(_ payload: RawSpan, to address: SocketAddress) -> Bool {
        send(payload, to: DatagramOrigin(peer: address.mapped(for: localAddress)))
    }

    /// Sends `payload` to the ``peer`` of a connected socket.
    ///
    /// - Returns: false if too much waits already: it was dropped and counted.
    @discardableResult
    public mutating func send(_ payload: RawSpan) -> Bool {
        precondition(peer != nil, "a socket that is not connected needs to be told whom to send to")
        guard hasRoom(payload.byteCount) else { return false }
        queue.append(payload, to: nil)
        return true
    }

    private mutating func hasRoom(_ bytes: Int) -> Bool {
        let fits =
            !isClosed && queue.count < limits.maxQueuedDatagrams && bytes <= limits.maxQueuedBytes - queue.byteCount
        if !fits { statistics.dropped &+= 1 }
        return fits
    }

    /// The system takes no more for now. Nothing is received until all that waits is sent, and then
    /// ``DatagramHandler/drained(on:)`` is called.
    public var isBackedUp: Bool { decisions.contains(.backedUp) }

    // MARK: Ending

    public enum Closing: Sendable {
        /// Once what was sent so far has left, for ``DatagramLimits/closingTime`` at most.
        case flushing
        /// Now; what waits is dropped and counted.
        case aborting
    }

    /// Ends the socket. Nothing further is delivered.
    public mutating func close(_ closing: Closing = .flushing) {
        if !isClosing { closesBy = clock.now.advanced(by: limits.closingTime) }
        decisions.insert(.closing)
        if case .aborting = closing { decisions.insert(.aborting) }
    }

    /// The handler has closed the socket.
    public var isClosing: Bool { decisions.contains(.closing) }
    private var isClosed: Bool { decisions.contains(.aborting) }

    /// The server is stopping: finish what is in flight, then close.
    public var isStopping: Bool { decisions.contains(.stopping) }

    // MARK: Time

    /// ``DatagramHandler/deadlineExpired(on:)`` is called when this much time has passed, unless another deadline is
    /// set first. Without one, a socket waits for ever: unlike a connection it is not somebody's.
    public mutating func setDeadline(after duration: Duration) { deadline = clock.now.advanced(by: duration) }
    public mutating func clearDeadline() { deadline = .distantFuture }

    // MARK: Awaiting

    /// Has `work`, which may block, run elsewhere: ``DatagramHandler/answered(on:)`` is called when it is done. Keep the
    /// answer's box, and the ``DatagramOrigin`` if it is a reply.
    ///
    /// Datagrams do not wait for each other: any number may be awaited, and answers come in any order. At
    /// ``DatagramLimits/maxAwaited`` nothing more is received. On a reactor work runs on a pool of threads; in the
    /// blocking architectures the receiving thread runs it, and receives meanwhile nothing.
    public mutating func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) -> Awaited<Value> {
        let awaited = Awaited<Value>()
        add(.blocking { awaited.fulfil(Result(catching: work)) })
        return awaited
    }

    /// As ``perform(_:)``, for work that suspends instead of blocking.
    public mutating func await<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) -> Awaited<Value> {
        let awaited = Awaited<Value>()
        add(
            AwaitedWork.task {
                do { awaited.fulfil(.success(try await work())) } catch { awaited.fulfil(.failure(error)) }
            })
        return awaited
    }

    /// How many answers are awaited.
    public var awaitedAnswers: Int { awaited }

    private mutating func add(_ body: AwaitedWork.Body) {
        awaited += 1
        work.append(AwaitedWork(body))
    }

    package mutating func takeWork() -> AwaitedWork? { work.isEmpty ? nil : work.removeFirst() }
    package mutating func noteAnswer() { if awaited > 0 { awaited -= 1 } }
}
