/// A message on its way to one destination: what a queue hands to a client.
public struct OutgoingMessage: Sendable {
    /// One who has not had it yet.
    public struct Recipient: Sendable, Equatable {
        /// Among all recipients of the message.
        public var position: Int64
        public var recipient: Envelope.Recipient
        /// Attempts made before.
        public var attempts: Int

        public init(position: Int64, _ recipient: Envelope.Recipient, attempts: Int = 0) {
            self.position = position
            self.recipient = recipient
            self.attempts = attempts
        }

        public var address: String { recipient.address }
    }

    /// Names the message in its queue.
    public var number: Int64
    /// What is the same for every recipient; its `recipients` are empty.
    public var envelope: Envelope
    public var recipients: [Recipient]
    public var content: MessageContent
    /// The sender has been told that it takes longer.
    public var isWarned: Bool

    public init(number: Int64, envelope: Envelope, recipients: [Recipient], content: MessageContent, isWarned: Bool = false) {
        self.number = number
        self.envelope = envelope
        self.recipients = recipients
        self.content = content
        self.isWarned = isWarned
    }

    public var id: QueueID { envelope.id }
}
