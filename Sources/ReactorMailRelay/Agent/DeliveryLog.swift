import ConnectionHandling
import Logging
import ReactorSMTP

/// What an operator reads: a line for each recipient and attempt, in the words that Postfix has made usual.
struct DeliveryLog {
    let logger: Logger

    func outcomes(_ attempts: [DeliveryAttempt], relay: DeliveryTarget?, _ route: Route, at now: Int64) {
        for attempt in attempts {
            for (recipient, outcome) in zip(attempt.message.recipients, attempt.outcomes) {
                line(attempt, recipient.address, outcome, relay, route, now)
            }
            for notice in attempt.notices {
                logger.info("notice", metadata: ["id": "\(attempt.message.id)", "notice": "\(notice.envelope.id)"])
            }
        }
    }

    private func line(
        _ attempt: DeliveryAttempt, _ address: String, _ outcome: DeliveryOutcome, _ relay: DeliveryTarget?, _ route: Route, _ now: Int64
    ) {
        let envelope = attempt.message.envelope
        let (status, level): (String, Logger.Level) =
            switch outcome {
            case .delivered: ("sent", .info)
            case .deferred, .leftOver: ("deferred", .info)
            case .failed: ("bounced", .notice)
            }
        func metadata() -> Logger.Metadata {
            let report = outcome.report
            var metadata: Logger.Metadata = [
                "id": "\(attempt.message.id)", "to": "\(address)", "relay": "\(Self.name(relay, route))",
                "delay": "\(max(0, now.subtractingReportingOverflow(envelope.received).partialValue))", "dsn": "\(report.status)",
                "reply": "\(report.text)",
            ]
            // Nobody hears of a notice that cannot be delivered but who reads this.
            if case .failed = outcome, envelope.sender.isEmpty { metadata["discarded"] = "a notice" }
            return metadata
        }
        logger.log(level: level, "\(status)", metadata: metadata())
    }

    private static func name(_ relay: DeliveryTarget?, _ route: Route) -> String {
        if let relay {
            return relay.address.isUnix ? "\(relay.address)" : "\(relay.name)[\(relay.address.host)]:\(relay.address.port ?? 0)"
        }
        if case .maildir = route { return "local" }
        return "none"
    }

    func death(_ destination: String, _ report: DeliveryReport, rest: Duration) {
        logger.warning(
            "destination gives no service",
            metadata: ["destination": "\(destination)", "reason": "\(report.text)", "rest": "\(rest)"])
    }

    func clockWasSet(by seconds: Int64) { logger.warning("the clock was set", metadata: ["seconds": "\(seconds)"]) }

    func trouble(_ what: String, _ error: MailQueueError) { logger.error("\(what)", metadata: ["error": "\(error)"]) }
}
