import CLibev
import ConnectionHandling
import Glibc
import ReactorWire

/// The reactor's driver for one stream connection: performs on a non-blocking socket what its ``Conversation`` decides.
final class StreamConnection: LoopSocket {
    /// All that changes, at an address that stays: libev needs one for its watchers, and Swift checks each access to a
    /// class's own properties for overlap at run time, which here was a quarter of the work for a request. Nothing of it is
    /// given a shorter name: to read through an accessor copies the conversation, into memory that is allocated for that.
    private struct State: ~Copyable {
        var watchers = SocketWatchers()
        var conversation: Conversation
        // Here, where the conversation ends in odd bytes: every idle connection has one of these.
        var phase = Phase.open
        var outputShutDown = false
        var inputAtEnd = false
        var inTurn = false
        /// The loop's buffer is in the place of the layer's wire.
        var wireIsLent = false
        /// While others in their handshake come before it: how often it was found readable. Otherwise 0.
        var turnWaits: UInt8 = 0
        /// Since when output waits without the peer taking any of it, or a lingering close waits for the peer's end.
        var waitingSince = MonotonicTime.distantFuture
    }

    /// Its place among the connections of a listener, given back at the end.
    struct Place {
        let admission: Admission
        let peer: PeerKey
    }

    private let state: UnsafeMutablePointer<State>
    private let fd: CInt
    private let place: Place?

    private enum Phase: UInt8 { case open, lingering, closed }

    /// Answers that a connection may get at once, because their work did not suspend: more pipelined requests than these wait
    /// for the next turn.
    private static let answersPerTurn = 64

    /// A connection that waits for its handshake's turn goes on being watched until it was found readable so often: most have
    /// their turn before, and the two system calls that it takes to stop and start are saved.
    private static let watchedWaits: UInt8 = 8

    /// Rounds of writing and being called back for more that one connection may have in a turn.
    private static let writeRounds = 16

    /// Takes over `fd`, connected and non-blocking. ``start()`` comes next.
    init(
        loop: EventLoop, fd: CInt, peer: SocketAddress, handler: HandlerBox, limits: ResolvedLimits, place: Place? = nil
    ) {
        self.fd = fd
        self.place = place
        // With the alignment said, it comes from malloc(3); the typed call takes the slower posix_memalign(3).
        state = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<State>.size, alignment: MemoryLayout<State>.alignment
        ).bindMemory(to: State.self, capacity: 1)
        state.initialize(
            to: State(
                conversation: Conversation(
                    handler: handler, peer: peer, clock: loop.clock, limits: limits, descriptor: fd)))
        super.init(loop: loop)
        loop.own(self)
        loop.connectionsChanged(by: 1)

        state.pointee.watchers.setUp(fd, for: self)
    }

    /// The handler is told of the connection, and of nothing more.
    func closesAtStart() { state.pointee.conversation.connection.close() }

    /// Tells the handler that the connection is there.
    func start() {
        turn { $0.start() }
        if !loop.isShuttingDown { return }
        // Later: stopping reads, and the loop's buffer may be lent to the handler that has made this connection.
        let (loop, identity) = (loop, identity)
        loop.after(.zero) { [unowned loop] in (loop.owned(identity) as? StreamConnection)?.stop() }
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    // MARK: Events

    override func ready(_ events: CInt) {
        if events & clibev_write != 0 { turn { _ in } }
        if events & clibev_read == 0 || state.pointee.phase == .closed { return }
        if state.pointee.turnWaits > 0 {
            waitOn()
        } else if state.pointee.conversation.connection.isPlain {
            // While it runs nobody lets the loop go: to count it for each request would be for nothing.
            unownedLoop._withUnsafeGuaranteedRef { _ = read(on: $0) }
        } else if !state.pointee.conversation.isHandshaking || loop.takeHandshakeTurn() {
            read()
        } else {
            state.pointee.turnWaits = 1
            loop.awaitHandshakeTurn(identity)
        }
    }

    private func waitOn() {
        if state.pointee.turnWaits == Self.watchedWaits { return }
        state.pointee.turnWaits += 1
        if state.pointee.turnWaits == Self.watchedWaits { updateInterest(on: loop) }
    }

    /// What it had to read in its handshake was put off until now.
    func handshakeTurnComes() {
        state.pointee.turnWaits = 0
        if state.pointee.phase == .lingering || mayRead { read() }
        if state.pointee.phase != .closed { updateInterest(on: loop) }
    }

    /// Whether there was something to read already.
    func readEarly() -> Bool {
        state.pointee.phase == .open && mayRead && (!state.pointee.conversation.isHandshaking || loop.takeHandshakeTurn()) && read()
    }

    @discardableResult
    private func read() -> Bool { read(on: loop) }

    private func read(on loop: EventLoop) -> Bool {
        let count = state.pointee.conversation.connection.readSome(from: fd, into: loop.readBuffer, flags: 0)
        if count > 0 {
            if state.pointee.phase == .lingering { return true }
            let lent = UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count])
            turn(on: loop) { $0.receive(RawSpan(_unsafeBytes: lent)) }
        } else if count == 0 {
            state.pointee.inputAtEnd = true
            if state.pointee.phase == .lingering { close(.finished) } else { turn { $0.receiveEndOfInput() } }
        } else if count != -Int(EAGAIN) && count != -Int(EINTR) {
            close(state.pointee.phase == .lingering ? .finished : .failed(errno: CInt(-count)))
        }
        return count >= 0
    }

    override func timerFired() {
        state.pointee.watchers.timerHasFired()
        let now = loop.clock.now
        if stallDeadline <= now { return close(state.pointee.phase == .lingering ? .finished : .writeStalled) }
        let isDue = state.pointee.phase == .open && state.pointee.conversation.deadline <= now
        if isDue { turn { $0.expire() } } else { armTimer(on: loop) }
    }

    /// The awaited answer is there.
    func answered() { if state.pointee.phase == .open { turn { $0.answer() } } }

    /// The server is stopping. What had arrived by now was sent to a server that still accepted it: it is served first.
    func stop() {
        if state.pointee.phase == .open && mayRead { read() }
        if state.pointee.phase == .open { turn { $0.stop() } }
    }

    override func end() { close(.stopped) }

    // MARK: From others on the loop

    var isInTurn: Bool { state.pointee.inTurn }
    /// Nothing more can be asked of the handler.
    var isEnding: Bool { state.pointee.phase != .open || state.pointee.conversation.connection.isClosing }

    func withHandler<Handler: ConnectionHandler & ~Copyable, Result>(
        in box: TypedHandlerBox<Handler>, _ body: (inout Handler, inout Connection) -> Result
    ) -> Result? {
        precondition(!isInTurn, "a handler is not called from within its own calls")
        var result: Result?
        turn { result = $0.withHandler(in: box, body) }
        return result
    }

    // MARK: A turn

    /// Reports an event, with the loop's buffer lent for the output, then performs what was decided.
    private func turn(_ event: (inout Conversation) -> Void) { turn(on: loop, event) }

    /// - Parameter loop: its own, handed on: each look at the property counts a reference.
    private func turn(on loop: EventLoop, _ event: (inout Conversation) -> Void) {
        let borrowed = state.pointee.conversation.connection.output.isEmpty
        if borrowed { swap(&state.pointee.conversation.connection.output, &loop.scratch.pointee) }
        if !state.pointee.conversation.connection.isPlain { lendWire() }
        state.pointee.inTurn = true
        event(&state.pointee.conversation)
        let outcome = flush(on: loop)
        state.pointee.inTurn = false
        let isAtRest = state.pointee.conversation.isAtRest
        if !isAtRest { takeWireBack() }
        if borrowed {
            state.pointee.conversation.connection.output.giveBack(to: &loop.scratch.pointee, atMost: 16 * EventLoop.scratchCapacity)
        } else if state.pointee.conversation.connection.output.isEmpty {
            // What an idle connection holds is multiplied by thousands.
            state.pointee.conversation.connection.output.removeAll()
        }
        if let outcome { return close(outcome) }
        if state.pointee.phase == .lingering { return }
        if !isAtRest && !state.pointee.conversation.connection.hasOutput {
            if state.pointee.conversation.isFinished { return finish() }
            if state.pointee.conversation.connection.isOutputFinished { shutDownOutput() }
        }
        updateInterest(on: loop, isAtRest: isAtRest)
        armTimer(on: loop)
    }

    /// Writes what there is, and lets the handler go on as room appears. Returns a reason if the connection is over.
    private func flush(on loop: EventLoop) -> CloseReason? {
        var rounds = Self.writeRounds
        var answers = 0
        while true {
            let isUneventful = state.pointee.conversation.isUneventful
            if !isUneventful {
                if state.pointee.conversation.connection.isAborting { return .aborted }
                if let violation = state.pointee.conversation.violation { return violation }
                if let work = state.pointee.conversation.connection.takeWork(), loop.perform(work, for: identity) {
                    if answers < Self.answersPerTurn {
                        answers += 1
                        state.pointee.conversation.answer()
                        continue
                    }
                    let (loop, identity) = (loop, identity)
                    loop.after(.zero) { [unowned loop] in (loop.owned(identity) as? StreamConnection)?.answered() }
                }
            }
            let hasOutput =
                isUneventful
                ? !state.pointee.conversation.connection.output.isEmpty : state.pointee.conversation.connection.hasWritableOutput
            if !hasOutput {
                state.pointee.waitingSince = .distantFuture
                return nil
            }
            // What is left now waits for write interest.
            if rounds == 0 { return nil }
            rounds -= 1
            if !isUneventful { lendWire() }
            let step = state.pointee.conversation.connection.writeSome(to: fd, flags: 0)
            if step.written >= 0 {
                state.pointee.waitingSince = loop.clock.now
                state.pointee.conversation.wrote()
                if step.written < step.offered { rounds = 0 }
            } else if step.written == -Int(EAGAIN) {
                if state.pointee.waitingSince == .distantFuture { state.pointee.waitingSince = loop.clock.now }
                rounds = 0
            } else if step.written != -Int(EINTR) {
                return .failed(errno: CInt(-step.written))
            }
        }
    }

    /// What a layer seals for a peer that takes it at once needs no buffer of its own.
    private func lendWire() {
        guard let layer = state.pointee.conversation.connection.layer, !layer.wire.hasStorage, !state.pointee.wireIsLent else { return }
        if !loop.wireScratch.pointee.hasStorage { loop.wireScratch.pointee = ByteQueue(capacity: EventLoop.wireCapacity) }
        swap(&layer.wire, &loop.wireScratch.pointee)
        state.pointee.wireIsLent = true
    }

    private func takeWireBack() {
        guard let layer = state.pointee.conversation.connection.layer else { return }
        if state.pointee.wireIsLent {
            state.pointee.wireIsLent = false
            // In the middle of something long it is kept: copying it each time would cost as much as sealing it.
            if layer.wire.count > EventLoop.wireCapacity / 4 { return }
            layer.wire.giveBack(to: &loop.wireScratch.pointee, atMost: 4 * EventLoop.wireCapacity)
        } else if layer.wire.isEmpty {
            layer.wire.removeAll()
        }
    }

    private var mayRead: Bool { state.pointee.conversation.wantsInput && !state.pointee.inputAtEnd }

    private func updateInterest(on loop: EventLoop, isAtRest: Bool = false) {
        var events: CInt = 0
        if state.pointee.turnWaits < Self.watchedWaits && (isAtRest || state.pointee.phase == .lingering || mayRead) {
            events |= clibev_read
        }
        if !isAtRest && state.pointee.conversation.connection.hasWritableOutput { events |= clibev_write }
        state.pointee.watchers.wait(for: events, on: loop)
    }

    // MARK: Time

    private var stallDeadline: MonotonicTime {
        if state.pointee.waitingSince == .distantFuture { return .distantFuture }
        let limits = state.pointee.conversation.connection.limits
        return state.pointee.waitingSince.advanced(
            byNanoseconds: state.pointee.phase == .lingering ? limits.lingerNanoseconds : limits.writeStallNanoseconds)
    }

    private func armTimer(on loop: EventLoop) {
        var next = state.pointee.phase == .lingering ? .distantFuture : state.pointee.conversation.deadline
        if state.pointee.waitingSince != .distantFuture { next = min(next, stallDeadline) }
        state.pointee.watchers.wake(by: next, on: loop)
    }

    // MARK: Ending

    private func shutDownOutput() {
        if state.pointee.outputShutDown { return }
        state.pointee.outputShutDown = true
        shutdown(fd, CInt(SHUT_WR))
    }

    /// All output is written and the handler is done.
    private func finish() {
        let lingers = state.pointee.conversation.connection.isLingering && !state.pointee.inputAtEnd
        if !lingers { return close(.finished) }
        state.pointee.phase = .lingering
        state.pointee.waitingSince = loop.clock.now
        shutDownOutput()
        updateInterest(on: loop)
        armTimer(on: loop)
    }

    private func close(_ reason: CloseReason) {
        if state.pointee.phase == .closed { return }
        state.pointee.phase = .closed
        state.pointee.watchers.stop(on: loop)
        if state.pointee.conversation.mustReset(reason) { resetOnClose(fd) }
        Glibc.close(fd)
        state.pointee.conversation.close(reason)
        if let place { place.admission.leave(place.peer) }
        let loop = loop
        loop.disown(self)
        loop.connectionsChanged(by: -1)
    }
}

/// Makes close(2) send a reset at once and drop what is unsent.
package func resetOnClose(_ fd: CInt) {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
}

extension ByteQueue {
    /// Returns a loop's storage to it, unless it has grown out of proportion. What the peer did not take moves to storage of
    /// its own.
    fileprivate mutating func giveBack(to owner: inout ByteQueue, atMost limit: Int) {
        var lent = ByteQueue()
        swap(&self, &lent)
        if !lent.isEmpty {
            self = ByteQueue(capacity: lent.count)
            append(lent.bytes)
        }
        lent.removeAll(keepingCapacity: lent.capacityInUse <= limit)
        swap(&owner, &lent)
    }
}
