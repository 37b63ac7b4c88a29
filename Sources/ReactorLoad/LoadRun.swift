import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor
import ReactorTLS

/// A load under way, on one loop: it opens connections, lets requests go when they are due, and counts. What is asked for
/// each request stands here; the course of the whole is in LoadRun+Course.
final class LoadRun {
    let plan: LoadPlan
    let loop: EventLoop
    let address: SocketAddress
    let limits: ConnectionLimits
    let isOpenLoop: Bool
    let reconnects: Bool
    let pipeline: Int
    private let tls: TLSClientContext?

    @exclusivity(unchecked) var connections: [LoadConnection] = []
    /// Requests may be sent.
    @exclusivity(unchecked) var isSending = false
    /// What is measured: requests due in this time, or answered in it, if the loop is closed. In nanoseconds of the clock.
    @exclusivity(unchecked) var from = UInt64.max
    @exclusivity(unchecked) var until = UInt64.max
    @exclusivity(unchecked) var total = Latencies()
    @exclusivity(unchecked) var second = CoarseLatencies()
    @exclusivity(unchecked) var bytes: UInt64 = 0
    var errors = LoadErrors()

    // Of an open loop.
    @exclusivity(unchecked) var schedule: Schedule?
    /// When the oldest request that has not been sent is due: those behind it need no memory.
    @exclusivity(unchecked) var nextDue = UInt64.max
    @exclusivity(unchecked) var offered: UInt64 = 0
    @exclusivity(unchecked) var lag = Latencies()
    /// Connections that may send, those that have waited longest first.
    @exclusivity(unchecked) private var waiting = ConnectionQueue()
    private let timer: CInt
    @exclusivity(unchecked) private var isArmed = false
    var origin: UInt64 = 0

    // Of the course.
    var phase = Phase.opening
    var timeline: [LoadSecond] = []
    var lastFlush: UInt64 = 0
    var errorsFlushed: UInt64 = 0
    var opening: [LoadConnection] = []
    var openingCount = 0
    var unsettled = 0
    var settled: Set<Int> = []
    var failure: LoadFailure?
    var firstConnectFailure: String?
    var hasEverOpened = false
    var cpuStart = OwnTime.now()
    var cpu = OwnTime(wall: 0, user: 0, system: 0, waited: 0)
    var doubts: [String] = []
    var idleLost = 0
    var wasInterrupted = false
    var drainEnds: UInt64 = 0
    var onMoment: ((LoadMoment) -> Void)?

    enum Phase { case opening, rising, measuring, draining, over }

    init(_ plan: LoadPlan, to address: SocketAddress, tls: TLSClientContext?, on loop: EventLoop) throws(LoadFailure) {
        self.plan = plan
        self.loop = loop
        self.address = address
        self.tls = tls
        isOpenLoop = plan.arrivals != nil
        reconnects = plan.reconnects
        pipeline = plan.pipeline
        var limits = ConnectionLimits.default
        // Time-outs are the load's own, and a server that reads slowly is what is measured.
        limits.idle = .seconds(1_000_000)
        limits.writeStall = .seconds(plan.timeout + 60)
        limits.minReceiveRate = 0
        limits.lowWatermark = Dialogue.requestSize(plan) * plan.pipeline
        limits.highWatermark = 2 * limits.lowWatermark
        limits.maxQueuedOutput = 2 * limits.highWatermark
        self.limits = limits
        timer = creactor_timer_make()
        if timer < 0 { throw LoadFailure("cannot make a timer: \(reason(-timer))") }
        if isOpenLoop { loop.onReadable(timer) { [unowned self] in pump() } }
        let makeDialogue = Dialogue.maker(for: plan)
        for index in 0..<plan.idle + plan.connections {
            let role = index < plan.idle ? LoadConnection.Role.idle : .busy
            connections.append(LoadConnection(self, index: index, role: role, dialogue: makeDialogue()))
        }
    }

    deinit { close(timer) }

    // MARK: Connections

    var isTLS: Bool { tls != nil }

    func makeSession() -> TLSSession? { try? tls?.makeSession(serverName: plan.target.host) }

    /// From one address of loopback there are ports for some 28,000 connections, and servers limit those of a peer.
    private static let connectionsPerAddress = 2_000

    func connectOptions(for index: Int) -> ConnectOptions {
        var options = ConnectOptions(timeout: .seconds(plan.timeout))
        if case .ipv4(let host, _) = address, host >> 24 == 127, connections.count > Self.connectionsPerAddress {
            options.localAddress = .ipv4(0x7F00_0002 + UInt32(index / Self.connectionsPerAddress), port: 0)
        }
        return options
    }

    // MARK: Requests

    /// When the request was due that `connection` may send now; nil if there is none.
    @inline(__always) func takeDue(_ now: UInt64, for connection: LoadConnection) -> UInt64? {
        if !isSending { return nil }
        if !isOpenLoop { return now }
        if nextDue <= now {
            // Others wait to send: then it is we who are late, and not the server.
            return pop(now, wasLate: !waiting.isEmpty)
        }
        wait(connection)
        return nil
    }

    private func pop(_ now: UInt64, wasLate: Bool) -> UInt64 {
        let due = nextDue
        nextDue = schedule?.next().map { origin + $0 } ?? .max
        if due >= from && due < until {
            offered += 1
            if wasLate { lag.record(now - due) }
        }
        return due
    }

    /// Puts it in the line of those that may send.
    func wait(_ connection: LoadConnection) {
        if !connection.isWaiting {
            connection.isWaiting = true
            waiting.append(connection.index)
        }
        if !isArmed { arm() }
    }

    /// Sends what is due, as far as there are connections.
    func pump() {
        isArmed = false
        var now = creactor_monotonic_ns()
        while isSending, nextDue <= now, let index = waiting.removeFirst() {
            let connection = connections[index]
            connection.isWaiting = false
            if reconnects {
                guard connection.isClosed else { continue }
                connection.open(for: pop(now, wasLate: true))
            } else {
                guard connection.mayTakeMore, connection.send(dueAt: nextDue, now) else { continue }
                _ = pop(now, wasLate: true)
                if connection.mayTakeMore { wait(connection) }
            }
            now = creactor_monotonic_ns()
        }
        arm()
    }

    /// Once no connection waits, each that is free again takes what is due by itself.
    private func arm() {
        isArmed = isSending && !waiting.isEmpty && nextDue != .max
        creactor_timer_set(timer, isArmed ? max(nextDue, 1) : 0)
    }

    /// No request is sent any more.
    func stopSending() {
        isSending = false
        if isOpenLoop { arm() }
    }

    // MARK: Counting

    @inline(__always) func answered(_ start: UInt64, _ now: UInt64, by connection: LoadConnection) {
        let moment = isOpenLoop ? start : now
        if moment < from || moment >= until { return }
        let latency = now - min(start, now)
        total.record(latency)
        second.record(latency)
        connection.answers &+= 1
    }

    @inline(__always) func received(_ count: Int, _ now: UInt64) {
        if now >= from && now < until { bytes &+= UInt64(count) }
    }

    /// - Parameter start: when the request was due that has failed; nil if it is a connection without one.
    func failed(_ kind: LoadErrors.Kind, start: UInt64?, _ cause: String) {
        if kind == .connect && firstConnectFailure == nil { firstConnectFailure = cause }
        let now = creactor_monotonic_ns()
        let counts: Bool
        if isOpenLoop, let start {
            counts = start >= from && start < until
        } else {
            // What a closed loop had sent before the end counts however it ends.
            counts = now >= from && (now < until || start != nil)
        }
        if counts { errors.count(kind, 1, cause) }
    }
}

/// Places in a line, each there once at most.
struct ConnectionQueue {
    private var places: [Int] = []
    private var head = 0

    var isEmpty: Bool { head == places.count }

    mutating func append(_ index: Int) { places.append(index) }

    mutating func removeFirst() -> Int? {
        if isEmpty { return nil }
        let first = places[head]
        head += 1
        if head == places.count {
            places.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1_024 && head * 2 >= places.count {
            places.removeFirst(head)
            head = 0
        }
        return first
    }
}
