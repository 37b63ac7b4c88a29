public import ReactorSMTP

/// A message, and who is to have it: what an ``SMTPClient`` sends.
public struct OutgoingMail: Sendable {
    /// The reverse-path, to which failures are reported; empty for none.
    public var sender: String
    public var recipients: [Envelope.Recipient]
    /// Header and body, in lines that end in CRLF. See ``MailPreparation`` for what people write.
    public var content: MessageContent
    /// What the content is declared to be; nil to look.
    public var body: Envelope.BodyType?
    /// `RET=` and `ENVID=` (RFC 3461), the latter in xtext.
    public var returnContent: Envelope.ReturnContent?
    public var envelopeID: String?

    public init(from sender: String, to recipients: [String], content: MessageContent) {
        self.sender = sender
        self.recipients = recipients.map { Envelope.Recipient($0) }
        self.content = content
    }

    public init(from sender: String, to recipients: [String], content: [UInt8]) {
        self.init(from: sender, to: recipients, content: .bytes(content))
    }

    /// As the handler takes it. Reads a content that is in a file.
    func message() throws(ContentFileError) -> OutgoingMessage {
        let facts = try content.facts()
        let addresses = [sender] + recipients.map(\.address)
        let needsUTF8 = facts.has8BitHeader || addresses.contains { !$0.utf8.allSatisfy { $0 < 128 } }
        let envelope = Envelope(
            id: .random(), sender: sender, recipients: [], body: body ?? (facts.has8Bit ? .eightBitMIME : .sevenBit),
            isInternationalized: needsUTF8, returnContent: returnContent, envelopeID: envelopeID, received: 0)
        return OutgoingMessage(
            number: 0, envelope: envelope,
            recipients: recipients.enumerated().map { OutgoingMessage.Recipient(position: Int64($0), $1) }, content: content)
    }
}

/// What became of a message that a server took part in: an outcome for each recipient, in the order they were given.
public struct MailReceipt: Equatable, Sendable {
    public struct Recipient: Equatable, Sendable {
        public var address: String
        public var outcome: DeliveryOutcome
    }

    public var recipients: [Recipient]

    /// The server has taken responsibility for all of them.
    public var isDelivered: Bool { recipients.allSatisfy(\.outcome.isDelivered) }
}
