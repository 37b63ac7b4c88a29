import Synchronization

/// What an SMTP server has done since it was made, in this process, and how many sessions it has now.
public struct SMTPServerStatistics: Sendable, Equatable {
    /// Sessions begun, and those that have not ended.
    public var sessions: UInt64 = 0
    public var openSessions = 0
    /// Messages answered with 250, the recipients they were accepted for, and their contents in bytes.
    public var messages: UInt64 = 0
    public var recipients: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Replies that refuse something for now (4yz) and for good (5yz).
    public var postponed: UInt64 = 0
    public var refused: UInt64 = 0

    public init() {}
}

/// The counts behind ``SMTPServerStatistics``: touched when a session begins and ends, for a message and for a refusal.
final class SMTPServerCounters: Sendable {
    private let begun = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)
    private let messages = Atomic<UInt64>(0)
    private let recipients = Atomic<UInt64>(0)
    private let bytes = Atomic<UInt64>(0)
    private let postponed = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)

    func sessionBegan() { begun.wrappingAdd(1, ordering: .relaxed) }
    func sessionEnded() { ended.wrappingAdd(1, ordering: .releasing) }

    func accepted(recipients count: Int, size: Int) {
        messages.wrappingAdd(1, ordering: .relaxed)
        recipients.wrappingAdd(UInt64(clamping: count), ordering: .relaxed)
        bytes.wrappingAdd(UInt64(clamping: size), ordering: .relaxed)
    }

    func count(_ reply: SMTPServerReply) {
        switch reply.severity {
        case 4: postponed.wrappingAdd(1, ordering: .relaxed)
        case 5: refused.wrappingAdd(1, ordering: .relaxed)
        default: break
        }
    }

    var snapshot: SMTPServerStatistics {
        var statistics = SMTPServerStatistics()
        // Ended first: none may seem to have ended that had not begun.
        let ended = ended.load(ordering: .acquiring)
        statistics.sessions = begun.load(ordering: .relaxed)
        statistics.openSessions = Int(clamping: statistics.sessions &- min(ended, statistics.sessions))
        statistics.messages = messages.load(ordering: .relaxed)
        statistics.recipients = recipients.load(ordering: .relaxed)
        statistics.bytes = bytes.load(ordering: .relaxed)
        statistics.postponed = postponed.load(ordering: .relaxed)
        statistics.refused = refused.load(ordering: .relaxed)
        return statistics
    }
}

extension SMTPServerReply {
    /// The first digit of its code (RFC 5321 section 4.2.1). What is said to each command of a message costs no more than this
    /// comparison.
    fileprivate var severity: Int {
        switch self {
        case .ok, .senderOK, .recipientOK, .reset, .bye, .cannotVerify, .help, .startTLS, .authenticated: 2
        case .startInput: 3
        case .refusal(let refusal): refusal.code / 100
        default: text.hasPrefix("4") ? 4 : 5
        }
    }
}
