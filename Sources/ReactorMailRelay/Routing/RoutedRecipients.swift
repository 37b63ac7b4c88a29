public import ReactorSMTP

/// Refuses in the session whom the routes would not deliver to: who has no mailbox, and whom an `error:` route is about. To
/// accept them first would be to send notices to whoever the sender is said to be. Clients that may relay are known, and hear of
/// such recipients as of all others, by a notice.
///
/// Looks at a mailbox's directory in the call, which takes as long as its file system does.
public struct RoutedRecipients: SMTPServerPolicy {
    private let routes: Routes
    private let hostname: String

    public init(_ routes: Routes, hostname: String) {
        self.routes = routes
        self.hostname = hostname
    }

    public func recipient(_ recipient: Envelope.Recipient, of envelope: Envelope, in session: SMTPSession) -> SMTPDecision {
        session.mayRelay ? .accept : refusal(of: recipient.address).map { .refuse($0) } ?? .accept
    }

    func refusal(of address: String) -> SMTPRefusal? {
        switch routes.route(to: routes.destination(for: address)) {
        // What fails for another reason than class 5 fails later, by a notice.
        case .error(let status, let text) where status.kind == 5: SMTPRefusal(code: 550, status: status, text: text)
        case .maildir(let path) where !Mailboxes(path, hostname: hostname).has(address):
            SMTPRefusal(code: 550, status: EnhancedStatusCode(5, 1, 1), text: "there is no such mailbox")
        case .mx, .nextHop, .maildir, .discard, .error: nil
        }
    }
}
