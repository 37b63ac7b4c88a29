public import ReactorWire

/// One end of a connection as its handler sees it: where to write, and what to decide.
///
/// Nothing here performs anything. A handler's writes and decisions are gathered while it runs, and its driver carries
/// them out when the handler returns: all output in one write. Valid only inside the handler's calls.
public struct Connection: ~Copyable {
    /// What to write. Append to it; the driver writes it once the handler returns.
    public var output = ByteQueue()
    /// Who is at the other end.
    public package(set) var peer: SocketAddress
    /// The driver's time.
    public let clock: DriverClock

    package let limits: ResolvedLimits
    package var extras: ConnectionExtras?
    /// The driver's socket, for questions to the system; -1 where there is none.
    package let descriptor: CInt
    private let inPlace = InPlace()
    package var decisions: Decisions = []
    package private(set) var deadline = MonotonicTime.distantFuture
    /// What is awaited, until the answer is there.
    package private(set) var work: AwaitedWork?

    /// What the handler has decided, and what the driver has told it; one bit each.
    package struct Decisions: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let closing = Decisions(rawValue: 1 << 0)
        package static let lingering = Decisions(rawValue: 1 << 1)
        package static let aborting = Decisions(rawValue: 1 << 2)
        package static let outputFinished = Decisions(rawValue: 1 << 3)
        package static let readingPaused = Decisions(rawValue: 1 << 4)
        package static let awaiting = Decisions(rawValue: 1 << 5)
        package static let inputEnded = Decisions(rawValue: 1 << 6)
        package static let stopping = Decisions(rawValue: 1 << 7)
        package static let midMessage = Decisions(rawValue: 1 << 8)
        package static let corked = Decisions(rawValue: 1 << 9)
        /// A layer was given, and has yet to get the input that is kept for it.
        package static let layerGiven = Decisions(rawValue: 1 << 10)
        /// Another handler was given, and has yet to take over.
        package static let handedOver = Decisions(rawValue: 1 << 11)
        /// The driver has begun what is awaited.
        package static let workTaken = Decisions(rawValue: 1 << 12)

        /// What keeps input from the handler.
        package static let holds: Decisions = [.closing, .readingPaused, .awaiting, .layerGiven, .handedOver]
    }

    package init(peer: SocketAddress, clock: DriverClock, limits: ResolvedLimits, descriptor: CInt) {
        self.peer = peer
        self.descriptor = descriptor
        self.clock = clock
        self.limits = limits
    }

    // MARK: Writing

    /// Writes a copy of `bytes` when the handler returns.
    @inlinable public mutating func write(_ bytes: RawSpan) { output.append(bytes) }
    /// Writes the UTF-8 of a literal when the handler returns.
    @inlinable public mutating func write(_ text: StaticString) { output.append(text) }
    /// Writes the UTF-8 of `text` when the handler returns.
    @_disfavoredOverload @inlinable public mutating func write(_ text: String) { output.append(text) }

    /// So much output waits that more should be written only after ``ConnectionHandler/drained(on:)``. Input is not
    /// delivered meanwhile; a handler that works through pipelined requests stops between two of them.
    ///
    /// A file that waits counts as that much: it takes no memory, but what is written behind it would.
    public var isBackedUp: Bool {
        if let extras { return isBackedUp(with: extras) }
        return output.count >= limits.values.highWatermark
    }

    /// Apart, since the others ask several times for each request.
    @inline(never) private func isBackedUp(with extras: ConnectionExtras) -> Bool {
        extras.segments.fileCount > 0 || queuedOutput >= limits.values.highWatermark
    }

    // MARK: Reading

    /// Stops the delivery of input until ``resumeReading()``.
    public mutating func pauseReading() { decisions.insert(.readingPaused) }
    public mutating func resumeReading() { decisions.remove(.readingPaused) }
    public var isReadingPaused: Bool { decisions.contains(.readingPaused) }

    /// Set it while a message is being received in pieces that are consumed as they come: the peer must then keep
    /// ``ConnectionLimits/minReceiveRate``. Where part of a message is left unconsumed, that is so without it.
    public var isMidMessage: Bool {
        get { decisions.contains(.midMessage) }
        set { if newValue { decisions.insert(.midMessage) } else { decisions.remove(.midMessage) } }
    }

    /// The peer has ended its side and every byte of it has been offered.
    public var inputHasEnded: Bool { decisions.contains(.inputEnded) }

    // MARK: Ending

    /// How a connection is closed.
    public enum Closing: Sendable {
        /// Once the output is written.
        case flushing
        /// Once the output is written and the peer has ended its side or ``ConnectionLimits/linger`` has passed; what
        /// it sends meanwhile is thrown away. For a refusal while input is still on its way: closing at once would
        /// reset the connection and could destroy the refusal before the peer has read it (RFC 9112 section 9.6).
        case lingering
        /// Now, with a reset; output is dropped.
        case aborting
    }

    /// Ends the connection. No further input is delivered.
    public mutating func close(_ closing: Closing = .flushing) {
        decisions.insert(.closing)
        switch closing {
        case .flushing: break
        case .lingering: decisions.insert(.lingering)
        case .aborting: decisions.insert(.aborting)
        }
    }

    /// The handler has closed the connection.
    public var isClosing: Bool { decisions.contains(.closing) }

    // For drivers, which ask in another module: the set's own calls would be made unspecialised there.
    package var isAborting: Bool { decisions.contains(.aborting) }
    package var isLingering: Bool { decisions.contains(.lingering) }
    package var isOutputFinished: Bool { decisions.contains(.outputFinished) }

    /// Half-close: nothing will be written behind what is waiting, and the peer is told so. Input goes on. Once the
    /// peer has ended its side too, the connection is closed.
    public mutating func finishOutput() { decisions.insert(.outputFinished) }

    /// The server is stopping: finish what is in flight, then close.
    public var isStopping: Bool { decisions.contains(.stopping) }

    // MARK: Time

    /// ``ConnectionHandler/deadlineExpired(on:)`` is called when this much time has passed, unless another deadline is
    /// set first. While an answer is awaited the blocking architectures report it only once the answer is there.
    public mutating func setDeadline(after duration: Duration) { deadline = clock.now.advanced(by: duration) }
    /// As ``setDeadline(after:)``, for protocols that set one with each request.
    public mutating func setDeadline(afterNanoseconds nanoseconds: UInt64) {
        deadline = clock.now.advanced(byNanoseconds: nanoseconds)
    }
    /// Back to the driver's own limit, ``ConnectionLimits/idle``.
    public mutating func clearDeadline() { deadline = .distantFuture }

    // MARK: Awaiting

    /// Has `work`, which may block, run elsewhere: ``ConnectionHandler/answered(on:)`` is called when it is done. No
    /// input is delivered until then. On a reactor it runs on a pool of threads; in the blocking architectures the
    /// connection's own thread runs it.
    ///
    /// One answer at a time: asking while ``isAwaiting`` is a mistake in the handler and traps.
    public mutating func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) -> Awaited<Value> {
        let awaited = Awaited<Value>()
        hold(for: .blocking { awaited.fulfil(Result(catching: work)) })
        return awaited
    }

    /// As ``perform(_:)``, for work that suspends instead of blocking: a task. On a reactor it runs on the loop's own
    /// thread, begins when the handler returns, and if it doesn't suspend ``ConnectionHandler/answered(on:)`` is called at
    /// once. Work that blocks, or computes for long, holds up the whole loop: ``perform(_:)`` is for that. In the blocking
    /// architectures it runs on the connection's thread.
    ///
    /// If the connection ends first, the task is cancelled.
    public mutating func await<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) -> Awaited<Value> {
        let awaited = Awaited<Value>()
        hold(
            for: AwaitedWork.task {
                do { awaited.fulfil(.success(try await work())) } catch { awaited.fulfil(.failure(error)) }
            })
        return awaited
    }

    /// Has a step of something longer taken: ``AwaitedWork/finish()`` ends it.
    package mutating func awaitStep(_ begin: @escaping @Sendable (AwaitedWork, any TaskStarter) -> Void) {
        hold(for: .suspending(begin))
    }

    /// An answer is awaited.
    public var isAwaiting: Bool { decisions.contains(.awaiting) }

    private mutating func hold(for body: AwaitedWork.Body) {
        precondition(!isAwaiting, "a connection awaits one answer at a time")
        decisions.insert(.awaiting)
        work = AwaitedWork(body)
    }

    package mutating func takeWork() -> AwaitedWork? {
        guard let work, decisions.insert(.workTaken).inserted else { return nil }
        return work
    }

    /// What was awaited is there.
    mutating func noteAnswer() {
        decisions.subtract([.awaiting, .workTaken])
        work = nil
    }
}
