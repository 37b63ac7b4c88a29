import ReactorWire

/// The rules of the contract, kept in one place for every driver: a handler, its connection, and the input it has not
/// consumed. It performs nothing. A driver reports what happened by the mutating calls, then carries out what
/// ``connection`` and the properties below say.
package struct Conversation: ~Copyable {
    package var connection: Connection
    private(set) var handler: HandlerBox
    /// Nil while the handler has all that has come, and no message is incomplete: most of the time.
    var pending: PendingInput?
    var lastActivity: MonotonicTime
    var flags: Flags = []

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The handler stopped short because it was held, not for want of bytes: offer the tail again.
        static let held = Flags(rawValue: 1 << 0)
        /// The peer has ended its side, and the handler has yet to hear of it.
        static let endWaits = Flags(rawValue: 1 << 1)
        /// Output reached the high watermark; ``ConnectionHandler/drained(on:)`` is owed.
        static let backedUp = Flags(rawValue: 1 << 2)
        static let closed = Flags(rawValue: 1 << 3)
    }

    private var passed = PassedLimit.none

    /// By name alone, in a byte: every idle connection has one.
    private enum PassedLimit: UInt8 { case none, inputOverflow, outputOverflow, receivedTooSlowly, idle }

    /// A limit was passed, and the driver must cut the connection off for this reason.
    package var violation: CloseReason? {
        switch passed {
        case .none: nil
        case .inputOverflow: .inputOverflow
        case .outputOverflow: .outputOverflow
        case .receivedTooSlowly: .receivedTooSlowly
        case .idle: .idle
        }
    }

    /// - Parameter descriptor: the connection's socket, which stays the driver's; -1 where there is none.
    package init(
        handler: HandlerBox, peer: SocketAddress, clock: DriverClock, limits: ResolvedLimits, descriptor: CInt
    ) {
        connection = Connection(peer: peer, clock: clock, limits: limits, descriptor: descriptor)
        self.handler = handler
        lastActivity = clock.now
    }

    // MARK: What happened

    package mutating func start() {
        handler.connected(on: &connection)
        settle()
    }

    /// Bytes were read. They are offered at once, without a copy when nothing is left over from before.
    package mutating func receive(_ bytes: RawSpan) {
        if let pending { pending.rateBytes += bytes.byteCount }
        if let layer = connection.layer {
            open(bytes, layer)
        } else {
            lastActivity = connection.clock.now
            deliver(bytes)
        }
        settle()
    }

    package mutating func receiveEndOfInput() {
        if let layer = connection.layer, layer.failure == nil { layer.transportEnded() }
        inputEnds()
        settle()
    }

    /// Some output was written. Calls the handler back if it was waiting for room: then there may be more to write.
    package mutating func wrote() {
        lastActivity = connection.clock.now
        noticeFailure()
        guard flags.contains(.backedUp), connection.queuedOutput <= connection.limits.values.lowWatermark,
            !connection.isBackedUp
        else { return }
        flags.remove(.backedUp)
        if !connection.isClosing { handler.drained(on: &connection) }
        settle()
    }

    package mutating func answer() {
        guard connection.isAwaiting else { return }
        connection.noteAnswer()
        lastActivity = connection.clock.now
        if connection.isClosing { return }
        handler.answered(on: &connection)
        settle()
    }

    /// The moment given by ``deadline`` has come.
    package mutating func expire() {
        let now = connection.clock.now
        if handshakeDeadline <= now {
            connection.extras?.handshakeDeadline = .distantFuture
            return fail(TLSFailure(.handshakeTimedOut))
        }
        if connection.isClosing { return }
        if connection.deadline <= now {
            connection.clearDeadline()
            handler.deadlineExpired(on: &connection)
            settle()
        } else if let pending, rateDeadline <= now {
            if pending.rateBytes < connection.limits.bytesPerRateWindow { passed = .receivedTooSlowly }
            pending.measureRate(from: now)
        } else if deadline <= now {
            passed = .idle
        }
    }

    /// Somebody on the loop, not the peer, has something to say to the handler.
    package mutating func withHandler<Handler: ConnectionHandler & ~Copyable, Result>(
        in box: TypedHandlerBox<Handler>, _ body: (inout Handler, inout Connection) -> Result
    ) -> Result {
        let result = body(&box.handler, &connection)
        settle()
        return result
    }

    /// The server is stopping.
    package mutating func stop() {
        if connection.isClosing || connection.isStopping { return }
        connection.decisions.insert(.stopping)
        handler.stopping(on: &connection)
        settle()
    }

    /// Whether the socket must be reset rather than closed: the peer must not take a reply that was cut off for a whole
    /// one.
    package func mustReset(_ reason: CloseReason) -> Bool {
        switch reason {
        case .finished: false
        case .idle, .stopped: connection.hasOutput
        default: true
        }
    }

    /// The connection is gone. Returns why, as the handler was told: a failure that the driver does not see comes first.
    @discardableResult
    package mutating func close(_ reason: CloseReason) -> CloseReason {
        let reason = connection.extras?.failure.map(CloseReason.tlsFailed) ?? reason
        if flags.contains(.closed) { return reason }
        flags.insert(.closed)
        // Descriptors and files that were not sent: somebody may wait for the end of theirs.
        connection.extras = nil
        connection.work?.cancel()
        handler.closed(reason)
        return reason
    }

    // MARK: What to do next

    /// Whether the driver should read. Not while the handler is held up, and not behind the peer's end.
    package var wantsInput: Bool {
        (canDeliver || isHandshaking || isMidMessage) && !flags.contains(.endWaits) && !connection.decisions.contains(.inputEnded)
    }

    /// What drivers ask first, since each question to another module is a call, and it is so after most requests: there is
    /// nothing to perform beside plain output. The handler takes input, and neither waits for anything nor has decided
    /// anything.
    package var isUneventful: Bool { connection.isPlain && connection.decisions.isEmpty && flags.isEmpty && passed == .none }

    /// And there is no output: the next input is waited for.
    package var isAtRest: Bool { isUneventful && connection.output.isEmpty }

    /// When to call ``expire()``: the handler's deadline, or else the driver's idle limit. While an answer is awaited
    /// only the handler's own deadline counts: the silence is ours.
    package var deadline: MonotonicTime {
        // Nothing more is asked of a handler that has closed; the driver's limit on waiting output ends the connection.
        if connection.isClosing { return handshakeDeadline }
        if connection.isAwaiting { return min(connection.deadline, handshakeDeadline) }
        if connection.deadline != .distantFuture { return min(connection.deadline, rateDeadline, handshakeDeadline) }
        return min(lastActivity.advanced(byNanoseconds: connection.limits.idleNanoseconds), rateDeadline, handshakeDeadline)
    }

    private var handshakeDeadline: MonotonicTime { connection.extras?.handshakeDeadline ?? .distantFuture }

    private var rateDeadline: MonotonicTime {
        guard let pending else { return .distantFuture }
        return pending.rateSince.advanced(byNanoseconds: connection.limits.rateWindowNanoseconds)
    }

    /// Both sides have ended.
    package var isFinished: Bool {
        if connection.outputAwaitsLayer { return false }
        return connection.isClosing
            || connection.decisions.contains(.outputFinished) && connection.decisions.contains(.inputEnded)
    }

    // MARK: The rules

    private var canDeliver: Bool { connection.takesInput && !flags.contains(.backedUp) && passed == .none }

    /// Offers bytes behind what is left over from before.
    mutating func deliver(_ bytes: RawSpan) {
        if let pending, !pending.tail.isEmpty {
            pending.tail.append(bytes)
            if canDeliver { offerTail() } else { noteLeftOver() }
            return
        }
        let used = canDeliver ? handler.received(bytes, on: &connection) : 0
        precondition(used >= 0 && used <= bytes.byteCount, "a handler consumed bytes that it was not lent")
        if used < bytes.byteCount {
            needPending().tail.append(bytes.extracting(droppingFirst: used))
            noteLeftOver()
        }
    }

    mutating func inputEnds() { if !connection.inputHasEnded { flags.insert(.endWaits) } }

    private mutating func needPending() -> PendingInput {
        if let pending { return pending }
        let made = PendingInput()
        pending = made
        return made
    }

    var tailCount: Int { pending?.tail.count ?? 0 }

    private mutating func offerTail() {
        guard let pending else { return }
        flags.remove(.held)
        // Moved out for the call: a loan of a part of the object would lock the whole of it.
        var lent = ByteQueue()
        swap(&lent, &pending.tail)
        let used = handler.received(lent.bytes, on: &connection)
        lent.removeFirst(used)
        if !lent.isEmpty {
            swap(&lent, &pending.tail)
            noteLeftOver()
        }
    }

    private mutating func noteLeftOver() {
        if canDeliver {
            if tailCount > connection.limits.values.maxUnconsumedInput { passed = .inputOverflow }
        } else {
            flags.insert(.held)
        }
    }

    /// Runs until the handler has nothing more to do: left-over input first, then the end of input.
    private mutating func settle() {
        if isUneventful && pending == nil && !connection.isBackedUp { return }
        while true {
            noticeFailure()
            if connection.isClosing {
                pending = nil
                break
            }
            if connection.decisions.contains(.handedOver) {
                handOver()
                continue
            }
            if connection.decisions.contains(.layerGiven) {
                giveInputToLayer()
                continue
            }
            if !canDeliver { break }
            if flags.contains(.held) {
                offerTail()
            } else if flags.contains(.endWaits) {
                flags.remove(.endWaits)
                connection.decisions.insert(.inputEnded)
                handler.endOfInput(on: &connection)
            } else {
                break
            }
        }
        if connection.isBackedUp {
            // For good: output held back above the low watermark would never drain.
            connection.uncork()
            noteBackedUp()
        }
        if pending != nil || connection.isMidMessage { updatePending() }
    }

    /// The handler has given the connection to another, which begins with the input that is left.
    private mutating func handOver() {
        connection.decisions.subtract([.handedOver, .readingPaused, .midMessage, .corked])
        guard let successor = connection.extras?.successor else { return }
        connection.extras?.successor = nil
        connection.clearDeadline()
        handler.closed(.finished)
        handler = successor
        handler.connected(on: &connection)
        if connection.isStopping && !connection.isClosing { handler.stopping(on: &connection) }
    }

    /// A peer that owes part of a message is held to a rate, as long as the handler would take it.
    private mutating func updatePending() {
        if tailCount == 0 && !connection.isMidMessage {
            pending = nil
        } else if !canDeliver || connection.inputHasEnded {
            pending?.pauseMeasuring(at: connection.clock.now)
        } else {
            needPending().goOnMeasuring(from: connection.clock.now)
        }
    }

    private mutating func noteBackedUp() {
        if connection.queuedOutput > connection.limits.values.maxQueuedOutput && passed == .none {
            passed = .outputOverflow
        } else if flags.insert(.backedUp).inserted && !connection.isClosing {
            handler.backedUp(on: &connection)
        }
    }
}

/// The front of a message whose rest has yet to come.
final class PendingInput {
    /// What the handler was offered and did not consume.
    var tail = ByteQueue()
    /// When the measuring of the peer's rate began, as if it had never paused; `.distantFuture` while the handler is held up.
    private(set) var rateSince = MonotonicTime.distantFuture
    var rateBytes = 0
    /// Nanoseconds of the window that had passed when the measuring paused.
    private var measured: UInt64 = 0

    func measureRate(from now: MonotonicTime) {
        rateSince = now
        rateBytes = 0
    }

    /// What the handler takes is not the peer's time. What had passed of the window still is: else a handler that is held up
    /// after each piece would never see a window end.
    func pauseMeasuring(at now: MonotonicTime) {
        if rateSince == .distantFuture { return }
        measured = rateSince.nanoseconds(until: now)
        rateSince = .distantFuture
    }

    func goOnMeasuring(from now: MonotonicTime) {
        if rateSince != .distantFuture { return }
        rateSince = MonotonicTime(nanoseconds: now.nanoseconds - min(measured, now.nanoseconds))
    }
}
