import ReactorSMTP

/// Something to be written, in one transaction with whatever else waits, and who is to be told.
struct Submission: Sendable {
    enum Work: Sendable {
        case message(Envelope, MessageContent)
        case attempts([DeliveryAttempt], epoch: Int64)
        /// What an operator wants, or the queue itself.
        case change(@Sendable (inout SpoolTransaction) throws(Database.Failure) -> Void)
    }

    let work: Work
    /// Told once, on the thread that commits or the one that submits.
    let then: @Sendable (Result<Void, SpoolError>) -> Void

    var isMessage: Bool { if case .message = work { true } else { false } }

    /// The content that the transaction has to hold, and its envelopes roughly, in bytes.
    var weight: Int {
        switch work {
        case .message(let envelope, let content): Self.weight(envelope, content)
        case .attempts(let attempts, _):
            attempts.reduce(0) { sum, attempt in
                attempt.notices.reduce(sum + 128 * attempt.outcomes.count) { $0 + Self.weight($1.envelope, $1.content) }
            }
        case .change: 0
        }
    }

    private static func weight(_ envelope: Envelope, _ content: MessageContent) -> Int {
        var weight = 512 + envelope.sender.utf8.count + (envelope.envelopeID?.utf8.count ?? 0)
        if case .bytes(let bytes) = content { weight += bytes.count }
        for recipient in envelope.recipients {
            weight += 128 + 3 * recipient.address.utf8.count + (recipient.originalRecipient?.utf8.count ?? 0)
        }
        return weight
    }

    /// Contents that stay in files.
    var files: [(id: QueueID, file: ContentFile)] {
        switch work {
        case .message(let envelope, .file(let file)): [(envelope.id, file)]
        case .message, .change: []
        case .attempts(let attempts, _):
            attempts.flatMap { attempt in
                attempt.notices.compactMap { if case .file(let file) = $0.content { ($0.envelope.id, file) } else { nil } }
            }
        }
    }
}
