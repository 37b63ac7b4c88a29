import ConnectionHandling
import ReactorSMTP

/// Performs the deliveries to one destination while there is something to do for it. Belongs to the loop.
final class DestinationWorker {
    enum Phase {
        case delivering
        /// Nobody is there to deliver to: messages get this outcome, a batch at a time. `all` of them, or only those whose
        /// time is over or whose sender is to be told.
        case refusing(DeliveryOutcome, all: Bool)
        /// Done: waits for connections to close and outcomes to be written down.
        case ending
    }

    let name: String
    let route: Route
    /// Kept: connections outlive the agent's owner. The agent lets its workers go when it is closed.
    let agent: DeliveryAgent
    /// The queue is asked as of this moment at least.
    let due: Int64
    private(set) var phase = Phase.delivering
    var health: DestinationHealth
    /// Until then it is to be left alone.
    private(set) var rest: MonotonicTime?

    /// Read from the queue and not handed to anybody; the last is next.
    private var waiting: [OutgoingMessage] = []
    /// Numbers of messages read from the queue, and how many parts of each have no outcome on the disk.
    private var claims: [Int64: Int] = [:]
    /// The queue may have more that is due.
    private var mayHaveMore = true
    /// It had something since this began.
    private(set) var hasFound = false

    /// Connections, those being opened included, and local deliveries.
    var connections = 0
    /// Connections that have not asked for a message yet.
    var opening = 0
    /// Open connections whose server has answered for a message.
    var proven = 0
    private var isRefusing = false

    init(_ turn: DeliverySchedule.Turn, route: Route, agent: DeliveryAgent) {
        name = turn.name
        due = turn.due
        self.route = route
        self.agent = agent
        health = turn.health ?? DestinationHealth(agent.limits)
    }

    var limits: DeliveryLimits { agent.limits }

    /// More may be due: a message has come, or an operator has changed something.
    func lookAgain() {
        mayHaveMore = true
        if case .ending = phase, rest == nil { phase = .delivering }
        pump()
    }

    /// What was read before may have changed: it is read again.
    func forget() {
        waiting.forEach(drop)
        waiting = []
        lookAgain()
    }

    /// Does what there is to do now.
    func pump() {
        if agent.mayDeliver {
            switch phase {
            case .delivering: deliver()
            case .refusing: refuse()
            case .ending: break
            }
        }
        if isIdle { agent.retire(self) }
    }

    private var isIdle: Bool {
        guard connections == 0, claims.isEmpty, !isRefusing else { return false }
        switch phase {
        case .delivering: return !mayHaveMore && waiting.isEmpty
        case .refusing: return false
        case .ending: return true
        }
    }

    // MARK: Messages

    private func deliver() {
        switch route {
        case .discard: return refuseAll(.delivered(.here(2, 0, 0, "discarded")))
        case .error(let status, let text): return refuseAll(.failed(.here(status.kind, status.subject, status.detail, text)))
        case .mx, .nextHop, .maildir: break
        }
        if waiting.isEmpty { refill() }
        if case .maildir(let path) = route { return deliverLocally(Mailboxes(path, hostname: agent.options.hostname)) }
        while case .delivering = phase, connections < health.connections, opening < waiting.count, agent.takeConnection(self) {
            connect()
        }
    }

    private func refill() {
        guard mayHaveMore, case .delivering = phase, agent.mayDeliver else { return }
        let limit = agent.held.allowance
        let messages = agent.due(self, limit: limit, excluding: Set(claims.keys))
        mayHaveMore = messages.count >= limit
        // The last is taken first.
        for message in messages.reversed() { waiting += parts(of: message).reversed() }
    }

    /// A message of many recipients goes in several transactions.
    private func parts(of message: OutgoingMessage) -> [OutgoingMessage] {
        hasFound = true
        let most = max(1, limits.recipientsPerTransaction)
        var parts: [OutgoingMessage] = []
        for start in stride(from: 0, to: message.recipients.count, by: most) {
            var part = message
            part.recipients = Array(message.recipients[start..<min(start + most, message.recipients.count)])
            parts.append(part)
            agent.held.took(part)
            claims[message.number, default: 0] += 1
        }
        return parts
    }

    /// The next message for a connection; nil if there is none.
    func take() -> OutgoingMessage? {
        guard agent.mayDeliver, case .delivering = phase else { return nil }
        if waiting.isEmpty { refill() }
        return waiting.popLast()
    }

    /// Nothing has happened to it: it is tried again at once, if an operator has not held or deleted it meanwhile.
    func putBack(_ message: OutgoingMessage) {
        drop(message)
        mayHaveMore = true
    }

    /// Lets go of a message without an outcome: it is in the queue as before.
    private func drop(_ message: OutgoingMessage) {
        agent.held.gave(message)
        unclaim(message.number)
    }

    private func unclaim(_ number: Int64) {
        guard let count = claims[number] else { return }
        claims[number] = count > 1 ? count - 1 : nil
    }

    /// - Parameter isBroken: there is no answer: the session has ended.
    func conclude(
        _ message: OutgoingMessage, _ outcomes: [DeliveryOutcome], relay: DeliveryTarget?, isBroken: Bool = false
    ) {
        // What the stop cut off is not the message's fault: it is due when the next agent starts.
        if agent.isStopping, isBroken { return drop(message) }
        let conclusion = agent.conclude(message, outcomes, route, isBroken: isBroken)
        if let again = conclusion.again {
            claims[message.number, default: 0] += 1
            agent.held.took(again)
            if case .delivering = phase { waiting.append(again) } else { drop(again) }
        }
        agent.held.gave(message)
        agent.record(conclusion.attempts, relay: relay, route) { [self] in
            unclaim(message.number)
            pump()
        }
    }

    // MARK: Nobody to deliver to

    func refuseAll(_ outcome: DeliveryOutcome) {
        waiting.forEach(drop)
        waiting = []
        phase = .refusing(outcome, all: true)
        refuse()
    }

    /// The destination gives no service. Messages for mail exchangers are put off, each with a delay of its own. Those for a
    /// next hop of the operator's stay due: it is expected back before any such delay is over.
    func die(_ report: DeliveryReport) {
        rest = agent.rest(after: health.deaths, route)
        agent.logDeath(self, report)
        waiting.forEach(drop)
        waiting = []
        phase = .refusing(.deferred(report), all: !route.isConfigured)
        pump()
    }

    /// Batch by batch, each when the one before is written down. Where the destination is dead, the agent says when: there
    /// may be many of them.
    private func refuse() {
        if isRefusing { return }
        isRefusing = true
        if rest == nil { _ = refuseBatch() } else { agent.awaitRefusal(self) }
    }

    /// How many messages it was about.
    func refuseBatch() -> Int {
        guard case .refusing(let outcome, let all) = phase, agent.mayDeliver else {
            isRefusing = false
            return 0
        }
        let messages = agent.due(self, limit: agent.held.allowance, excluding: Set(claims.keys))
        let chosen = all ? messages : messages.filter(agent.isOverdue)
        if chosen.isEmpty {
            refused(isLast: true)
            return 0
        }
        hasFound = true
        var attempts: [DeliveryAttempt] = []
        for message in chosen {
            claims[message.number, default: 0] += 1
            attempts += agent.conclude(message, message.recipients.map { _ in outcome }, route, isBroken: true).attempts
        }
        agent.record(attempts, relay: nil, route) { [self] in
            for message in chosen { unclaim(message.number) }
            refused(isLast: chosen.count < messages.count)
        }
        return chosen.count
    }

    private func refused(isLast: Bool) {
        isRefusing = false
        if isLast {
            mayHaveMore = false
            phase = .ending
        }
        pump()
    }

    // MARK: Local deliveries

    private func deliverLocally(_ mailboxes: Mailboxes) {
        while connections < limits.localDeliveries, let message = take() {
            connections += 1
            agent.offload({ mailboxes.deliver(message) }) { [self] outcomes in
                connections -= 1
                conclude(message, outcomes, relay: nil)
                pump()
            }
        }
    }
}
