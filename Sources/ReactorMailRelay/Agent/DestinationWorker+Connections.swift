import Glibc
import Reactor
import ReactorSMTP

/// From a destination to sessions with its servers, and what their ends say of it.
extension DestinationWorker {
    func connect() {
        connections += 1
        opening += 1
        agent.finder.find(name, by: route) { [self] decision in
            switch decision {
            case .targets(let targets):
                tryNext(DeliverySession(self, ConnectionAttempts(targets, limits: limits, now: agent.now)))
            case .deferred(let report):
                closed(neverAsked: true)
                failed(report, answered: false, gaveService: false)
            case .failed(let report):
                closed(neverAsked: true)
                refuseAll(.failed(report))
                pump()
            }
        }
    }

    /// Tries one address after the other.
    private func tryNext(_ session: DeliverySession) {
        guard !agent.isStopping, case .delivering = phase, let target = session.further.next(at: agent.now) else {
            closed(neverAsked: true)
            return failed(session.further.report, answered: false, gaveService: false)
        }
        session.target = target
        agent.connect(session, SessionSettings(self, target, inPlain: session.plainTarget == target)) { [self] error in
            session.further.failed(.here(4, 4, 1, "\(error)"), wasTried: !error.isWithoutAWay)
            tryNext(session)
        }
    }

    func connectionAsks() { opening -= 1 }

    func answered(isFirst: Bool) {
        if isFirst { proven += 1 }
        health.answered()
        // The window may have grown.
        agent.after(.zero) { [self] in pump() }
    }

    func ended(_ session: DeliverySession, _ end: SMTPClientEnd) {
        switch end {
        case .tlsFailed(let report) where !session.hasAsked:
            // Opportunistic: better in plain than not at all (RFC 7435 section 3).
            session.further.failed(report)
            if let target = session.target, session.plainTarget != target {
                session.plainTarget = target
                session.further.again(target)
            }
            tryNext(session)
        case .unusable(let report) where !session.hasAsked:
            session.further.failed(report)
            tryNext(session)
        case .unusable(let report), .tlsFailed(let report):
            closed(session)
            failed(report, answered: session.answered > 0, gaveService: session.gaveService)
        case .finished:
            closed(session)
            pump()
        }
    }

    private func closed(_ session: DeliverySession) {
        if session.answered > 0 { proven -= 1 }
        closed(neverAsked: !session.hasAsked)
    }

    private func closed(neverAsked: Bool) {
        connections -= 1
        if neverAsked { opening -= 1 }
        agent.gaveConnection()
    }

    private func failed(_ report: DeliveryReport, answered: Bool, gaveService: Bool) {
        guard !agent.isStopping, case .delivering = phase else { return pump() }
        if health.sessionFailed(answered: answered, others: proven > 0, gaveService: gaveService) { return die(report) }
        pump()
    }
}

extension SystemError {
    /// This machine has no way there, such as to IPv6 addresses where there is no IPv6.
    var isWithoutAWay: Bool { [ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(errno) }
}
