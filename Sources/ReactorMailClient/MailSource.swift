import ReactorSMTP

/// One message for one session, and what became of it.
final class MailSource: DeliverySource {
    private var next: OutgoingMessage?
    private let addresses: [String]
    private var outcomes: [DeliveryOutcome?]
    private var failure: SendMailError?
    private(set) var end: SMTPClientEnd?
    /// Called once the connection is gone.
    var onEnd: (() -> Void)?

    init(_ addresses: [String], _ message: OutgoingMessage) {
        next = message
        self.addresses = addresses
        outcomes = Array(repeating: nil, count: addresses.count)
    }

    func nextMessage() -> OutgoingMessage? { next.take() }
    func nextHopWorks() {}

    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        var left: [OutgoingMessage.Recipient] = []
        for (recipient, outcome) in zip(message.recipients, outcomes) {
            self.outcomes[Int(recipient.position)] = outcome
            if case .leftOver = outcome { left.append(recipient) }
        }
        // Those who were too many have a transaction of their own, as long as each gets the message to somebody.
        guard !left.isEmpty, outcomes.contains(where: \.isDelivered) else { return }
        var rest = message
        rest.recipients = left
        next = rest
    }

    func ended(_ end: SMTPClientEnd) {
        self.end = end
        tell()
    }

    /// There was no connection.
    func abandon(_ error: SendMailError) {
        failure = error
        tell()
    }

    private func tell() {
        let onEnd = onEnd.take()
        onEnd?()
    }

    var result: Result<MailReceipt, SendMailError> {
        if let failure { return .failure(failure) }
        if outcomes.allSatisfy({ $0 == nil }), !outcomes.isEmpty {
            switch end {
            case .unusable(let report), .tlsFailed(let report): return .failure(.noService(report))
            case .finished, nil: break
            }
        }
        let untried = DeliveryOutcome.deferred(DeliveryReport(status: EnhancedStatusCode(4, 4, 2), text: "not reached"))
        return .success(
            MailReceipt(recipients: zip(addresses, outcomes).map { MailReceipt.Recipient(address: $0, outcome: $1 ?? untried) }))
    }
}
