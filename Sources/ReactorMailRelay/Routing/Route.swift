public import ReactorSMTP

/// How the messages of a destination are delivered.
public enum Route: Sendable, Equatable {
    /// To the mail exchangers of the recipient's domain.
    case mx
    case nextHop(NextHop)
    /// Into Maildirs below this path, in which `%u` stands for the recipient's local part and `%d` for its domain.
    case maildir(String)
    /// Nowhere: taken, and thrown away.
    case discard
    /// Nowhere: every recipient fails, with this status and text.
    case error(EnhancedStatusCode, String)

    /// Reads `mx`, a ``NextHop``, `maildir:/path`, `discard` or `error:5.1.1 text`.
    public init(parsing text: String) throws(NextHopError) {
        if text == "mx" {
            self = .mx
        } else if text == "discard" || text == "discard:" {
            self = .discard
        } else if text.hasPrefix("maildir:") {
            let path = text.dropFirst(8)
            guard path.hasPrefix("/"), !path.utf8.contains(0) else { throw NextHopError(text: text) }
            self = .maildir(String(path))
        } else if text.hasPrefix("error:") {
            self = Self.error(from: String(text.dropFirst(6)))
        } else {
            self = .nextHop(try NextHop(parsing: text))
        }
    }

    /// `5.1.1 no such user`; without a status, 5.0.0.
    private static func error(from text: String) -> Route {
        let words = text.split(separator: " ", maxSplits: 1)
        let numbers = words.first?.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) } ?? []
        guard numbers.count == 3, numbers[0] == 5, let subject = numbers[1], let detail = numbers[2] else {
            return .error(EnhancedStatusCode(5, 0, 0), text.isEmpty ? "mail is not delivered there" : text)
        }
        let rest = words.count > 1 ? String(words[1]) : "mail is not delivered there"
        return .error(EnhancedStatusCode(5, subject, detail), rest)
    }

    /// What the destination of such a route is called, which says all of it; nil where the recipient's domain says it.
    var destination: String? {
        switch self {
        case .mx: nil
        case .nextHop(let hop): "\(hop)"
        case .maildir(let path): "maildir:\(path)"
        case .discard: "discard:"
        case .error(let status, let text): "error:\(status) \(text)"
        }
    }

    /// Whoever takes the message has it at its last station, and need not send it on.
    var isFinal: Bool {
        switch self {
        case .maildir, .discard: true
        case .nextHop(let hop): hop.isLMTP
        case .mx, .error: false
        }
    }

    /// A server that the operator has named: it is expected back soon.
    var isConfigured: Bool { if case .nextHop = self { true } else { false } }
}

/// Whether a session is encrypted.
public enum DestinationTLS: String, Sendable, CaseIterable {
    /// Never, even if the server offers it.
    case none
    /// If the server offers STARTTLS, whatever its certificate: eavesdroppers who only listen are kept out (RFC 7435).
    case opportunistic
    /// Always, whatever the certificate: mail waits if the server does not offer it.
    case required
    /// Always, and the certificate must be valid for the server's name.
    case verified
    /// From the first byte (RFC 8314 section 3), and the certificate must be valid for the server's name.
    case implicit
}
