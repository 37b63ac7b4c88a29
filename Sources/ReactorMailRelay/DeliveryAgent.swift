import ConnectionHandling
public import Logging
public import Reactor

/// Delivers what waits in a spool to one next hop, on a loop.
///
/// One agent a spool, and a loop of its own or one that may wait for the disk: the spool is read and written in place.
/// It is woken by commits, by the moment the next retry is due, and every few seconds in any case. Belongs to its
/// loop's thread.
///
/// To stop: ``stop()``, then the loop's `shutDown(within:)`, which gives deliveries under way their time.
public final class DeliveryAgent {
    private let spool: Spool
    private let nextHop: NextHop
    private let hostname: String
    private let limits: DeliveryLimits
    private let logger: Logger
    private let lock: AgentLock
    /// Weak: the loop may be going while it tells our connections that they are over.
    private weak var loop: EventLoop?

    /// Due, and not handed to a connection yet.
    private var ready: [Int64] = []
    /// Handed to a connection, or their outcome is not written down yet.
    private var claimed: Set<Int64> = []
    /// Damaged, whether setting them aside worked or not.
    private var unreadable: Set<Int64> = []
    /// The spool could not be read: it is left alone until the next poll.
    private var isSpoolFailing = false
    /// Outcomes that the spool did not take; the next look tries again. While there are any, no delivery is started:
    /// a spool that cannot be written would have the same mail delivered again and again.
    private var unwritten: [(message: OutgoingMessage, outcomes: [DeliveryOutcome])] = []

    /// Connections, those being opened included.
    private var connections = 0
    /// Connections that have not asked for a message yet.
    private var opening = 0
    /// Failures of the next hop since it last worked.
    private var failures = 0
    private var isPaused = false
    private var isStopping = false

    private var watchers: [Watcher] = []
    private var retryTimer: Watcher?
    private var random = SystemRandomNumberGenerator()

    /// - Parameter hostname: how the agent calls itself to the next hop.
    /// - Throws: ``SpoolError/agentRunning(directory:)`` if the spool has an agent already.
    public init(
        spool: Spool, nextHop: NextHop, hostname: String, loop: EventLoop, limits: DeliveryLimits = DeliveryLimits(),
        logger: Logger = Logger(label: "reactor.smtp.delivery")
    ) throws(SpoolError) {
        lock = try AgentLock(directory: spool.directory)
        self.spool = spool
        self.nextHop = nextHop
        self.hostname = hostname
        self.loop = loop
        self.limits = limits
        self.logger = logger
    }

    /// Checks that no process delivers from the spool now, so that a server can refuse to start beside another.
    ///
    /// - Throws: ``SpoolError/agentRunning(directory:)`` if one does.
    public static func requireNone(on spool: Spool) throws(SpoolError) {
        _ = try AgentLock(directory: spool.directory)
    }

    /// Begins. Everything that is due is tried at once.
    public func start() {
        guard let loop, watchers.isEmpty, !isStopping else { return }
        watchers = [
            loop.onReadable(spool.committed.descriptor) { [self] in
                spool.committed.clear()
                look()
            },
            loop.every(limits.poll) { [self] in
                isSpoolFailing = false
                look()
            },
        ]
        look()
    }

    /// Starts no more messages. Connections end when the message that they carry has its outcome.
    public func stop() {
        isStopping = true
        watchers.forEach { $0.cancel() }
        watchers = []
        retryTimer?.cancel()
    }

    // MARK: Work

    /// Looks for work, and opens connections for it.
    private func look() {
        writeDownOutcomes()
        guard mayDeliver, !isPaused else { return }
        if ready.isEmpty { refill() }
        // After a failure one connection finds out whether the next hop gives service again.
        let allowed = failures == 0 ? limits.connections : 1
        while connections < allowed, opening < ready.count { openConnection() }
        if ready.isEmpty { scheduleRetry() }
    }

    private var mayDeliver: Bool { !isStopping && !isSpoolFailing && unwritten.isEmpty }

    /// Enough for the connections to go on with, and few enough to hold in mind.
    private static let batch = 200

    private func refill() {
        do throws(SpoolError) {
            ready = try spool.due(at: now, limit: Self.batch, excluding: claimed.union(unreadable)).reversed()
        } catch {
            spoolFails(error)
        }
    }

    /// An error of the spool, not of a message: it may be gone at the next poll.
    private func spoolFails(_ error: SpoolError) {
        isSpoolFailing = true
        ready = []
        logger.error("cannot read the spool", metadata: ["error": "\(error)"])
    }

    /// Wakes the agent when the next deferred message is due; the poll does if that is later.
    private func scheduleRetry() {
        retryTimer?.cancel()
        guard let next = (try? spool.nextAttempt(after: now)) ?? nil, next - now < 3600 else { return }
        retryTimer = loop?.after(.seconds(next - now)) { [self] in look() }
    }

    private var now: Int64 { loop?.clock.unixSeconds ?? 0 }

    // MARK: Messages

    fileprivate func takeMessage() -> OutgoingMessage? {
        while mayDeliver {
            if ready.isEmpty { refill() }
            guard let number = ready.popLast() else {
                scheduleRetry()
                return nil
            }
            if let message = load(number) {
                claimed.insert(number)
                return message
            }
        }
        return nil
    }

    private func load(_ number: Int64) -> OutgoingMessage? {
        do throws(SpoolError) {
            if let message = try spool.load(number) { return message }
        } catch {
            // Says nothing about the message, which was acknowledged and must stay due.
            spoolFails(error)
            return nil
        }
        let reason = "damaged in the spool: content or recipients are missing"
        unreadable.insert(number)
        logger.error("cannot read a message", metadata: ["number": "\(number)", "error": "\(reason)"])
        try? spool.setAside(number, because: reason)
        return nil
    }

    fileprivate func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        // What the stop cut off is not the message's fault: it is due when the next agent starts.
        if isStopping, outcomes.allSatisfy(\.isToBeTriedAgain) { return }
        var message = message
        message.content = []
        unwritten.append((message, outcomes))
        writeDownOutcomes()
    }

    /// Writes down what it can. What fails stays, and stays claimed, so that it is not sent twice while this process
    /// lives.
    private func writeDownOutcomes() {
        unwritten = unwritten.filter { message, outcomes in !writeDown(outcomes, for: message) }
    }

    private func writeDown(_ outcomes: [DeliveryOutcome], for message: OutgoingMessage) -> Bool {
        let given = expired(message) && !outcomes.goOnAtOnce ? outcomes.map { $0.givenUp } : outcomes
        let delay = Backoff(first: limits.firstRetry, last: limits.lastRetry)
            .delay(after: message.attempts + 1, using: &random)
        do throws(SpoolError) {
            let disposition = try spool.record(
                given, for: message, nextAttempt: given.goOnAtOnce ? now : now + max(1, delay.components.seconds))
            log(disposition, message, given)
        } catch {
            logger.error("cannot write down an outcome", metadata: ["id": "\(message.id)", "error": "\(error)"])
            return false
        }
        claimed.remove(message.number)
        return true
    }

    private func expired(_ message: OutgoingMessage) -> Bool {
        now.subtractingReportingOverflow(message.received).partialValue > limits.lifetime.components.seconds
    }

    // MARK: Connections

    private func openConnection() {
        connections += 1
        opening += 1
        let session = DeliverySession(self)
        if let address = nextHop.fixedAddress { return connect(session, to: [address], because: "") }
        loop?.offload { [nextHop] in try nextHop.addresses() } then: { [self] result in
            switch result {
            case .success(let addresses): connect(session, to: addresses[...], because: "")
            case .failure(let error): session.ended(.unusable("\(error)"))
            }
        }
    }

    /// Tries one address after the other.
    private func connect(_ session: DeliverySession, to addresses: ArraySlice<SocketAddress>, because reason: String) {
        guard let loop, !isStopping, let address = addresses.first else { return session.ended(.unusable(reason)) }
        var connection = ConnectionLimits.default
        connection.writeStall = limits.client.dataBlock
        loop.connect(
            to: address, limits: connection, options: ConnectOptions(timeout: limits.connect),
            onFailure: { [self] error in connect(session, to: addresses.dropFirst(), because: "\(error)") },
            makeHandler: { [hostname, limits] in
                SMTPClientHandler(hostname: hostname, source: session, limits: limits.client)
            })
    }

    fileprivate func connectionAsks() { opening -= 1 }

    fileprivate func nextHopWorks() {
        if failures == 0 { return }
        failures = 0
        loop?.after(.zero) { [self] in look() }
    }

    fileprivate func connectionEnded(_ end: SMTPClientEnd, hadAsked: Bool) {
        connections -= 1
        if !hadAsked { opening -= 1 }
        switch end {
        case .finished: look()
        case .unusable(let reason): pause(because: reason)
        }
    }

    /// Leaves the next hop alone for a while.
    private func pause(because reason: String) {
        if isPaused || isStopping { return }
        isPaused = true
        failures += 1
        let delay = Backoff(first: limits.firstReconnect, last: limits.lastReconnect)
            .delay(after: failures, using: &random)
        logger.warning("next hop unusable", metadata: ["next-hop": "\(nextHop)", "reason": "\(reason)", "retry": "\(delay)"])
        loop?.after(delay) { [self] in
            isPaused = false
            look()
        }
    }

    // MARK: Log

    private func log(_ disposition: Spool.Disposition, _ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        let metadata: Logger.Metadata = [
            "id": "\(message.id)", "recipients": "\(outcomes.count)", "next-hop": "\(nextHop)",
            "reply": "\(outcomes.first { !$0.isDelivered }?.reply ?? outcomes.first?.reply ?? "")",
        ]
        switch disposition {
        case .removed: logger.info("delivered", metadata: metadata)
        case .deferred: logger.info("deferred", metadata: metadata)
        case .failed: logger.warning("failed", metadata: metadata)
        case .gone: logger.warning("tried, and meanwhile gone from the spool", metadata: metadata)
        }
    }
}

/// What one connection asks the agent, and tells it.
private final class DeliverySession: DeliverySource {
    private let agent: DeliveryAgent
    private var hasAsked = false

    init(_ agent: DeliveryAgent) { self.agent = agent }

    func nextMessage() -> OutgoingMessage? {
        if !hasAsked {
            hasAsked = true
            agent.connectionAsks()
        }
        return agent.takeMessage()
    }

    func nextHopWorks() { agent.nextHopWorks() }

    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) { agent.attempted(message, outcomes) }

    func ended(_ end: SMTPClientEnd) { agent.connectionEnded(end, hadAsked: hasAsked) }
}

extension DeliveryOutcome {
    var reply: String {
        switch self {
        case .delivered(let reply), .deferred(let reply), .leftOver(let reply), .failed(let reply): reply
        }
    }

    var isDelivered: Bool { if case .delivered = self { true } else { false } }

    fileprivate var isToBeTriedAgain: Bool {
        switch self {
        case .deferred, .leftOver: true
        case .delivered, .failed: false
        }
    }

    /// The same when there is no more time to wait.
    fileprivate var givenUp: DeliveryOutcome {
        isToBeTriedAgain ? .failed("not delivered in time: \(reply)") : self
    }
}
