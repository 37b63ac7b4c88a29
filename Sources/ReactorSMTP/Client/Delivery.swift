import ReactorWire

/// What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1).
struct ServerExtensions {
    var pipelining = false
    var eightBitMIME = false
    var size = false
    /// The largest message the server takes, if it says.
    var maxSize: Int?

    init() {}

    init(_ reply: SMTPReply) {
        for line in reply.lines.dropFirst() {
            let words = line.split(separator: " ")
            switch words.first?.uppercased() {
            case "PIPELINING": pipelining = true
            case "8BITMIME": eightBitMIME = true
            case "SIZE":
                size = true
                // RFC 1870 section 4: zero or nothing says that there is no fixed limit.
                if words.count > 1, let limit = Int(words[1]), limit > 0 { maxSize = limit }
            default: break
            }
        }
    }
}

/// One message on its way through a transaction: which commands were sent and answered, and each recipient's outcome.
struct Delivery {
    let message: OutgoingMessage
    /// Nil while a recipient's outcome is open.
    private(set) var outcomes: [DeliveryOutcome?]
    private let pipelined: Bool
    /// Indices of recipients, in the order of their RCPT commands.
    private var commands: [Int] = []
    private var sent = 0
    /// Replies taken: MAIL's, then one for each RCPT.
    private(set) var answered = 0
    private var accepted = 0

    init(_ message: OutgoingMessage, pipelined: Bool) {
        self.message = message
        self.pipelined = pipelined
        outcomes = Array(repeating: nil, count: message.recipients.count)
    }

    /// Every recipient has an outcome: there is nobody left to send to.
    var isDecided: Bool { outcomes.allSatisfy { $0 != nil } }

    /// Replies to commands already sent are still to come.
    var awaitsReply: Bool { answered < sent }

    // MARK: Before sending

    /// Decides for recipients, or the whole message, that cannot be sent.
    mutating func check(_ extensions: ServerExtensions) {
        for (index, recipient) in message.recipients.enumerated() where !MailPath.isMailbox(recipient.address) {
            outcomes[index] = .failed(.local(5, 1, 3, "not an address"))
        }
        guard case .bytes(let content) = message.content else { return decide(.deferred(.local(4, 3, 0, "not in memory"))) }
        let facts = ContentFacts(content.span.bytes)
        if !MailPath.isMailbox(message.envelope.sender, orEmpty: true) {
            decide(.failed(.local(5, 1, 7, "the sender is not an address")))
        } else if facts.hasBareLineBreak {
            decide(.failed(.local(5, 6, 0, "the message holds a CR or LF that is not part of a CRLF")))
        } else if message.envelope.body == .eightBitMIME, facts.has8Bit, !extensions.eightBitMIME {
            decide(.failed(.local(5, 6, 3, "the message needs 8BITMIME, which the next hop does not offer")))
        } else if let maxSize = extensions.maxSize, content.count > maxSize {
            decide(.failed(.local(5, 3, 4, "the message is larger than the \(maxSize) bytes that the next hop takes")))
        }
    }

    // MARK: Commands

    /// MAIL; and all RCPT commands with it where the server takes them in one group (RFC 2920).
    mutating func writeMail(_ extensions: ServerExtensions, to output: inout ByteQueue) {
        output.append("MAIL FROM:<")
        output.append(message.envelope.sender)
        output.append(">")
        if extensions.size {
            output.append(" SIZE=")
            output.append(decimal: message.content.size)
        }
        if extensions.eightBitMIME, message.envelope.body == .eightBitMIME { output.append(" BODY=8BITMIME") }
        output.append("\r\n")
        sent = 1
        commands = outcomes.indices.filter { outcomes[$0] == nil }
        while pipelined, writeNext(to: &output) {}
    }

    /// The next RCPT; false if there is none left.
    mutating func writeNext(to output: inout ByteQueue) -> Bool {
        guard sent <= commands.count else { return false }
        output.append("RCPT TO:<")
        output.append(message.recipients[commands[sent - 1]].address)
        output.append(">\r\n")
        sent += 1
        return true
    }

    /// Takes the reply to MAIL or to a RCPT. False if it is none of those that may come.
    mutating func take(_ reply: SMTPReply) -> Bool {
        let refusal = DeliveryOutcome(refusal: reply)
        guard reply.isPositive || refusal != nil else { return false }
        defer { answered += 1 }
        guard let refusal else {
            if answered > 0 { accepted += 1 }
            return true
        }
        if answered == 0 {
            decide(refusal)
        } else if outcomes[commands[answered - 1]] == nil {
            outcomes[commands[answered - 1]] = Self.isTooMany(reply) ? tooMany(reply) : refusal
        }
        return true
    }

    /// 552 once meant too many recipients, and is to be taken for 452 (RFC 5321 section 4.5.3.1.10).
    private static func isTooMany(_ reply: SMTPReply) -> Bool { reply.code == 452 || reply.code == 552 }

    private func tooMany(_ reply: SMTPReply) -> DeliveryOutcome {
        accepted > 0 ? .leftOver(DeliveryReport(reply)) : .deferred(DeliveryReport(reply))
    }

    private mutating func decide(_ outcome: DeliveryOutcome) {
        for index in outcomes.indices where outcomes[index] == nil { outcomes[index] = outcome }
    }
}

extension DeliveryOutcome {
    /// What a 4yz or 5yz reply means; nil for any other.
    init?(refusal reply: SMTPReply) {
        switch reply.code / 100 {
        case 4: self = .deferred(DeliveryReport(reply))
        case 5: self = .failed(DeliveryReport(reply))
        default: return nil
        }
    }
}

extension DeliveryReport {
    /// Decided here.
    static func local(_ kind: UInt16, _ subject: UInt16, _ detail: UInt16, _ text: String) -> DeliveryReport {
        DeliveryReport(status: EnhancedStatusCode(kind, subject, detail), text: text)
    }

    init(_ reply: SMTPReply) {
        self.init(status: reply.enhancedStatus ?? EnhancedStatusCode(UInt16(clamping: reply.code / 100), 0, 0), text: "\(reply)")
    }
}
