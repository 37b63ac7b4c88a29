import ReactorSMTP
import ReactorWire

/// A message in the spool, as people and scripts see it. The JSON names and values are a contract.
public struct QueuedMessage: Decodable, Equatable, Sendable {
    public enum State: String, Decodable, Sendable, CaseIterable {
        /// It will be tried, at ``QueuedMessage/nextAttempt``.
        case waiting
        /// An operator holds it back.
        case held
        /// It was refused for good, for some recipients at least, and nobody waits for it any more; it is kept.
        case failed
        /// It could not be read, and is set aside; ``QueuedMessage/lastError`` says why.
        case quarantined
    }

    public struct Recipient: Decodable, Equatable, Sendable {
        public var address: String
        /// Whom it is handed to.
        public var destination: String
        /// `waiting`, `delivered` or `failed`.
        public var state: String
        public var attempts: Int
        /// RFC 3339; nil when none is to come.
        public var nextAttempt: String?
        /// RFC 3463.
        public var status: String?
        /// What the next hop said last about this recipient, or why it could not be asked.
        public var lastReply: String?
        /// Who said it; nil if it was decided here.
        public var remote: String?

        enum CodingKeys: String, CodingKey {
            case address, destination, state, attempts, status, remote
            case nextAttempt = "next_attempt"
            case lastReply = "last_reply"
        }
    }

    public var id: String
    public var state: State
    /// Empty for the null sender of bounces.
    public var sender: String
    public var recipients: [Recipient]
    /// Of the content, in bytes.
    public var size: Int
    /// RFC 3339, as all times here.
    public var received: String
    /// Of the recipient with the most.
    public var attempts: Int
    /// The earliest; nil when none is to come.
    public var nextAttempt: String?
    public var lastError: String?
    /// `7BIT`, `8BITMIME` or `BINARYMIME`.
    public var body: String
    /// SMTPUTF8 was asked for.
    public var isInternationalized: Bool
    /// `RET=`.
    public var returnContent: String?
    /// `ENVID=`, in xtext.
    public var envelopeID: String?

    enum CodingKeys: String, CodingKey {
        case id, state, sender, recipients, size, received, attempts, body
        case nextAttempt = "next_attempt"
        case lastError = "last_error"
        case isInternationalized = "smtputf8"
        case returnContent = "ret"
        case envelopeID = "envid"
    }
}

extension QueuedMessage {
    /// RFC 3339, in UTC.
    package static func timestamp(_ unixSeconds: Int64) -> String { CivilTime(unixSeconds: unixSeconds).timestamp }

    /// One object, in one line. What is absent is null, not missing: scripts find the same keys in every message.
    ///
    /// Written out because a queue may hold 100,000 of them.
    ///
    /// - Parameter header: the message's header, where it is wanted.
    public func json(header: String? = nil) -> String {
        var json = JSONObject()
        json.add("id", id)
        json.add("state", state.rawValue)
        json.add("sender", sender)
        json.add("recipients", array: recipients.map(\.json))
        json.add("size", size)
        json.add("received", received)
        json.add("attempts", attempts)
        json.add("next_attempt", nextAttempt)
        json.add("last_error", lastError)
        json.add("body", body)
        json.add("smtputf8", isInternationalized)
        json.add("ret", returnContent)
        json.add("envid", envelopeID)
        if let header { json.add("header", header) }
        return json.text
    }
}

extension QueuedMessage.Recipient {
    fileprivate var json: String {
        var json = JSONObject()
        json.add("address", address)
        json.add("destination", destination)
        json.add("state", state)
        json.add("attempts", attempts)
        json.add("next_attempt", nextAttempt)
        json.add("status", status)
        json.add("last_reply", lastReply)
        json.add("remote", remote)
        return json.text
    }
}
