/// What SMTP says about a message besides its content: who sent it and who gets it (RFC 5321 section 2.3.1).
public struct Envelope: Sendable, Equatable {
    /// How the content is encoded, as the sender declared it by `BODY=` (RFC 6152, RFC 3030).
    public enum BodyType: String, Sendable, Codable {
        case sevenBit = "7BIT"
        case eightBitMIME = "8BITMIME"
        case binaryMIME = "BINARYMIME"
    }

    /// What a notification returns of the message: `RET=` (RFC 3461 section 4.3).
    public enum ReturnContent: String, Sendable, Codable {
        case full = "FULL"
        case headers = "HDRS"
    }

    /// One of those who get the message, and what the sender wants to hear of it (RFC 3461).
    public struct Recipient: Sendable, Equatable {
        /// The forward-path without its angle brackets and source route; `Postmaster` may stand without a domain.
        public var address: String
        /// `NOTIFY=`; nil where the sender did not say, which means failures, and delays if the relay likes.
        public var notify: Notify?
        /// `ORCPT=` as it stood on the wire: an address type, a semicolon and xtext.
        public var originalRecipient: String?

        public init(_ address: String, notify: Notify? = nil, originalRecipient: String? = nil) {
            self.address = address
            self.notify = notify
            self.originalRecipient = originalRecipient
        }
    }

    /// Which notifications a sender asks for (RFC 3461 section 4.1). None of them: `NEVER`.
    public struct Notify: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let never: Notify = []
        public static let success = Notify(rawValue: 1)
        public static let failure = Notify(rawValue: 2)
        public static let delay = Notify(rawValue: 4)
    }

    /// Chosen when the message began, so that its trace header can name it.
    public var id: QueueID
    /// The reverse-path without its angle brackets and source route; empty for `<>`, the sender of bounces.
    public var sender: String
    public var recipients: [Recipient]
    public var body: BodyType
    /// `SMTPUTF8`: addresses or header may hold UTF-8 (RFC 6531).
    public var isInternationalized: Bool
    /// `RET=`; nil where the sender did not say.
    public var returnContent: ReturnContent?
    /// `ENVID=` as it stood on the wire, in xtext (RFC 3461 section 4.4).
    public var envelopeID: String?
    /// When the message was received, in seconds since 1970-01-01 UTC.
    public var received: Int64

    public init(
        id: QueueID, sender: String, recipients: [Recipient], body: BodyType = .sevenBit, isInternationalized: Bool = false,
        returnContent: ReturnContent? = nil, envelopeID: String? = nil, received: Int64
    ) {
        self.id = id
        self.sender = sender
        self.recipients = recipients
        self.body = body
        self.isInternationalized = isInternationalized
        self.returnContent = returnContent
        self.envelopeID = envelopeID
        self.received = received
    }
}
