/// What SMTP says about a message besides its content: who sent it and who gets it (RFC 5321 section 2.3.1).
public struct Envelope: Sendable, Equatable {
    /// How the content is encoded, as the sender declared it by `BODY=` (RFC 6152).
    public enum BodyType: String, Sendable, Codable {
        case sevenBit = "7BIT"
        case eightBitMIME = "8BITMIME"
    }

    /// Chosen when the message began, so that its trace header can name it.
    public var id: QueueID
    /// The reverse-path without its angle brackets and source route; empty for `<>`, the sender of bounces.
    public var sender: String
    /// The forward-paths, as ``sender``; `Postmaster` may stand without a domain.
    public var recipients: [String]
    public var body: BodyType
    /// When the message was received, in seconds since 1970-01-01 UTC.
    public var received: Int64

    public init(id: QueueID, sender: String, recipients: [String], body: BodyType = .sevenBit, received: Int64) {
        self.id = id
        self.sender = sender
        self.recipients = recipients
        self.body = body
        self.received = received
    }
}

/// Names one message from acceptance to delivery: in the reply, the trace header, the log and the queue.
public struct QueueID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// 13 random characters, 64 bits: unique without asking the spool, also among forked processes. The alphabet has
    /// no vowels, so that no words arise, and one case, so that people can read it out.
    public static func random() -> QueueID {
        let alphabet: StaticString = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
        return QueueID(text: String(unsafeUninitializedCapacity: 13) { characters in
            for index in 0..<13 {
                characters[index] = alphabet.utf8Start[Int.random(in: 0..<alphabet.utf8CodeUnitCount)]
            }
            return 13
        })
    }

    public init(text: String) { self.text = text }
    public var description: String { text }
}
