import CLibev
import ConnectionHandling
import Glibc

/// The reactor's driver for one datagram socket: says when, and its ``DatagramPerformer`` performs.
final class DatagramTransport: LoopSocket {
    /// At an address that stays, as in ``StreamConnection`` and for the same reasons.
    private struct State: ~Copyable {
        var watchers = SocketWatchers()
        var performer: DatagramPerformer
        /// What the loop's statistics already count.
        var counted = DatagramStatistics()
        var inTurn = false
    }

    private let state: UnsafeMutablePointer<State>
    private let fd: CInt
    /// To remove at the end.
    private let file: SocketFile?
    private var isClosed = false

    private var performer: DatagramPerformer {
        _read { yield state.pointee.performer }
        _modify { yield &state.pointee.performer }
    }

    /// Batches received before a socket is told to stop: what waits then was sent to a server that still received. Some
    /// thousand datagrams, more than a socket's buffer holds by default.
    private static let lastBatches = 64

    /// Takes over the socket.
    init(
        loop: EventLoop, socket: consuming DatagramDescriptor, ownsPath: Bool = true, options: DatagramOptions,
        limits: DatagramLimits, handler: DatagramHandlerBox
    ) throws(SystemError) {
        let batch = try loop.datagramBatch()
        file = ownsPath ? SocketFile(socket.address) : nil
        state = .allocate(capacity: 1)
        state.initialize(
            to: State(
                performer: DatagramPerformer(
                    socket: socket, options: options, limits: limits, handler: handler, clock: loop.clock, batch: batch)))
        fd = socket.release()
        super.init(loop: loop)
        loop.own(self)
        loop.datagramSockets += 1

        state.pointee.watchers.setUp(fd, for: self)
    }

    /// Tells the handler that its socket is there.
    func start() {
        turn { $0.conversation.start() }
        if loop.isShuttingDown { stop() }
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    // MARK: Events

    override func ready(_ events: CInt) {
        // One batch a turn keeps a busy socket from starving the rest.
        turn { performer in
            if events & clibev_read != 0 && performer.conversation.wantsInput { performer.receive() }
        }
    }

    override func timerFired() {
        state.pointee.watchers.timerHasFired()
        turn { $0.conversation.expire() }
    }

    /// An awaited answer is there.
    func answered() { if !isClosed { turn { $0.conversation.answer() } } }

    /// The server is stopping.
    func stop() {
        for _ in 0..<Self.lastBatches where !isClosed && performer.conversation.wantsInput {
            var received = 0
            turn { received = $0.receive() }
            if received == 0 { break }
        }
        if !isClosed { turn { $0.conversation.stop() } }
    }

    override func end() { close(.stopped) }

    /// Nothing more can be asked of the handler.
    var isEnding: Bool { isClosed || performer.conversation.socket.isClosing }

    func withSocket<Result>(_ body: (inout DatagramSocket) -> Result) -> Result? {
        precondition(!state.pointee.inTurn, "a handler is not called from within its own calls")
        var result: Result?
        turn { result = body(&$0.conversation.socket) }
        return result
    }

    var statistics: DatagramStatistics { performer.conversation.socket.statistics }
    var descriptor: CInt { fd }

    // MARK: A turn

    /// Reports an event, then performs what was decided.
    private func turn(_ event: (inout DatagramPerformer) -> Void) {
        state.pointee.inTurn = true
        event(&performer)
        performer.flush()
        while let work = performer.conversation.socket.takeWork() {
            if !loop.perform(work, for: identity) { continue }
            performer.conversation.answer()
            performer.flush()
        }
        state.pointee.inTurn = false
        if let outcome = performer.conversation.outcome { return close(outcome) }
        count()
        updateInterest()
        armTimer()
    }

    private func count() {
        let now = statistics
        loop.statistics.datagrams += now - state.pointee.counted
        state.pointee.counted = now
    }

    private func updateInterest() {
        var events: CInt = 0
        if performer.conversation.wantsInput { events |= clibev_read }
        if !performer.conversation.socket.queue.isEmpty { events |= clibev_write }
        state.pointee.watchers.wait(for: events, on: loop)
    }

    private func armTimer() { state.pointee.watchers.wake(by: performer.conversation.deadline, on: loop) }

    private func close(_ reason: CloseReason) {
        if isClosed { return }
        isClosed = true
        state.pointee.watchers.stop(on: loop)
        file?.remove()
        Glibc.close(fd)
        performer.conversation.close(reason)
        count()
        let loop = loop
        loop.disown(self)
        loop.datagramSockets -= 1
    }
}
