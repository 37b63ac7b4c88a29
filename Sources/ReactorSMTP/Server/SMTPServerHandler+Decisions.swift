import ConnectionHandling
import Logging

/// What the policy has a say in: each step is its own, then the embedder's, then taken.
extension SMTPServerHandler {
    mutating func decide(_ step: Step, on connection: inout Connection) {
        guard let policy = server.options.policy else { return take(step, wasPending: false, on: &connection) }
        follow(ask(policy, about: step, on: connection), step, wasPending: false, on: &connection)
    }

    private func ask(_ policy: any SMTPServerPolicy, about step: Step, on connection: borrowing Connection) -> SMTPDecision {
        switch step {
        case .connect: return policy.connected(session(on: connection))
        case .hello(let name, let extended):
            return policy.greeted(session(on: connection, hello: name, extended: extended))
        case .mail(let envelope): return policy.sender(of: envelope, in: session(on: connection))
        case .recipient(let recipient):
            guard let envelope = transaction?.envelope else { return .accept }
            return policy.recipient(recipient, of: envelope, in: session(on: connection))
        case .message:
            guard let transaction, let incoming = transaction.incoming else { return .accept }
            let content: MessageContent = incoming.content.file.map { .file($0) } ?? .bytes(incoming.content.bytes)
            return policy.message(transaction.envelope, content, in: session(on: connection))
        }
    }

    private mutating func follow(
        _ decision: SMTPDecision, _ step: Step, wasPending: Bool, on connection: inout Connection
    ) {
        switch decision {
        case .accept: take(step, wasPending: wasPending, on: &connection)
        case .refuse(let refusal): refuse(step, refusal, on: &connection)
        case .pending(let work):
            connection.setDeadline(after: server.limits.decision)
            phase = .awaiting(.decision(connection.await(work), step))
        }
    }

    mutating func decided(_ awaited: Awaited<SMTPDecision>, _ step: Step, on connection: inout Connection) {
        switch awaited.take() {
        case .success(let decision): follow(decision, step, wasPending: true, on: &connection)
        case .failure(let error):
            server.logger.error("no decision", metadata: ["id": "\(transaction?.envelope.id.text ?? "")", "error": "\(error)"])
            refuse(step, nil, on: &connection)
        case nil: refuse(step, nil, on: &connection)
        }
        // As behind every command; what a step has begun has a deadline of its own.
        if case .command = phase { awaitCommand(on: &connection) }
    }

    private mutating func take(_ step: Step, wasPending: Bool, on connection: inout Connection) {
        switch step {
        case .connect: prepareGreeting(wasPending: wasPending, on: &connection)
        case .hello(let name, let extended): answerHello(name, extended: extended, on: &connection)
        case .mail(let envelope):
            transaction = SMTPTransaction(envelope)
            write(.senderOK, on: &connection)
        case .recipient(let recipient):
            transaction?.envelope.recipients.append(recipient)
            write(.recipientOK, on: &connection)
        case .message: commit(on: &connection)
        }
    }

    /// - Parameter refusal: nil if there is no decision.
    private mutating func refuse(_ step: Step, _ refusal: SMTPRefusal?, on connection: inout Connection) {
        let reply = refusal.map(SMTPServerReply.refusal) ?? .undecided
        switch step {
        case .connect:
            log(refused: reply, on: connection)
            // RFC 5321 section 3.1: a refusal for good is 554, and for now 421; the policy's word otherwise.
            guard let refusal, refusal.code >= 500, !refusal.endsSession else { return close(with: reply, on: &connection) }
            facts.insert(.refused)
            write(reply, on: &connection)
            awaitCommand(on: &connection)
        case .message: end(refusedBy: reply, on: &connection)
        case .hello, .mail, .recipient: refuse(reply, on: &connection)
        }
    }

    private func session(
        on connection: borrowing Connection, hello name: String? = nil, extended: Bool? = nil
    ) -> SMTPSession {
        SMTPSession(
            peer: connection.peer, hello: name ?? (hello.isEmpty ? nil : hello), isExtended: extended ?? facts.contains(.extended),
            isSecured: connection.layer != nil, user: user, mayRelay: mayRelay(connection.peer))
    }
}
