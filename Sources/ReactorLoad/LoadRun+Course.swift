import CReactorSystem
import Reactor

/// The course of a load: connections are opened, the load rises and warms up, is measured, and what is under way at the end
/// is waited for.
extension LoadRun {
    /// Connections that are being made at a time: more would overflow the backlog of most servers.
    private static let openingAtATime = 256
    /// How long answers are waited for when the load has ended: the rest are unanswered.
    private static let longestDrain = 5.0
    private static let tick = Duration.milliseconds(10)

    /// Runs to the end, on the loop.
    func perform() throws(LoadFailure) -> LoadReport {
        loop.every(.milliseconds(50)) { [unowned self] in checkTimes() }
        // The first is there from the start: `run` must have something to wait for, and errors somebody who hears them.
        loop.after(.zero) { [unowned self] in open() }
        loop.run()
        let report = failure == nil ? LoadReport(self) : nil
        for connection in connections { connection.end() }
        loop.close()
        connections = []
        if let report { return report }
        throw failure ?? LoadFailure("the load did not run")
    }

    private func fail(_ what: String, isInterruption: Bool = false) {
        if phase == .over { return }
        failure = LoadFailure(what, isInterruption: isInterruption)
        phase = .over
        stopSending()
        loop.stop()
    }

    /// Ends early, with what there is.
    func interrupt() {
        wasInterrupted = true
        switch phase {
        case .opening, .rising: fail("ended before anything was measured", isInterruption: true)
        case .measuring: endMeasuring()
        case .draining: finish()
        case .over: break
        }
    }

    // MARK: Opening

    private func open() {
        opening = connections.filter { $0.role == .idle || !opensLater }.reversed()
        unsettled = opening.count
        openMore()
        if unsettled == 0 { begin() }
    }

    /// Connections are made when the load is already there.
    private var opensLater: Bool { reconnects || (!isOpenLoop && plan.ramp > 0) }

    private func openMore() {
        while openingCount < Self.openingAtATime, let next = opening.popLast() {
            openingCount += 1
            next.open()
        }
    }

    /// A connection is there for the first time, or is not.
    func connectionSettled(_ connection: LoadConnection, failed: Bool) {
        if !failed { hasEverOpened = true }
        guard phase == .opening, settled.insert(connection.index).inserted else { return }
        openingCount -= 1
        unsettled -= 1
        openMore()
        // Later: the connection is in the middle of its own call.
        if unsettled == 0 { loop.after(.zero) { [unowned self] in begin() } }
    }

    /// The connection is gone.
    func connectionEnded(_ connection: LoadConnection, retryAfter pause: UInt64) {
        if phase == .draining || phase == .over { return }
        if connection.role == .idle {
            if phase == .measuring { idleLost += 1 }
            return
        }
        if pause == 0 { return again(connection) }
        loop.after(.nanoseconds(Int64(pause))) { [unowned self] in if connection.isClosed { again(connection) } }
    }

    private func again(_ connection: LoadConnection) {
        if phase == .draining || phase == .over { return }
        if !reconnects { return connection.open() }
        if !isSending { return }
        if isOpenLoop { wait(connection) } else { connection.open(for: creactor_monotonic_ns()) }
    }

    // MARK: The load

    private func begin() {
        guard phase == .opening else { return }
        if !hasEverOpened, let firstConnectFailure {
            return fail("cannot connect to \(plan.target.url): \(firstConnectFailure)")
        }
        phase = .rising
        origin = creactor_monotonic_ns()
        from = origin + UInt64((plan.ramp + plan.warmUp) * 1e9)
        until = from + UInt64(plan.duration * 1e9)
        if let arrivals = plan.arrivals {
            schedule = Schedule(arrivals, ramp: plan.ramp, warmUp: plan.warmUp, duration: plan.duration)
            nextDue = schedule?.next().map { origin + $0 } ?? .max
        }
        isSending = true
        rise()
        tell(0)
        loop.after(.nanoseconds(Int64(from - origin))) { [unowned self] in beginMeasuring() }
    }

    /// Lets connections begin: all, or as many as the ramp has reached.
    private func rise() {
        let busy = connections[plan.idle...]
        if isOpenLoop || plan.ramp == 0 {
            for connection in busy { start(connection) }
            return
        }
        var begun = 0
        var timer: Watcher?
        timer = loop.every(Self.tick) { [unowned self] in
            let elapsed = Double(creactor_monotonic_ns() - origin) / 1e9
            let wanted = elapsed >= plan.ramp ? busy.count : Int(Double(busy.count) * elapsed / plan.ramp)
            // As when all are opened at once, so many at most are on their way.
            for _ in 0..<Self.openingAtATime where begun < wanted {
                start(busy[busy.startIndex + begun])
                begun += 1
            }
            if begun == busy.count || !isSending { timer?.cancel() }
        }
    }

    private func start(_ connection: LoadConnection) {
        if !connection.isClosed { connection.wake() } else if opensLater { again(connection) }
    }

    private func beginMeasuring() {
        guard phase == .rising else { return }
        if !hasEverOpened, let firstConnectFailure {
            return fail("cannot connect to \(plan.target.url): \(firstConnectFailure)")
        }
        phase = .measuring
        cpuStart = OwnTime.now()
        lastFlush = from
        let there = connections.count { $0.role == .busy && $0.isOpen }
        if !reconnects && there < plan.connections {
            doubts.append("only \(there) of \(plan.connections) connections were there when it began")
        }
        idleLost = plan.idle - connections.count { $0.role == .idle && $0.isOpen }
        let left = until - min(creactor_monotonic_ns(), until)
        loop.every(.seconds(1)) { [unowned self] in secondPasses() }
        loop.after(.nanoseconds(Int64(left))) { [unowned self] in endMeasuring() }
    }

    // MARK: Seconds

    private func secondPasses() {
        let now = creactor_monotonic_ns()
        // What is left at the end is the last second's.
        if phase == .measuring && now + 500_000_000 < until { flushSecond(now) }
    }

    private func flushSecond(_ now: UInt64) {
        let length = Double(now - min(lastFlush, now)) / 1e9
        let answered = second.count
        let failed = errors.all
        timeline.append(
            LoadSecond(
                second: timeline.count, answered: answered, p50: second.percentile(50), p99: second.percentile(99),
                errors: failed - errorsFlushed))
        second.removeAll()
        (lastFlush, errorsFlushed) = (now, failed)
        tell(length > 0 ? Double(answered) / length : 0)
    }

    private func tell(_ rate: Double) {
        guard let onMoment else { return }
        let now = creactor_monotonic_ns()
        let last = timeline.last
        onMoment(
            LoadMoment(
                isWarmingUp: phase == .rising, secondsLeft: Double(until - min(now, until)) / 1e9, rate: rate,
                p50: last?.p50 ?? 0, p99: last?.p99 ?? 0, errors: errors.all))
    }

    private func checkTimes() {
        if phase == .over { return }
        let now = creactor_monotonic_ns()
        let limit = UInt64(plan.timeout * 1e9)
        for connection in connections { connection.checkTime(now, limit: limit) }
    }

    // MARK: The end

    private func endMeasuring() {
        guard phase == .measuring else { return }
        phase = .draining
        cpu = OwnTime.now().since(cpuStart)
        until = min(until, creactor_monotonic_ns())
        // What is due by now must not be lost because this timer came first.
        if isOpenLoop { pump() }
        stopSending()
        countUnsent()
        drainEnds = creactor_monotonic_ns() + UInt64(min(plan.timeout, Self.longestDrain) * 1e9)
        loop.every(Self.tick) { [unowned self] in drain() }
        drain()
    }

    private func countUnsent() {
        guard isOpenLoop else { return }
        var unsent: UInt64 = 0
        while nextDue < until {
            if nextDue >= from { unsent += 1 }
            nextDue = schedule?.next().map { origin + $0 } ?? .max
        }
        offered += unsent
        errors.count(.unanswered, unsent, "due, and never sent: all connections were busy")
    }

    private func drain() {
        guard phase == .draining else { return }
        let isDone = connections.allSatisfy { $0.pendingCount == 0 || $0.role == .idle }
        if isDone || creactor_monotonic_ns() >= drainEnds { finish() }
    }

    private func finish() {
        guard phase == .draining else { return }
        for connection in connections where connection.role == .busy {
            for start in connection.takePending() where !isOpenLoop || (start >= from && start < until) {
                errors.count(.unanswered, 1, "sent, and not answered when the load had ended")
            }
        }
        flushSecond(until)
        phase = .over
        loop.stop()
    }
}
