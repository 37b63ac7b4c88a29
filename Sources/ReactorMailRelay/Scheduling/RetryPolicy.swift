import ReactorSMTP

/// What follows from the outcomes of an attempt: who is tried again and when, who is given up, and who is told. A value
/// without I/O or clock.
struct RetryPolicy {
    let limits: DeliveryLimits
    /// How this relay calls itself in notices.
    let hostname: String

    /// What to write down, and what is left to do at once.
    struct Conclusion {
        var attempts: [DeliveryAttempt] = []
        /// Recipients for whom there was no room in the transaction.
        var again: OutgoingMessage?
    }

    /// - Parameters:
    ///   - isFinal: those who were delivered to are at the last station.
    ///   - isHop: the trouble is a next hop's of the operator's, who will put it right soon, and not the message's: it waits no
    ///     longer than the next hop rests.
    func conclude(
        _ message: OutgoingMessage, _ outcomes: [DeliveryOutcome], isFinal: Bool, isHop: Bool, at now: Int64,
        using random: inout some RandomNumberGenerator
    ) -> Conclusion {
        var conclusion = Conclusion()
        var left: [OutgoingMessage.Recipient] = []
        // The retry depends on how often a recipient was tried, and an attempt has one.
        var groups: [Int: (recipients: [OutgoingMessage.Recipient], outcomes: [DeliveryOutcome])] = [:]
        let hasDelivered = outcomes.contains(where: \.isDelivered)
        for (recipient, outcome) in zip(message.recipients, outcomes) {
            if case .leftOver = outcome, hasDelivered {
                left.append(recipient)
                continue
            }
            groups[recipient.attempts, default: ([], [])].recipients.append(recipient)
            groups[recipient.attempts, default: ([], [])].outcomes.append(final(outcome, message, now))
        }
        if !left.isEmpty {
            conclusion.again = message
            conclusion.again?.recipients = left
        }
        for (tries, group) in groups.sorted(by: { $0.key < $1.key }) {
            var part = message
            part.recipients = group.recipients
            let delay = delay(after: tries, isHop, &random)
            let next = now.addingReportingOverflow(delay)
            let attempt = DeliveryAttempt(message: part, outcomes: group.outcomes, nextAttempt: next.overflow ? .max : next.partialValue)
            conclusion.attempts.append(attempt)
        }
        tell(&conclusion, message, isFinal: isFinal, now)
        // What follows needs the message's name, not its content.
        for index in conclusion.attempts.indices { conclusion.attempts[index].message.content = .bytes([]) }
        return conclusion
    }

    /// Whether there is something to do about it although it was not tried: its time is over, or its sender to be told.
    func isOverdue(_ message: OutgoingMessage, at now: Int64) -> Bool { isExpired(message, now) || isLate(message, now) }

    private func final(_ outcome: DeliveryOutcome, _ message: OutgoingMessage, _ now: Int64) -> DeliveryOutcome {
        switch outcome {
        case .delivered, .failed: return outcome
        case .deferred(var report), .leftOver(var report):
            guard isExpired(message, now) else { return .deferred(report) }
            report.status = EnhancedStatusCode(4, 4, 7)
            report.text = "not delivered in time: \(report.text)"
            return .failed(report)
        }
    }

    /// In seconds.
    private func delay(
        after tries: Int, _ isHop: Bool, _ random: inout some RandomNumberGenerator
    ) -> Int64 {
        let backoff =
            isHop
            ? Backoff(first: limits.firstReconnect, last: limits.lastReconnect)
            : Backoff(first: limits.firstRetry, last: limits.lastRetry)
        let (seconds, fraction) = backoff.delay(after: min(max(tries, 0), 1000) + 1, using: &random).components
        return max(1, seconds + (fraction > 0 ? 1 : 0))
    }

    private func age(_ message: OutgoingMessage, _ now: Int64) -> Duration {
        let age = now.subtractingReportingOverflow(message.envelope.received)
        // A clock that was set back makes no message old.
        return .seconds(age.overflow ? 0 : max(0, age.partialValue))
    }

    private func isExpired(_ message: OutgoingMessage, _ now: Int64) -> Bool { age(message, now) > limits.lifetime }

    private func isLate(_ message: OutgoingMessage, _ now: Int64) -> Bool {
        guard let warnAfter = limits.warnAfter, !message.isWarned, !message.envelope.sender.isEmpty else { return false }
        return age(message, now) > warnAfter && message.recipients.contains { Self.wants(.delay, $0) }
    }

    // MARK: Notices

    /// Whether the sender wants to hear this of a recipient (RFC 3461 section 4.1).
    private static func wants(_ what: Envelope.Notify, _ recipient: OutgoingMessage.Recipient) -> Bool {
        recipient.recipient.notify?.contains(what) ?? (what != .success)
    }

    /// Adds the notices that the outcomes give rise to. Nobody is told of a notice's own fate (RFC 5321 section 6.1).
    private func tell(_ conclusion: inout Conclusion, _ message: OutgoingMessage, isFinal: Bool, _ now: Int64) {
        if message.envelope.sender.isEmpty || conclusion.attempts.isEmpty { return }
        let isLate = isLate(message, now)
        var failed: [Notice.Recipient] = []
        var late: [Notice.Recipient] = []
        var delivered: [Notice.Recipient] = []
        for attempt in conclusion.attempts {
            for (recipient, outcome) in zip(attempt.message.recipients, attempt.outcomes) {
                let subject = Notice.Recipient(recipient.recipient, outcome.report)
                switch outcome {
                case .failed where Self.wants(.failure, recipient): failed.append(subject)
                case .deferred where isLate && Self.wants(.delay, recipient): late.append(subject)
                case .delivered(let report) where Self.wants(.success, recipient) && !report.notifiesOnward:
                    delivered.append(subject)
                default: break
                }
            }
        }
        let until = message.envelope.received.addingReportingOverflow(limits.lifetime.components.seconds)
        for (kind, recipients) in [
            (Notice.Kind.failed, failed), (.delayed(until: until.overflow ? .max : until.partialValue), late),
            (isFinal ? .delivered : .relayed, delivered),
        ] where !recipients.isEmpty {
            let notice = Notice(kind: kind, about: message, recipients: recipients, hostname: hostname, now: now)
            conclusion.attempts[0].notices.append(notice.made(returning: limits.returnedContent))
        }
        if !late.isEmpty { for index in conclusion.attempts.indices { conclusion.attempts[index].warned = true } }
    }
}

extension DeliveryOutcome {
    var isToBeTriedAgain: Bool {
        switch self {
        case .deferred, .leftOver: true
        case .delivered, .failed: false
        }
    }
}
