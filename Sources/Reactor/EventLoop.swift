import CLibev
import CReactorSystem
public import ConnectionHandling
import Glibc
import ReactorWire

/// A libev loop: it waits for what was asked for, and calls back on the thread that runs it.
///
/// One loop a thread. A loop and all it holds belong to the thread that runs it and are not `Sendable`; other threads
/// hold its ``handle``. A process may have any number of loops, each run and stopped any number of times.
public final class EventLoop {
    /// How the kernel is asked what is ready. Never chosen by the environment (`LIBEV_FLAGS` is ignored).
    public enum Backend: String, CaseIterable, Sendable {
        case epoll, poll, select
        /// Linux's asynchronous I/O, and io_uring: experimental in libev, and there to be compared. A kernel may refuse them.
        case linuxAIO = "linuxaio"
        case ioUring = "io_uring"

        var flag: UInt32 {
            switch self {
            case .epoll: clibev_backend_epoll
            case .poll: clibev_backend_poll
            case .select: clibev_backend_select
            case .linuxAIO: clibev_backend_linuxaio
            case .ioUring: clibev_backend_iouring
            }
        }

        /// Whether libev was built with it. The kernel may still refuse it.
        public var isSupported: Bool { ev_supported_backends() & flag != 0 }
    }

    /// What other threads may hold: submit and stop.
    public let handle: EventLoopHandle
    public let backend: Backend
    /// Counts since the loop was made.
    @exclusivity(unchecked) public internal(set) var statistics = EventLoopStatistics()
    /// Time as read at the start of the turn.
    public let clock: DriverClock
    /// Runs what would block the loop.
    public let offloadPool: OffloadPool

    let ev: OpaquePointer
    /// One buffer that every connection's bytes are read into, lent from there.
    let readBuffer: UnsafeMutableRawBufferPointer
    /// One buffer that every connection's output is gathered in, while its handler runs.
    let scratch: UnsafeMutablePointer<ByteQueue>
    /// One buffer that layers put on the wire what they have sealed.
    let wireScratch: UnsafeMutablePointer<ByteQueue>
    /// What every datagram socket receives with; made for the first one.
    private var batch: DatagramBatch?
    /// Objects that have ended, kept to the end of the turn: no callback of theirs is running then.
    @exclusivity(unchecked) var retired: [LoopOwned] = []

    // Touched several times for each connection, and never while one of its own calls is under way: the checks at run time
    // for overlapping access would be a tenth of what a short connection costs here.
    @exclusivity(unchecked) private var table: [LoopOwned?] = []
    @exclusivity(unchecked) private var freeSlots: [Int] = []
    @exclusivity(unchecked) private var spareRetired: [LoopOwned] = []
    private let wake: UnsafeMutablePointer<ev_io>
    private let check: UnsafeMutablePointer<ev_check>
    private let prepare: UnsafeMutablePointer<ev_prepare>
    private var isRunning = false
    private var closesWhenStopped = false
    private var isClosed = false
    /// Listeners that wait for a connection to close, and leave a descriptor or a place.
    @exclusivity(unchecked) var pausedListeners: [LoopIdentity] = []
    /// What ``shutDown(within:)`` waits for.
    @exclusivity(unchecked) var connections = 0
    var datagramSockets = 0 { didSet { endIfDrained() } }
    private var shuttingDown = false
    /// Everyone has been told of the shutdown; the last connection to close ends it.
    private var draining = false
    private var graceTimer: Watcher?

    @exclusivity(unchecked) private var handshakes = HandshakeTurns()

    static let readSize = 64 * 1024
    static let scratchCapacity = 16 * 1024
    /// Holds what is sealed ahead.
    static let wireCapacity = 64 * 1024

    /// - Throws: ``SystemError`` if the kernel has no such backend, or descriptors have run out.
    public init(backend: Backend = .epoll, offloadPool: OffloadPool = OffloadPool()) throws(SystemError) {
        creactor_ignore_broken_pipes()
        handle = try EventLoopHandle()
        guard backend.isSupported else { throw SystemError("make an event loop on \(backend.rawValue)", errno: EOPNOTSUPP) }
        errno = 0
        guard let ev = ev_loop_new(backend.flag | clibev_flag_noenv) else {
            // libev itself refuses without a reason.
            throw SystemError("make an event loop on \(backend.rawValue)", errno: errno == 0 ? ENOSYS : errno)
        }
        self.ev = ev
        self.backend = backend
        self.offloadPool = offloadPool
        clock = DriverClock(now: MonotonicTime(nanoseconds: creactor_monotonic_ns()), unixSeconds: Int64(ev_now(ev)))
        readBuffer = .allocate(byteCount: Self.readSize, alignment: 16)
        scratch = .allocate(capacity: 1)
        scratch.initialize(to: ByteQueue(capacity: Self.scratchCapacity))
        wireScratch = .allocate(capacity: 1)
        wireScratch.initialize(to: ByteQueue())
        wake = .allocate(capacity: 1)
        check = .allocate(capacity: 1)
        prepare = .allocate(capacity: 1)
        clibev_io_init(
            wake, { _, watcher, _ in EventLoop.of(watcher?.pointee.data)?.woken() }, handle.queue.wakeDescriptor, clibev_read)
        clibev_check_init(check) { _, watcher, _ in EventLoop.of(watcher?.pointee.data)?.turnBegins() }
        clibev_set_priority(check, clibev_highest_priority)
        clibev_prepare_init(prepare) { _, watcher, _ in EventLoop.of(watcher?.pointee.data)?.turnEnds() }
        let this = Unmanaged.passUnretained(self).toOpaque()
        wake.pointee.data = this
        check.pointee.data = this
        prepare.pointee.data = this
        ev_io_start(ev, wake)
        ev_check_start(ev, check)
        ev_prepare_start(ev, prepare)
    }

    /// Ends every watcher, listener and connection, for good. Done too when the loop goes; needed only where a callback
    /// holds the loop, and so keeps it. In a callback, it first stops the loop: ``run()`` closes it before it returns.
    public func close() {
        if isRunning {
            closesWhenStopped = true
            return stop()
        }
        isClosed = true
        handle.queue.close()
        for object in table { object?.end() }
        while !retired.isEmpty { releaseRetired() }
    }

    deinit {
        close()
        ev_io_stop(ev, wake)
        ev_check_stop(ev, check)
        ev_prepare_stop(ev, prepare)
        ev_loop_destroy(ev)
        wake.deallocate()
        check.deallocate()
        prepare.deallocate()
        readBuffer.deallocate()
        scratch.deinitialize(count: 1)
        scratch.deallocate()
        wireScratch.deinitialize(count: 1)
        wireScratch.deallocate()
    }

    // MARK: Running

    /// Serves until ``stop()``. Call it again to go on.
    public func run() {
        precondition(!isRunning && !isClosed, "an event loop runs once at a time, and not after it was closed")
        isRunning = true
        handle.queue.runBegins()
        if !handle.queue.takeStopRequest() {
            refreshClock()
            ev_run(ev, 0)
            turnEnds()
        }
        // What was accepted before the stop still runs; what comes later is refused.
        handle.queue.runEnds(of: self)
        isRunning = false
        if closesWhenStopped { close() }
    }

    /// Makes ``run()`` return at the end of this turn. Connections stay open, to be served by the next run.
    public func stop() { handle.stop() }

    /// Stops accepting, lets connections finish what is in flight, and then makes ``run()`` return: when the last one
    /// has closed, or when `grace` has passed and the rest are cut off.
    public func shutDown(within grace: Duration) {
        if shuttingDown { return }
        shuttingDown = true
        // From a callback of its own: the caller may be a handler, which must not be called from within itself.
        after(.zero) { [unowned self] in
            for case let listener as AcceptingSocket in table { listener.stop() }
            for case let stream as StreamConnection in table { stream.stop() }
            for case let datagrams as DatagramTransport in table { datagrams.stop() }
            draining = true
            endIfDrained()
        }
        graceTimer = after(grace) { [unowned self] in
            for case let stream as StreamConnection in table { stream.end() }
            for case let datagrams as DatagramTransport in table { datagrams.end() }
        }
    }

    func connectionsChanged(by change: Int) {
        connections += change
        statistics.openConnections = connections
        if change < 0 { for listener in pausedListeners { (owned(listener) as? AcceptingSocket)?.resume() } }
        endIfDrained()
    }

    private func endIfDrained() {
        if draining && connections == 0 && datagramSockets == 0 {
            draining = false
            shuttingDown = false
            graceTimer?.cancel()
            stop()
        }
    }

    var isShuttingDown: Bool { shuttingDown }

    func datagramBatch() throws(SystemError) -> DatagramBatch {
        if let batch { return batch }
        let made = try DatagramBatch()
        batch = made
        return made
    }

    // MARK: Turns

    private static func of(_ data: UnsafeMutableRawPointer?) -> EventLoop? {
        data.map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    private func turnBegins() {
        refreshClock()
        statistics.turns &+= 1
        handshakes.turnBegins()
    }

    /// Whether a connection in its handshake may read now.
    func takeHandshakeTurn() -> Bool { handshakes.take() }

    /// It may not, and stands in line.
    func awaitHandshakeTurn(_ identity: LoopIdentity) {
        statistics.deferredHandshakes &+= 1
        handshakes.wait(identity)
        if handshakes.waiting.count == 1 { after(.zero) { [unowned self] in serveHandshakes() } }
    }

    private func serveHandshakes() {
        while let identity = handshakes.next() { (owned(identity) as? StreamConnection)?.handshakeTurnComes() }
        if !handshakes.waiting.isEmpty { after(.zero) { [unowned self] in serveHandshakes() } }
    }

    /// The loop is about to wait, and every callback has returned. What ended in this turn goes now: its descriptors and
    /// its handler's must not wait for the next event, which may be long in coming.
    private func turnEnds() {
        while !retired.isEmpty { releaseRetired() }
    }

    /// Their destructors are anybody's code, which may retire more.
    private func releaseRetired() {
        var gone: [LoopOwned] = []
        // The storage goes round, so that no turn allocates it anew.
        swap(&gone, &spareRetired)
        swap(&gone, &retired)
        gone.removeAll(keepingCapacity: true)
        swap(&gone, &spareRetired)
    }

    private func refreshClock() {
        clock.now = MonotonicTime(nanoseconds: creactor_monotonic_ns())
        clock.unixSeconds = Int64(ev_now(ev))
    }

    /// Timers start from the turn's time; outside a turn that would be when the loop last ran.
    package func updateTimeOutsideTurns() {
        if isRunning { return }
        ev_now_update(ev)
        refreshClock()
    }

    private func woken() {
        handle.queue.runJobs(on: self)
        if handle.queue.takeStopRequest() { ev_break(ev, Int32(EVBREAK_ALL)) }
    }

    // MARK: What the loop owns

    /// Keeps `object` until ``disown(_:)``. Callbacks hold plain pointers to it.
    func own(_ object: LoopOwned) {
        if let slot = freeSlots.popLast() {
            object.slot = slot
            table[slot] = object
        } else {
            object.slot = table.count
            table.append(object)
        }
    }

    func disown(_ object: LoopOwned) {
        guard object.slot >= 0 else { return }
        // First: nobody else may hold it, and one of its own calls may be under way.
        retired.append(object)
        table[object.slot] = nil
        freeSlots.append(object.slot)
        object.slot = -1
        // No turn is there to end. What a cancelled watcher holds may hold the loop.
        if !isRunning { turnEnds() }
    }

    /// The object with this identity, if it is still there: how an answer from another thread finds its way back.
    func owned(_ identity: LoopIdentity) -> LoopOwned? {
        guard identity.slot < table.count, let object = table[identity.slot], object.serial == identity.serial else {
            return nil
        }
        return object
    }

    @exclusivity(unchecked) private var lastSerial: UInt64 = 0

    func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }
}

/// What a loop has done since it was made.
public struct EventLoopStatistics: Sendable {
    /// Times the loop woke up.
    public internal(set) var turns: UInt64 = 0
    public internal(set) var acceptedConnections: UInt64 = 0
    public internal(set) var openConnections = 0
    /// Connections closed as soon as they were accepted: their peers had too many, or descriptors had run out for long.
    public internal(set) var refusedConnections: UInt64 = 0
    /// Times a listener paused because descriptors, or places for connections, had run out.
    public internal(set) var acceptPauses: UInt64 = 0
    /// Times a connection in its handshake was ready and put off to the next turn, because many were.
    public internal(set) var deferredHandshakes: UInt64 = 0
    /// Of all its datagram sockets, closed ones included.
    public internal(set) var datagrams = DatagramStatistics()
}
