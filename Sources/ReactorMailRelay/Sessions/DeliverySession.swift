import ReactorSMTP

/// What one connection asks its destination's worker, and tells it.
final class DeliverySession: DeliverySource {
    private let worker: DestinationWorker
    /// Whom it is connected to, and whom else it may try.
    var target: DeliveryTarget?
    var further: ConnectionAttempts
    /// It has asked for a message: the server has let it in.
    private(set) var hasAsked = false
    /// It has an answer to MAIL.
    private(set) var gaveService = false
    /// Messages that the server has answered for.
    private(set) var answered = 0
    private var taken = 0
    /// An outcome that may be the connection's: the next event tells.
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
        return message
    }

    func nextHopWorks() { gaveService = true }

    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        if outcomes.allSatisfy(\.isOfTheConnection) {
            inDoubt = (message, outcomes)
        } else {
            answered += 1
            worker.answered(isFirst: answered == 1)
            worker.conclude(message, outcomes, relay: target)
        }
    }

    func ended(_ end: SMTPClientEnd) {
        let end = SessionEnd(end)
        if case .finished = end {
            settle()
        } else if let (message, outcomes) = inDoubt.take() {
            // A server that has taken messages and then ends the session has had enough of it, not of this one.
            if answered > 0 { worker.putBack(message) } else { worker.conclude(message, outcomes, relay: target) }
        }
        worker.ended(self, end)
    }

    private func settle() {
        guard let (message, outcomes) = inDoubt.take() else { return }
        worker.conclude(message, outcomes, relay: target)
    }
}
