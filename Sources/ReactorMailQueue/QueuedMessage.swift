/// A message in the spool, one that waits or one that failed, as people and scripts see it. The JSON names and values are a contract.
public struct QueuedMessage: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable {
        /// It will be tried, at ``QueuedMessage/nextAttempt``.
        case waiting
        /// The next hop refused it for good, for some recipients at least; it is kept and not tried again.
        case failed
    }

    public struct Recipient: Codable, Equatable, Sendable {
        public var address: String
        /// `waiting`, `delivered` or `failed`.
        public var state: String
        /// What the next hop said last about this recipient, or why it could not be asked.
        public var lastReply: String?

        enum CodingKeys: String, CodingKey {
            case address, state
            case lastReply = "last_reply"
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(address, forKey: .address)
            try container.encode(state, forKey: .state)
            try container.encode(lastReply, forKey: .lastReply)
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
    public var attempts: Int
    /// Nil when it has failed.
    public var nextAttempt: String?
    public var lastError: String?

    enum CodingKeys: String, CodingKey {
        case id, state, sender, recipients, size, received, attempts
        case nextAttempt = "next_attempt"
        case lastError = "last_error"
    }

    /// Written out so that what is absent is null, not missing: scripts find the same keys in every message.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(state, forKey: .state)
        try container.encode(sender, forKey: .sender)
        try container.encode(recipients, forKey: .recipients)
        try container.encode(size, forKey: .size)
        try container.encode(received, forKey: .received)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(nextAttempt, forKey: .nextAttempt)
        try container.encode(lastError, forKey: .lastError)
    }
}
