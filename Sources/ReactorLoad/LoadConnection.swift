import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor
import ReactorWire

/// A place in a load: one connection at a time, made again when it is lost, with what is under way on it.
final class LoadConnection {
    enum Role {
        /// Sends whenever it may.
        case busy
        /// Is answered once and stays.
        case idle
    }

    private enum Phase { case closed, opening, securing, greeting, open }

    let index: Int
    let role: Role
    private let run: LoadRun
    private let dialogue: Dialogue
    /// Answers that count.
    @exclusivity(unchecked) var answers: UInt64 = 0
    @exclusivity(unchecked) private var pending: PendingRequests
    @exclusivity(unchecked) private var phase = Phase.closed
    /// Stands in the line of those that may send.
    @exclusivity(unchecked) var isWaiting = false
    /// Something was answered on the present connection.
    @exclusivity(unchecked) private var hasAnswered = false

    private var link: LoopConnection<LoadHandler>?
    /// When the present connection was begun to be made.
    private var openedAt: UInt64 = 0
    /// The request that the connection is made for, if each has its own.
    private var pendingStart: UInt64?
    /// Ends without its requests having failed.
    private var isRetiring = false
    /// What requests have died of that are under way when the connection ends.
    private var death = LoadErrors.Kind.closed
    private var deathCause: String?
    private var failuresInRow = 0

    init(_ run: LoadRun, index: Int, role: Role, dialogue: Dialogue) {
        self.run = run
        self.index = index
        self.role = role
        self.dialogue = dialogue
        pending = PendingRequests(atMost: run.pipeline)
    }

    var isClosed: Bool { phase == .closed }
    var pendingCount: Int { pending.count + (pendingStart == nil ? 0 : 1) }
    /// Requests may be sent, or have been.
    var isOpen: Bool { phase == .open }

    // MARK: Opening

    /// - Parameter start: when the request was due that the connection is made for.
    func open(for start: UInt64? = nil) {
        phase = .opening
        pendingStart = start
        openedAt = creactor_monotonic_ns()
        (isRetiring, hasAnswered, death, deathCause) = (false, false, .closed, nil)
        link = run.loop.connect(
            to: run.address, limits: run.limits, options: run.connectOptions(for: index),
            onFailure: { [unowned self] error in notConnected(reason(error.errno)) },
            makeHandler: { [unowned self] in LoadHandler(owner: self) })
    }

    func connected(on connection: inout Connection) {
        guard run.isTLS else { return opened(on: &connection) }
        phase = .securing
        guard let session = run.makeSession() else { return connection.close(.aborting) }
        connection.start(session, keepingInput: true)
    }

    func opened(on connection: inout Connection) {
        phase = .greeting
        dialogue.begin(on: &connection)
        if dialogue.isReady { ready(on: &connection) }
    }

    private func ready(on connection: inout Connection) {
        phase = .open
        let now = creactor_monotonic_ns()
        if let start = pendingStart.take() {
            send(start, now, on: &connection)
        } else if role == .idle {
            send(now, now, on: &connection)
        } else {
            refill(now, on: &connection)
        }
        run.connectionSettled(self, failed: false)
    }

    private func notConnected(_ reason: String) {
        phase = .closed
        link = nil
        failuresInRow += 1
        run.failed(.connect, start: pendingStart.take(), reason)
        run.connectionSettled(self, failed: true)
        run.connectionEnded(self, retryAfter: pause)
    }

    // MARK: Requests and answers

    private func send(_ start: UInt64, _ now: UInt64, on connection: inout Connection) {
        pending.append(PendingRequests.Request(start: start, sent: now))
        dialogue.write(on: &connection)
    }

    /// Sends what is due, as far as the connection takes it.
    private func refill(_ now: UInt64, on connection: inout Connection) {
        if role == .idle { return }
        while pending.count < run.pipeline, let start = run.takeDue(now, for: self) { send(start, now, on: &connection) }
    }

    /// Called from outside of the connection's own calls: the load begins.
    func wake() {
        _ = link?.withHandler { [self] _, connection in
            if phase == .open && !connection.isClosing { refill(creactor_monotonic_ns(), on: &connection) }
        }
    }

    /// Sends the request that was due at `start`. False if the connection cannot.
    func send(dueAt start: UInt64, _ now: UInt64) -> Bool {
        if phase != .open || pending.count >= run.pipeline || isRetiring { return false }
        return link?.withHandler { [self] _, connection in
            if connection.isClosing { return false }
            send(start, now, on: &connection)
            return true
        } ?? false
    }

    var mayTakeMore: Bool { phase == .open && pending.count < run.pipeline && !isRetiring }

    func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        let now = creactor_monotonic_ns()
        var offset = 0
        // What is left is lent again, and counted then.
        defer { run.received(offset, now) }
        while offset < bytes.byteCount, !connection.isClosing {
            if pending.count == 0 && dialogue.isReady {
                unasked(bytes.slice(offset..<bytes.byteCount), on: &connection)
                offset = bytes.byteCount
                return offset
            }
            let step = dialogue.read(bytes, from: &offset, on: &connection)
            if step == .incomplete { break }
            take(step, now, on: &connection)
        }
        if phase == .open && !connection.isClosing { refill(now, on: &connection) }
        return offset
    }

    private func take(_ step: Dialogue.Step, _ now: UInt64, on connection: inout Connection) {
        switch step {
        case .incomplete: return
        case .ready: ready(on: &connection)
        case .answered:
            guard let request = pending.removeOldest() else { return }
            hasAnswered = true
            failuresInRow = 0
            if role == .idle { return }
            run.answered(request.start, now, by: self)
            if run.reconnects || !dialogue.mayContinue { retire(on: &connection) }
        case .refused:
            guard let request = pending.removeOldest() else { return }
            hasAnswered = true
            run.failed(.status, start: request.start, dialogue.complaint)
            if run.reconnects || !dialogue.mayContinue { retire(on: &connection) }
        case .unserved:
            failuresInRow += 1
            run.failed(.status, start: pendingStart.take(), dialogue.complaint)
            isRetiring = true
            connection.close(.aborting)
            run.connectionSettled(self, failed: true)
        case .broken:
            failuresInRow += 1
            run.failed(.protocol, start: pending.removeOldest()?.start ?? pendingStart.take(), dialogue.complaint)
            isRetiring = true
            connection.close(.aborting)
        }
    }

    /// No more is sent on this connection. What was sent behind is lost, and counted when it has closed.
    private func retire(on connection: inout Connection) {
        isRetiring = true
        // A reset where we end it ourselves: else each would hold a port for a minute (TIME_WAIT). And where the server has
        // answered before it had read all, which it then may never do.
        connection.close(run.reconnects || hasWork(connection) ? .aborting : .flushing)
    }

    private func unasked(_ bytes: RawSpan, on connection: inout Connection) {
        isRetiring = true
        if !dialogue.isFarewell(bytes) { run.failed(.protocol, start: nil, "bytes that answer nothing") }
        connection.close(.aborting)
    }

    func inputEnded(on connection: inout Connection) {
        let step = dialogue.end()
        if step != .incomplete { take(step, creactor_monotonic_ns(), on: &connection) }
        isRetiring = isRetiring || (pending.count == 0 && hasAnswered)
        connection.close(hasWork(connection) ? .aborting : .flushing)
    }

    /// Answers that will not come are waited for, or there is output that nobody may read: to flush would be to wait for it.
    private func hasWork(_ connection: borrowing Connection) -> Bool { pending.count > 0 || connection.hasOutput }

    // MARK: Ends

    func closed(_ reason: CloseReason) {
        let was = phase
        phase = .closed
        link = nil
        let cause = deathCause ?? reason.cause
        if was == .securing {
            failuresInRow += 1
            run.failed(.connect, start: pendingStart.take(), cause)
        } else if was == .greeting && !isRetiring {
            failuresInRow += 1
            run.failed(death, start: pendingStart.take(), cause)
        } else if pending.count > 0 {
            if !hasAnswered { failuresInRow += 1 }
            while let request = pending.removeOldest() { run.failed(death, start: request.start, cause) }
        } else if was == .open && !isRetiring && !hasAnswered && role == .busy {
            failuresInRow += 1
            run.failed(.closed, start: nil, cause)
        }
        run.connectionSettled(self, failed: was != .open)
        run.connectionEnded(self, retryAfter: pause)
    }

    /// A server that fails at once is not tried again at once: 10 ms, doubling to a second.
    private var pause: UInt64 {
        failuresInRow == 0 ? 0 : min(10_000_000 << UInt64(min(failuresInRow - 1, 7)), 1_000_000_000)
    }

    /// Gives the connection up if its oldest request, or its opening, takes too long.
    func checkTime(_ now: UInt64, limit: UInt64) {
        let since: UInt64
        switch phase {
        case .closed, .opening: return
        case .securing, .greeting: since = openedAt
        case .open:
            guard let oldest = pending.oldest else { return }
            since = oldest.sent
        }
        if now > since, now - since > limit {
            death = .timeout
            deathCause = "no answer in time"
            link?.close(.aborting)
        }
    }

    /// The requests that have no answer yet, by when they were due. None of them is counted again.
    func takePending() -> [UInt64] {
        var starts: [UInt64] = []
        if let start = pendingStart.take() { starts.append(start) }
        while let request = pending.removeOldest() { starts.append(request.start) }
        return starts
    }

    /// Ends it, politely if nothing is under way.
    func end() {
        let isPolite = pending.count == 0 && phase == .open
        isRetiring = true
        link?.close(isPolite ? .flushing : .aborting)
    }
}

extension CloseReason {
    fileprivate var cause: String {
        switch self {
        case .finished: "the server closed the connection"
        case .failed(let number): reason(number)
        case .tlsFailed(let failure): "\(failure)"
        default: "\(self)"
        }
    }
}

/// What an `errno` says.
func reason(_ number: CInt) -> String { String(cString: strerror(number)) }
