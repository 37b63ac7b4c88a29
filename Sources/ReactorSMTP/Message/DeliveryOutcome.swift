/// What became of an attempt to deliver a message to one recipient.
public enum DeliveryOutcome: Equatable, Sendable {
    /// The next hop has taken responsibility.
    case delivered(DeliveryReport)
    /// Not now: it is tried again.
    case deferred(DeliveryReport)
    /// One too many for a transaction that others were in: it is tried again in another one, at once if that delivered
    /// to somebody (RFC 5321 section 4.5.3.1.10).
    case leftOver(DeliveryReport)
    /// Never.
    case failed(DeliveryReport)

    public var report: DeliveryReport {
        switch self {
        case .delivered(let report), .deferred(let report), .leftOver(let report), .failed(let report): report
        }
    }

    public var isDelivered: Bool { if case .delivered = self { true } else { false } }
}

/// Who said what, for logs, queue listings and notifications (RFC 3464).
public struct DeliveryReport: Equatable, Sendable {
    public var status: EnhancedStatusCode
    /// What the peer replied, code first; or why, where nobody was asked. Printable ASCII in one line.
    public var text: String
    /// The host that said it, as a name or an address; nil where it was decided here.
    public var remote: String?
    /// The next hop took over the duty to notify: it offers DSN (RFC 3461 section 5.2.1).
    public var notifiesOnward: Bool

    public init(status: EnhancedStatusCode, text: String, remote: String? = nil, notifiesOnward: Bool = false) {
        self.status = status
        self.text = text
        self.remote = remote
        self.notifiesOnward = notifiesOnward
    }
}

/// `class.subject.detail` (RFC 3463).
public struct EnhancedStatusCode: Hashable, Sendable, CustomStringConvertible {
    public var kind: UInt16
    public var subject: UInt16
    public var detail: UInt16

    public init(_ kind: UInt16, _ subject: UInt16, _ detail: UInt16) {
        self.kind = kind
        self.subject = subject
        self.detail = detail
    }

    public var description: String { "\(kind).\(subject).\(detail)" }
}
