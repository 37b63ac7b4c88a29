import ReactorSMTP

/// What one connection asks its destination's worker, and tells it.
final class DeliverySession: DeliverySource {
    private let worker: DestinationWorker
    /// Whom it is connected to, and whom else it may try.
    var target: DeliveryTarget?
    var further: ConnectionAttempts
    /// Where TLS was tried and failed, and is not tried again.
    var plainTarget: DeliveryTarget?
    /// It has asked for a message: the server has let it in.
    private(set) var hasAsked = false
    /// It has an answer to MAIL.
    private(set) var gaveService = false
    /// The message under way has one.
    private var hasBegun = false
    /// Messages that the server has answered for.
    private(set) var answered = 0
    private var taken = 0
    /// An outcome that may be the session's own, which is about to end: the next event tells.
    private var inDoubt: (message: OutgoingMessage, outcomes: [DeliveryOutcome])?

    init(_ worker: DestinationWorker, _ attempts: ConnectionAttempts) {
        self.worker = worker
        further = attempts
    }

    func nextMessage() -> OutgoingMessage? {
        settle()
        if !hasAsked {
            hasAsked = true
            worker.connectionAsks()
        }
        guard taken < worker.limits.messagesPerConnection, let message = worker.take() else { return nil }
        taken += 1
        hasBegun = false
        return message
    }

    func nextHopWorks() { (gaveService, hasBegun) = (true, true) }

    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        if outcomes.allSatisfy(\.isToBeTriedAgain) { inDoubt = (message, outcomes) } else { conclude(message, outcomes) }
    }

    func ended(_ end: SMTPClientEnd) {
        if case .finished = end {
            settle()
        } else if let (message, outcomes) = inDoubt.take() {
            // A server that has taken messages and then ends the session has had enough of it, not of this one. One that it
            // has begun with may be its trouble, or be delivered already: that is not sent again at once.
            if answered > 0, !hasBegun {
                worker.putBack(message)
            } else {
                worker.conclude(message, outcomes, relay: target, isBroken: true)
            }
        }
        worker.ended(self, end)
    }

    private func settle() {
        if let (message, outcomes) = inDoubt.take() { conclude(message, outcomes) }
    }

    /// The server has answered for the message.
    private func conclude(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        answered += 1
        worker.answered(isFirst: answered == 1)
        worker.conclude(message, outcomes, relay: target)
    }
}
