import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor
import ReactorWire

/// The driver of the architectures that give each connection a thread of control: it performs, with blocking calls,
/// what the ``Conversation`` decides.
///
/// Deadlines ride on the socket's own receive time-out, so that a request costs one call to read and one to write, as in
/// any server of this kind; only where the peer is slow to take its output does it ask the system to wait. The word to
/// stop interrupts a blocked call by a signal (``Interruption``).
struct BlockingConnection: ~Copyable {
    private let fd: CInt
    private let clock: DriverClock
    /// Nil for a client: no server stops it.
    private let stopSignal: StopSignal?
    private let handler: HandlerBox
    private var conversation: Conversation
    private var buffer: UnsafeMutableRawBufferPointer
    /// What SO_RCVTIMEO is set to, in nanoseconds; 0 for none.
    private var receiveTimeout: UInt64 = 0
    private var interruptionsSeen: UInt32
    private var stopSeen = false
    /// Since when output waits without the peer taking any of it.
    private var stalledSince = MonotonicTime.distantFuture
    private var inputAtEnd = false
    private var outputShutDown = false
    private var hasStarted = false
    /// The peer's window is full: room must be waited for.
    private var outputIsStuck = false
    /// When to return to the caller although the connection goes on.
    private var pauseAt = MonotonicTime.distantFuture
    /// Why the connection is over.
    private(set) var closeReason: CloseReason?
    private var sendTimeIsLimited = false
    /// Made for the first answer that is awaited.
    private var executor: ThreadBoundExecutor?

    /// Takes over `fd`, connected and blocking; it is closed when the connection ends.
    init(fd: CInt, peer: SocketAddress, handler: HandlerBox, limits: ResolvedLimits, stopSignal: StopSignal?) {
        self.fd = fd
        self.handler = handler
        self.stopSignal = stopSignal
        clock = DriverClock(now: MonotonicTime(nanoseconds: creactor_monotonic_ns()), unixSeconds: Int64(time(nil)))
        conversation = Conversation(handler: handler, peer: peer, clock: clock, limits: limits, descriptor: fd)
        buffer = .allocate(byteCount: 64 * 1024, alignment: 16)
        // One behind, so that the first look asks whether the server has stopped already.
        interruptionsSeen = creactor_interruptions() &- 1
    }

    deinit {
        buffer.deallocate()
        if closeReason != nil { return }
        resetOnClose(fd)
        close(fd)
        conversation.connection.work?.cancel()
        handler.closed(.aborted)
        executor?.finish()
    }

    /// Serves to the end.
    @discardableResult
    mutating func serve() -> CloseReason {
        while true {
            if case .closed(let reason) = serve(until: { false }, within: nil) { return reason }
        }
    }

    /// How far serving went.
    enum Progress {
        case closed(CloseReason)
        case paused
    }

    /// Serves until `isDone`, which is asked before each wait, or until the time has passed.
    mutating func serve(until isDone: () -> Bool, within time: Duration?) -> Progress {
        if let closeReason { return .closed(closeReason) }
        refreshClock()
        outputIsStuck = false
        pauseAt = time.map { clock.now.advanced(by: $0) } ?? .distantFuture
        if !hasStarted {
            hasStarted = true
            conversation.start()
        }
        guard let reason = converse(until: isDone) else { return .paused }
        return .closed(end(reason))
    }

    /// Performs what has been decided, and waits for nothing.
    mutating func perform() { _ = serve(until: { false }, within: .zero) }

    /// Somebody other than the peer has something to say to the handler.
    mutating func withHandler<Handler: ConnectionHandler & ~Copyable, Result>(
        in box: TypedHandlerBox<Handler>, _ body: (inout Handler, inout Connection) -> Result
    ) -> Result? {
        if closeReason != nil || conversation.connection.isClosing { return nil }
        refreshClock()
        let result = conversation.withHandler(in: box, body)
        perform()
        return result
    }

    private mutating func end(_ reason: CloseReason) -> CloseReason {
        if conversation.mustReset(reason) { resetOnClose(fd) }
        close(fd)
        let told = conversation.close(reason)
        closeReason = told
        executor?.finish()
        return told
    }

    private mutating func run(_ work: AwaitedWork) {
        let executor = executor ?? ThreadBoundExecutor()
        self.executor = executor
        executor.run(work)
    }

    /// Decisions first, input when there are none left to perform. Returns why the connection is over; nil if it is the
    /// caller's turn.
    private mutating func converse(until isDone: () -> Bool) -> CloseReason? {
        while true {
            if conversation.connection.isAborting { return .aborted }
            if let violation = conversation.violation { return violation }
            if let stopSignal, stopSignal.isCutOff { return .stopped }
            if stopIsDue {
                if let failure = stop() { return failure }
            } else if conversation.connection.hasWritableOutput && !outputIsStuck {
                if let failure = write() { return failure }
            } else if !outputIsStuck, let work = conversation.connection.takeWork() {
                run(work)
                refreshClock()
                // Before the answer, so that a handler can say in its reply that the server stops.
                if stopIsDue { conversation.stop() }
                conversation.answer()
                if conversation.deadline <= clock.now { conversation.expire() }
            } else if mustShutDownOutput {
                shutDownOutput()
            } else if isDone() {
                return nil
            } else if conversation.isFinished && !outputIsStuck {
                return finish()
            } else if pauseAt <= clock.now {
                return nil
            } else if outputIsStuck {
                if let failure = waitForRoom() { return failure }
            } else {
                if let failure = wait() { return failure }
            }
        }
    }

    // MARK: Performing

    /// Tells the handler that the server stops. What had arrived by now was sent to a server that still accepted it: it
    /// is served first.
    private mutating func stop() -> CloseReason? {
        if conversation.wantsInput && !inputAtEnd, let failure = receive(CInt(MSG_DONTWAIT)) { return failure }
        conversation.stop()
        return nil
    }

    /// Writes some of the output, as far as the peer takes it. Returns a reason if the connection is over.
    private mutating func write() -> CloseReason? {
        if conversation.connection.nextIsSentFile { limitSendTime() }
        let written = conversation.connection.writeSome(to: fd, flags: CInt(MSG_DONTWAIT)).written
        // None, where a layer had nothing left to say.
        if written >= 0 {
            stalledSince = .distantFuture
            if conversation.connection.output.isEmpty { conversation.connection.output.removeAll(keepingCapacity: true) }
            conversation.wrote()
            return nil
        }
        if written == -Int(EINTR) { return nil }
        if written != -Int(EAGAIN) { return .failed(errno: CInt(-written)) }
        outputIsStuck = true
        refreshClock()
        return nil
    }

    /// Waits until the peer takes some of the output. Returns a reason if the connection is over.
    private mutating func waitForRoom() -> CloseReason? {
        outputIsStuck = false
        if stalledSince == .distantFuture { stalledSince = clock.now }
        let end = stalledSince.advanced(byNanoseconds: conversation.connection.limits.writeStallNanoseconds)
        if end <= clock.now { return .writeStalled }
        if conversation.deadline <= clock.now {
            conversation.expire()
            return nil
        }
        var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        poll(&entry, 1, milliseconds(until: min(end, conversation.deadline, pauseAt)))
        refreshClock()
        return nil
    }

    /// Reads what comes next, or waits where the handler wants no input. Returns a reason if the connection is over.
    private mutating func wait() -> CloseReason? {
        if conversation.deadline <= clock.now {
            conversation.expire()
            return nil
        }
        let next = min(conversation.deadline, pauseAt)
        let remaining = clock.now.nanoseconds(until: next)
        guard conversation.wantsInput && !inputAtEnd else {
            poll(nil, 0, milliseconds(until: next))
            refreshClock()
            return nil
        }
        // A time-out that comes early is set again then: a deadline that moves away with every request costs no call.
        if receiveTimeout == 0 || remaining < receiveTimeout {
            receiveTimeout = remaining
            setReceiveTimeout(remaining)
        }
        return receive(0)
    }

    private mutating func receive(_ flags: CInt) -> CloseReason? {
        let count = conversation.connection.readSome(from: fd, into: buffer, flags: flags)
        refreshClock()
        if count > 0 {
            conversation.receive(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count])))
        } else if count == 0 {
            inputAtEnd = true
            conversation.receiveEndOfInput()
        } else if count == -Int(EAGAIN) {
            receiveTimeout = 0
        } else if count != -Int(EINTR) {
            return .failed(errno: CInt(-count))
        }
        return nil
    }

    /// Asked only after a signal has interrupted the process, so that no request pays for it.
    private var stopIsDue: Bool {
        mutating get {
            if stopSeen { return false }
            let interruptions = creactor_interruptions()
            if interruptions == interruptionsSeen { return false }
            interruptionsSeen = interruptions
            stopSeen = stopSignal?.isSent ?? false
            return stopSeen
        }
    }

    private mutating func finish() -> CloseReason {
        guard conversation.connection.isLingering, !inputAtEnd else { return .finished }
        shutDownOutput()
        let limits = conversation.connection.limits
        let end = clock.now.advanced(byNanoseconds: limits.lingerNanoseconds)
        while clock.now < end && !(stopSignal?.isCutOff ?? false) {
            setReceiveTimeout(clock.now.nanoseconds(until: end))
            let count = recv(fd, buffer.baseAddress, buffer.count, 0)
            if count == 0 || (count < 0 && errno != EINTR) { break }
            refreshClock()
        }
        return .finished
    }

    /// Half-close, and all that was to be said before it has been written.
    private var mustShutDownOutput: Bool {
        conversation.connection.isOutputFinished && !outputShutDown && !outputIsStuck
            && !conversation.connection.hasOutput
    }

    private mutating func shutDownOutput() {
        if outputShutDown { return }
        outputShutDown = true
        shutdown(fd, CInt(SHUT_WR))
    }

    // MARK: Time

    private func refreshClock() {
        clock.now = MonotonicTime(nanoseconds: creactor_monotonic_ns())
        clock.unixSeconds = Int64(time(nil))
    }

    /// For poll(2): a second at most, rounded up so that it does not wake just before the moment.
    private func milliseconds(until moment: MonotonicTime) -> CInt {
        CInt(min(clock.now.nanoseconds(until: moment) / 1_000_000 + 1, 1_000))
    }

    /// sendfile(2) waits on a blocking socket, and knows no flag against it: it comes back this often.
    private mutating func limitSendTime() {
        if sendTimeIsLimited { return }
        sendTimeIsLimited = true
        var value = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, socklen_t(MemoryLayout<timeval>.size))
    }

    private func setReceiveTimeout(_ nanoseconds: UInt64) {
        // Zero would mean for ever.
        let microseconds = max(min(nanoseconds, 1 << 60) / 1_000, 1)
        var value = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, socklen_t(MemoryLayout<timeval>.size))
    }
}

/// The signal that interrupts blocked calls when a server stops. A signal that comes just before the call does not
/// interrupt it, so whoever stops sends it again and again until the connections have ended.
///
/// SIGURG, as in Go's runtime: it is ignored by default, programs expect stray ones, and nobody else needs it.
enum Interruption {
    static let signal = SIGURG
    /// How often it is sent, in milliseconds.
    static let interval: CInt = 50

    static func enable() throws(SystemError) {
        let result = creactor_interrupt_on(signal)
        if result < 0 { throw SystemError("handle SIGURG", errno: -result) }
    }
}
