import ConnectionHandling
public import Logging
public import Reactor
import ReactorNames
public import ReactorSMTP

/// Delivers what waits in a queue, on a loop.
///
/// One agent a queue, and a loop of its own: the queue is read in place. It is woken by the queue, by the moment at which
/// the next destination is due, and every few seconds in any case. What is worked on first is ``DeliverySchedule``'s to
/// say, how many connections a destination gets ``DestinationHealth``'s, and what follows from an outcome
/// ``RetryPolicy``'s; a ``DestinationWorker`` performs the deliveries to one destination. Belongs to its loop's thread.
///
/// To stop: ``stop()``, then the loop's `shutDown(within:)`, which gives deliveries under way their time, then ``close()``.
public final class DeliveryAgent {
    let options: DeliveryOptions
    let finder: TargetFinder
    /// How much of the queue is in memory.
    var held: HeldMessages
    private(set) var isStopping = false
    /// What it does and has done, for any thread to read.
    public let counters: DeliveryCounters

    /// Weak: the loop may be going while it tells our connections that they are over.
    private weak var loop: EventLoop?
    private let resolver: Resolver
    private let contexts: TLSContexts
    private let queue: any QueueAccess
    private let recorder: OutcomeRecorder
    private let policy: RetryPolicy
    private let log: DeliveryLog

    private var schedule: DeliverySchedule
    private var workers: [String: DestinationWorker] = [:]
    private var connections = 0
    private var localDeliveries = 0
    /// Destinations for which there was no connection left.
    private var wanting: [String] = []
    /// Dead destinations with messages that are to be put off.
    private var refusing: [DestinationWorker] = []
    private var isRefusing = false
    /// The newest message that is known of, and the count of changes.
    private var newest: Int64 = 0
    private var changes: Int64?
    /// The queue could not be read: it is left alone until the next poll.
    private var isQueueFailing = false
    private var clock = ClockWatch()
    /// What the queue has still to be told, should it have failed when it was.
    private var secondsSetBack: Int64 = 0
    private var watchers: [Watcher] = []
    private var timer: Watcher?
    private var timerAt = MonotonicTime.distantFuture
    private var isActivating = false
    private var random = SystemRandomNumberGenerator()

    /// - Throws: `MailQueueError.leaseHeld` if another process delivers from the queue, `SystemError` if the resolver's
    ///   options cannot be met, `TLSConfigurationError` if there is nobody to trust.
    public init<Queue: MailQueue>(
        queue: Queue, options: DeliveryOptions, loop: EventLoop, counters: DeliveryCounters = DeliveryCounters(),
        logger: Logger = Logger(label: "reactor.smtp.delivery")
    ) throws {
        let leased = try LeasedQueue(queue)
        contexts = try TLSContexts(verifying: options.tls)
        resolver = try Resolver(loop: loop, options: options.resolver)
        finder = TargetFinder(resolver: resolver, own: options.own, port: options.port, limits: options.limits)
        recorder = try OutcomeRecorder(queue: leased, loop: loop, limits: options.limits)
        held = HeldMessages(options.limits)
        schedule = DeliverySchedule(options.limits)
        policy = RetryPolicy(limits: options.limits, hostname: options.hostname)
        log = DeliveryLog(logger: logger)
        self.options = options
        self.counters = counters
        self.loop = loop
        self.queue = leased
        recorder.leaseLost = { [weak self] in self?.leaseLost() }
        recorder.caughtUp = { [weak self] in self?.goOn() }
        recorder.troubled = { [weak self] in self?.recorderTroubled($0) }
    }

    var limits: DeliveryLimits { options.limits }
    var now: MonotonicTime { loop?.clock.now ?? .distantFuture }
    private var unixSeconds: Int64 { loop?.clock.unixSeconds ?? 0 }
    var mayDeliver: Bool { !isStopping && !isQueueFailing && !recorder.isFailing && !recorder.isBehind }
    /// Outcomes are on their way to the disk, or will be soon.
    var isWriting: Bool { !recorder.isIdle || localDeliveries > 0 }

    /// Begins. Everything that is due is tried at once.
    public func start() {
        guard let loop, watchers.isEmpty, !isStopping else { return }
        watchers = [
            loop.onReadable(queue.wakeDescriptor) { [weak self] in
                self?.queue.clearWake()
                self?.look()
            },
            loop.every(limits.poll) { [weak self] in self?.poll() },
        ]
        lookAtClock()
        look()
    }

    /// Starts no more messages. Connections end when the message that they carry has its outcome.
    public func stop() {
        isStopping = true
        watchers.forEach { $0.cancel() }
        watchers = []
        timer?.cancel()
    }

    /// Gives the lease back; outcomes that are not written down by now are not: their messages are delivered again.
    public func close() {
        stop()
        recorder.flush()
        resolver.close()
        queue.release()
        workers = [:]
        refusing = []
    }

    // MARK: What is due

    private func poll() {
        if isQueueFailing {
            isQueueFailing = false
            changes = nil
            pumpAll()
        }
        lookAtClock()
        look()
    }

    /// A clock that was set makes another moment of every attempt: all are read anew.
    private func lookAtClock() {
        if let step = clock.step(unixSeconds: unixSeconds, now: now) {
            log.clockWasSet(by: step)
            changes = nil
            if step < 0 { secondsSetBack += min(Int64(clamping: step.magnitude), .max - secondsSetBack) }
        }
        guard secondsSetBack > 0 else { return }
        do throws(MailQueueError) {
            try queue.clockWasSetBack(by: secondsSetBack, now: unixSeconds)
            secondsSetBack = 0
        } catch {
            queueFails(error)
        }
    }

    /// Looks what has come, and what has changed.
    private func look() {
        if isStopping || isQueueFailing { return }
        do throws(MailQueueError) {
            let count = try queue.changes()
            if count != changes { try readAll(count) }
            let (arrived, latest) = try queue.arrivals(after: newest)
            newest = latest
            for destination in arrived
            where schedule.note(
                destination.name, due: destination.nextAttempt, unixSeconds: unixSeconds, now: now, isFresh: true)
            { workers[destination.name]?.lookAgain() }
        } catch {
            queueFails(error)
        }
        activate()
    }

    /// Everybody who waits: at the start, and when an operator has changed something.
    private func readAll(_ count: Int64) throws(MailQueueError) {
        if changes == nil { newest = try queue.arrivals(after: .max).newest }
        let waiting = try queue.waitingDestinations().map { ($0.name, $0.nextAttempt) }
        changes = count
        for name in schedule.replace(by: waiting, unixSeconds: unixSeconds, now: now) { workers[name]?.forget() }
    }

    private func activate() {
        isActivating = false
        while mayDeliver, let turn = schedule.next(at: now) {
            let worker = DestinationWorker(turn, route: options.routes.route(to: turn.name), agent: self)
            workers[turn.name] = worker
            worker.pump()
        }
        count()
        guard mayDeliver, let moment = schedule.nextMoment(), moment < timerAt else { return }
        timer?.cancel()
        timerAt = moment
        timer = loop?.after(.nanoseconds(Int64(clamping: now.nanoseconds(until: moment)))) { [weak self] in
            self?.timerAt = .distantFuture
            self?.activate()
        }
    }

    private func activateSoon() {
        if isActivating { return }
        isActivating = true
        loop?.after(.zero) { [weak self] in self?.activate() }
    }

    private func count() {
        counters.update {
            $0.activeDestinations = schedule.active
            $0.destinations = schedule.count
            $0.connections = connections
            $0.heldMessages = held.count
        }
    }

    // MARK: For workers

    func due(_ worker: DestinationWorker, limit: Int, excluding: Set<Int64>) -> [OutgoingMessage] {
        do throws(MailQueueError) {
            return try queue.due(for: worker.name, at: max(unixSeconds, worker.due), limit: limit, excluding: excluding)
        } catch {
            queueFails(error)
            return []
        }
    }

    /// The worker has nothing more to do.
    func retire(_ worker: DestinationWorker) {
        guard workers[worker.name] === worker, !isStopping else { return }
        workers[worker.name] = nil
        var next: Int64?
        do throws(MailQueueError) {
            next = try queue.nextAttempt(for: worker.name)
        } catch {
            next = unixSeconds
            queueFails(error)
        }
        // Who is due, and is not to be had from the queue, is asked for again after a while.
        let isStrange = !worker.hasFound && next.map { $0 <= max(unixSeconds, worker.due) } ?? false
        let rest = worker.rest ?? (isStrange ? now.advanced(by: limits.poll) : nil)
        schedule.retire(
            worker.name, due: next, rest: rest, health: worker.rest == nil ? nil : worker.health, unixSeconds: unixSeconds, now: now)
        activateSoon()
    }

    /// Has the worker refuse a batch of its messages when its turn comes: one after the other, with pauses that leave the
    /// time to those who live.
    func awaitRefusal(_ worker: DestinationWorker) {
        refusing.append(worker)
        if isRefusing { return }
        isRefusing = true
        loop?.after(.zero) { [weak self] in self?.refuseSome() }
    }

    private func refuseSome() {
        var count = 0
        var turns = 0
        while count < limits.batch, turns < refusing.count {
            count += refusing[turns].refuseBatch()
            turns += 1
        }
        refusing.removeFirst(turns)
        isRefusing = turns > 0
        if isRefusing { loop?.after(limits.refusalPause * count / max(1, limits.batch)) { [weak self] in self?.refuseSome() } }
    }

    /// A place for one more connection; who gets none hears when there is one.
    func takeConnection(_ worker: DestinationWorker) -> Bool {
        if connections >= limits.connections {
            if !wanting.contains(worker.name) { wanting.append(worker.name) }
            return false
        }
        connections += 1
        return true
    }

    func gaveConnection() {
        connections -= 1
        if !wanting.isEmpty { loop?.after(.zero) { [weak self] in self?.serveWanting() } }
    }

    /// One after the other, as some may not want a connection any more.
    private func serveWanting() {
        var turns = wanting.count
        while connections < limits.connections, !wanting.isEmpty, turns > 0 {
            turns -= 1
            workers[wanting.removeFirst()]?.pump()
        }
    }

    func connect(_ session: DeliverySession, _ settings: SessionSettings, onFailure: @escaping (SystemError) -> Void) {
        guard let loop, let target = session.target else { return }
        var connection = ConnectionLimits.default
        connection.writeStall = limits.client.dataBlock
        loop.connect(
            to: target.address, limits: connection, options: ConnectOptions(timeout: limits.connect), onFailure: onFailure,
            makeHandler: { [options, counters, contexts] in
                counters.update { $0.connectionsMade += 1 }
                return settings.makeHandler(session, options, contexts)
            })
    }

    func offload(
        _ work: @escaping @Sendable () -> [DeliveryOutcome], then: @escaping ([DeliveryOutcome]) -> Void
    ) {
        localDeliveries += 1
        loop?.offload(work) { [self] result in
            localDeliveries -= 1
            if case .success(let outcomes) = result { then(outcomes) }
        }
    }

    func after(_ delay: Duration, _ body: @escaping () -> Void) { loop?.after(delay, body) }

    /// For how long a dead destination is left alone.
    func rest(after deaths: Int, _ route: Route) -> MonotonicTime {
        let backoff =
            route.isConfigured
            ? Backoff(first: limits.firstReconnect, last: limits.lastReconnect)
            : Backoff(first: limits.firstRetry, last: limits.lastRetry)
        return now.advanced(by: backoff.delay(after: deaths, using: &random))
    }

    func isOverdue(_ message: OutgoingMessage) -> Bool { policy.isOverdue(message, at: unixSeconds) }

    func conclude(
        _ message: OutgoingMessage, _ outcomes: [DeliveryOutcome], _ route: Route, isBroken: Bool
    ) -> RetryPolicy.Conclusion {
        policy.conclude(
            message, outcomes, isFinal: route.isFinal, isHop: isBroken && route.isConfigured, at: unixSeconds, using: &random)
    }

    func record(_ attempts: [DeliveryAttempt], relay: DeliveryTarget?, _ route: Route, written: @escaping () -> Void) {
        recorder.record(attempts) { [self] in
            log.outcomes(attempts, relay: relay, route, at: unixSeconds)
            counters.update { $0.count(attempts) }
            written()
        }
    }

    func logDeath(_ worker: DestinationWorker, _ report: DeliveryReport) {
        log.death(worker.name, report, rest: worker.rest.map { .nanoseconds(Int64(clamping: now.nanoseconds(until: $0))) } ?? .zero)
    }

    // MARK: Trouble

    private func queueFails(_ error: MailQueueError) {
        if case .leaseLost = error { return leaseLost() }
        isQueueFailing = true
        log.trouble("cannot read the queue", error)
    }

    private func recorderTroubled(_ error: MailQueueError?) {
        if let error { return log.trouble("cannot write outcomes down: nothing is delivered until that works", error) }
        goOn()
    }

    /// What held deliveries up is over.
    private func goOn() {
        pumpAll()
        look()
    }

    private func pumpAll() { for worker in Array(workers.values) { worker.pump() } }

    /// Another process delivers: whatever was done from now on would be done twice.
    private func leaseLost() {
        if isStopping { return }
        stop()
        log.trouble("delivery has ended", .leaseLost)
        loop?.shutDown(within: .zero)
    }
}
