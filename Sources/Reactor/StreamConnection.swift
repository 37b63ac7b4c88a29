import CLibev
import ConnectionHandling
import Glibc
import ReactorWire

/// The reactor's driver for one stream connection: performs on a non-blocking socket what its ``Conversation`` decides.
final class StreamConnection: LoopOwned {
    private var conversation: Conversation
    private let watchers: UnsafeMutablePointer<clibev_connection>
    private let fd: CInt
    /// When `watchers.timer` will fire; `.distantFuture` while it is stopped. Deadlines that move away leave it alone.
    private var timerFires = MonotonicTime.distantFuture
    /// Since when output waits without the peer taking any of it, or a lingering close waits for the peer's end.
    private var waitingSince = MonotonicTime.distantFuture
    private var phase = Phase.open
    private var outputShutDown = false
    private var inputAtEnd = false

    private enum Phase: UInt8 { case open, lingering, closed }

    /// Rounds of writing and being called back for more that one connection may have in a turn.
    private static let writeRounds = 16

    /// Takes over `fd`, connected and non-blocking, and tells the handler.
    init(loop: EventLoop, fd: CInt, peer: SocketAddress, handler: HandlerBox, limits: ResolvedLimits) {
        self.fd = fd
        conversation = Conversation(handler: handler, peer: peer, clock: loop.clock, limits: limits)
        watchers = .allocate(capacity: 1)
        super.init(loop: loop)
        loop.own(self)
        loop.connectionsChanged(by: 1)

        clibev_io_init(
            &watchers.pointee.io,
            { _, watcher, events in
                guard let data = watcher?.pointee.data else { return }
                Unmanaged<StreamConnection>.fromOpaque(data).takeUnretainedValue().ready(events)
            }, fd, 0)
        clibev_timer_init(
            &watchers.pointee.timer,
            { _, watcher, _ in
                guard let data = watcher?.pointee.data else { return }
                Unmanaged<StreamConnection>.fromOpaque(data).takeUnretainedValue().timerFired()
            }, 0, 0)
        let this = Unmanaged.passUnretained(self).toOpaque()
        watchers.pointee.io.data = this
        watchers.pointee.timer.data = this

        turn { $0.start() }
        if loop.isShuttingDown { stop() }
    }

    deinit { watchers.deallocate() }

    // MARK: Events

    private func ready(_ events: CInt) {
        if events & clibev_write != 0 { turn { _ in } }
        if events & clibev_read != 0 && phase != .closed { read() }
    }

    private func read() {
        let count = Glibc.read(fd, loop.readBuffer.baseAddress, loop.readBuffer.count)
        if count > 0 {
            if phase == .lingering { return }
            let loop = loop
            turn { $0.receive(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count]))) }
        } else if count == 0 {
            inputAtEnd = true
            if phase == .lingering { return close(.finished) }
            turn { $0.receiveEndOfInput() }
        } else if errno != EAGAIN && errno != EINTR {
            close(phase == .lingering ? .finished : .failed(errno: errno))
        }
    }

    private func timerFired() {
        timerFires = .distantFuture
        let now = loop.clock.now
        if stallDeadline <= now { return close(phase == .lingering ? .finished : .writeStalled) }
        if phase == .open && conversation.deadline <= now { turn { $0.expire() } } else { armTimer() }
    }

    /// The awaited answer is there.
    func answered() { if phase == .open { turn { $0.answer() } } }

    /// The server is stopping.
    func stop() { if phase == .open { turn { $0.stop() } } }

    override func end() { close(.stopped) }

    // MARK: A turn

    /// Reports an event, with the loop's buffer lent for the output, then performs what was decided.
    private func turn(_ event: (inout Conversation) -> Void) {
        let borrowed = conversation.connection.output.isEmpty
        if borrowed { swap(&conversation.connection.output, &loop.scratch) }
        event(&conversation)
        let outcome = flush()
        if borrowed { giveBackScratch() }
        if let outcome { return close(outcome) }
        if phase == .lingering { return }
        if conversation.connection.output.isEmpty {
            if conversation.isFinished { return finish() }
            if conversation.connection.decisions.contains(.outputFinished) { shutDownOutput() }
        }
        updateInterest()
        armTimer()
    }

    /// Writes what there is, and lets the handler go on as room appears. Returns a reason if the connection is over.
    private func flush() -> CloseReason? {
        var rounds = Self.writeRounds
        while true {
            if conversation.connection.decisions.contains(.aborting) { return .aborted }
            if let violation = conversation.violation { return violation }
            if let work = conversation.connection.takeWork() { loop.perform(work, for: identity) }
            let waiting = conversation.connection.output.count
            if waiting == 0 {
                waitingSince = .distantFuture
                return nil
            }
            // What is left now waits for write interest.
            if rounds == 0 { return nil }
            rounds -= 1
            let written = conversation.connection.output.withUnsafeBytes {
                send(fd, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if written >= 0 {
                waitingSince = loop.clock.now
                conversation.connection.output.removeFirst(written)
                conversation.wrote()
                if written < waiting { rounds = 0 }
            } else if errno == EAGAIN {
                if waitingSince == .distantFuture { waitingSince = loop.clock.now }
                rounds = 0
            } else if errno != EINTR {
                return .failed(errno: errno)
            }
        }
    }

    /// Returns the loop's buffer. What the peer did not take moves to a buffer of the connection's own.
    private func giveBackScratch() {
        var lent = ByteQueue()
        swap(&conversation.connection.output, &lent)
        if !lent.isEmpty {
            conversation.connection.output = ByteQueue(capacity: lent.count)
            conversation.connection.output.append(lent.bytes)
        }
        let oversized = lent.capacityInUse > 16 * EventLoop.scratchCapacity
        lent.removeAll(keepingCapacity: !oversized)
        swap(&loop.scratch, &lent)
    }

    private func updateInterest() {
        var events: CInt = 0
        if phase == .lingering || (conversation.wantsInput && !inputAtEnd) { events |= clibev_read }
        if !conversation.connection.output.isEmpty { events |= clibev_write }
        let active = clibev_is_active(&watchers.pointee.io) != 0
        if active && watchers.pointee.io.events & (clibev_read | clibev_write) == events { return }
        // libev tells the kernel once before it waits, and only if what was asked for has changed.
        if active { ev_io_stop(loop.ev, &watchers.pointee.io) }
        if events == 0 { return }
        clibev_io_modify(&watchers.pointee.io, events)
        ev_io_start(loop.ev, &watchers.pointee.io)
    }

    // MARK: Time

    private var stallDeadline: MonotonicTime {
        if waitingSince == .distantFuture { return .distantFuture }
        let limits = conversation.connection.limits
        return waitingSince.advanced(
            byNanoseconds: phase == .lingering ? limits.lingerNanoseconds : limits.writeStallNanoseconds)
    }

    /// Makes sure that the timer fires no later than the next deadline. One that fires early is armed again then: a
    /// deadline that moves away with every request costs no call.
    private func armTimer() {
        let next = phase == .lingering ? stallDeadline : min(conversation.deadline, stallDeadline)
        if next >= timerFires { return }
        if timerFires != .distantFuture { ev_timer_stop(loop.ev, &watchers.pointee.timer) }
        loop.updateTimeOutsideTurns()
        timerFires = next
        clibev_timer_set(&watchers.pointee.timer, Double(loop.clock.now.nanoseconds(until: next)) / 1e9, 0)
        ev_timer_start(loop.ev, &watchers.pointee.timer)
    }

    // MARK: Ending

    private func shutDownOutput() {
        if outputShutDown { return }
        outputShutDown = true
        shutdown(fd, CInt(SHUT_WR))
    }

    /// All output is written and the handler is done.
    private func finish() {
        guard conversation.connection.decisions.contains(.lingering), !inputAtEnd else { return close(.finished) }
        phase = .lingering
        waitingSince = loop.clock.now
        shutDownOutput()
        updateInterest()
        armTimer()
    }

    private func close(_ reason: CloseReason) {
        if phase == .closed { return }
        phase = .closed
        ev_io_stop(loop.ev, &watchers.pointee.io)
        ev_timer_stop(loop.ev, &watchers.pointee.timer)
        if reason != .finished && reason != .stopped { resetOnClose(fd) }
        Glibc.close(fd)
        conversation.close(reason)
        let loop = loop
        loop.disown(self)
        loop.connectionsChanged(by: -1)
    }
}

/// Makes close(2) send a reset at once, and drop what is unsent: the peer must not take a cut-off reply for a whole one.
package func resetOnClose(_ fd: CInt) {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
}
