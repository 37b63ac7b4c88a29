import ReactorWire

/// One message on its way through a transaction: which commands were sent and answered, and each recipient's outcome.
struct Delivery {
    let message: OutgoingMessage
    /// Nil while a recipient's outcome is open.
    private(set) var outcomes: [DeliveryOutcome?]
    private let extensions: ServerExtensions
    /// Indices of recipients, in the order of their RCPT commands.
    private var commands: [Int] = []
    private var sent = 0
    /// Replies taken: MAIL's, then one for each RCPT.
    private(set) var answered = 0
    /// Indices of recipients whom the server accepted, in their order.
    private var accepted: [Int] = []
    /// With LMTP: how many of them have had their answer to the content.
    private var verdicts = 0
    /// `BODY=`.
    private var body = Envelope.BodyType.sevenBit
    /// The content is sent by BDAT, since DATA cannot carry it.
    private(set) var isBinary = false
    /// DATA was sent behind the last RCPT.
    private(set) var hasSentData = false

    init(_ message: OutgoingMessage, _ extensions: ServerExtensions) {
        self.message = message
        self.extensions = extensions
        outcomes = Array(repeating: nil, count: message.recipients.count)
    }

    /// Every recipient has an outcome: there is nobody left to send to.
    var isDecided: Bool { outcomes.allSatisfy { $0 != nil } }

    /// Replies to commands already sent are still to come.
    var awaitsReply: Bool { answered < sent }

    /// Recipients have still to hear of the content (LMTP).
    var awaitsVerdict: Bool { verdicts < accepted.count }

    // MARK: Before sending

    /// Decides for recipients, or the whole message, that cannot be sent. Reads a content that is in a file.
    mutating func check() {
        for (index, recipient) in message.recipients.enumerated() {
            outcomes[index] = refusal(of: recipient.address, .local(5, 1, 3, "not an address"))
        }
        let sender = message.envelope.sender
        if !sender.isEmpty, let refusal = refusal(of: sender, .local(5, 1, 7, "the sender is not an address")) { decide(refusal) }
        if let maxSize = extensions.maxSize, message.content.size > maxSize {
            decide(.failed(.local(5, 3, 4, "the message is larger than the \(maxSize) bytes that the next hop takes")))
        }
        if isDecided { return }
        do throws(ContentFileError) {
            check(try message.content.facts())
        } catch {
            decide(.deferred(.local(4, 3, 0, "the message cannot be read: \(error)")))
        }
    }

    private mutating func check(_ facts: ContentFacts) {
        let declared = message.envelope.body
        if declared != .binaryMIME, facts.hasBareLineBreak {
            return decide(.failed(.local(5, 6, 0, "the message holds a CR or LF that is not part of a CRLF")))
        }
        if facts.has8BitHeader, message.envelope.isInternationalized, !extensions.smtpUTF8 {
            return decide(.failed(.local(5, 6, 9, "the header needs SMTPUTF8, which the next hop does not offer")))
        }
        if declared == .binaryMIME, extensions.takesBinary {
            (body, isBinary) = (.binaryMIME, true)
        } else if declared == .binaryMIME, facts.isBinary {
            decide(.failed(.local(5, 6, 3, "the message needs BINARYMIME, which the next hop does not offer")))
        } else if declared != .sevenBit {
            // What is called binary or 8-bit and is less goes as what it is.
            if extensions.eightBitMIME { body = .eightBitMIME }
            if facts.has8Bit, !extensions.eightBitMIME {
                decide(.failed(.local(5, 6, 3, "the message needs 8BITMIME, which the next hop does not offer")))
            }
        }
    }

    /// Nothing that the grammar does not have may stand between the brackets: it could go on as a command.
    private func refusal(of address: String, _ report: DeliveryReport) -> DeliveryOutcome? {
        let isASCII = address.utf8.allSatisfy { $0 < 128 }
        // UTF-8 stands wherever text does (RFC 6531 section 3.3): to the grammar it is letters.
        let letters = isASCII ? address : String(decoding: address.utf8.map { $0 < 128 ? $0 : UInt8(ascii: "a") }, as: UTF8.self)
        if !MailPath.isMailbox(letters) { return .failed(report) }
        if isASCII { return nil }
        if !message.envelope.isInternationalized { return .failed(.local(5, 6, 7, "an address that is not ASCII, without SMTPUTF8")) }
        if extensions.smtpUTF8 { return nil }
        return .failed(.local(5, 6, 7, "the address needs SMTPUTF8, which the next hop does not offer"))
    }

    private var usesSMTPUTF8: Bool { message.envelope.isInternationalized && extensions.smtpUTF8 }

    // MARK: Commands

    /// MAIL; and all RCPT commands and DATA with it where the server takes them in one group (RFC 2920). BDAT is not among
    /// them: what it announces would have to follow, whatever the replies.
    mutating func writeMail(to output: inout ByteQueue) {
        output.append("MAIL FROM:<")
        output.append(message.envelope.sender)
        output.append(">")
        if extensions.size {
            output.append(" SIZE=")
            output.append(decimal: message.content.size)
        }
        if body != .sevenBit {
            output.append(" BODY=")
            output.append(body.rawValue)
        }
        if usesSMTPUTF8 { output.append(" SMTPUTF8") }
        if extensions.dsn { DSNParameters.write(message.envelope, to: &output) }
        output.append("\r\n")
        sent = 1
        commands = outcomes.indices.filter { outcomes[$0] == nil }
        guard extensions.pipelining else { return }
        while writeNext(to: &output) {}
        if !isBinary {
            output.append("DATA\r\n")
            hasSentData = true
        }
    }

    /// The next RCPT; false if there is none left.
    mutating func writeNext(to output: inout ByteQueue) -> Bool {
        guard sent <= commands.count else { return false }
        let recipient = message.recipients[commands[sent - 1]].recipient
        output.append("RCPT TO:<")
        output.append(recipient.address)
        output.append(">")
        if extensions.dsn { DSNParameters.write(recipient, smtpUTF8: usesSMTPUTF8, to: &output) }
        output.append("\r\n")
        sent += 1
        return true
    }

    // MARK: Replies

    /// Takes the reply to MAIL or to a RCPT. False if it is none of those that may come.
    mutating func take(_ reply: SMTPReply, from remote: String?) -> Bool {
        let refusal = DeliveryOutcome(refusal: reply, from: remote)
        guard reply.isPositive || refusal != nil else { return false }
        defer { answered += 1 }
        guard let refusal else {
            if answered > 0 { accepted.append(commands[answered - 1]) }
            return true
        }
        if answered == 0 {
            decide(refusal)
        } else if outcomes[commands[answered - 1]] == nil {
            outcomes[commands[answered - 1]] = Self.isTooMany(reply) ? tooMany(refusal.report) : refusal
        }
        return true
    }

    /// Takes the answer to the content for the next of those accepted (RFC 2033 section 4.2).
    mutating func take(verdict: DeliveryOutcome) {
        guard awaitsVerdict else { return }
        if outcomes[accepted[verdicts]] == nil { outcomes[accepted[verdicts]] = verdict }
        verdicts += 1
    }

    /// 552 once meant too many recipients, and is to be taken for 452 (RFC 5321 section 4.5.3.1.10).
    private static func isTooMany(_ reply: SMTPReply) -> Bool { reply.code == 452 || reply.code == 552 }

    private func tooMany(_ report: DeliveryReport) -> DeliveryOutcome {
        var report = report
        // It is tried again, whatever the digits say.
        if report.status.kind == 5 { report.status = EnhancedStatusCode(4, 5, 3) }
        return accepted.isEmpty ? .deferred(report) : .leftOver(report)
    }

    private mutating func decide(_ outcome: DeliveryOutcome) {
        for index in outcomes.indices where outcomes[index] == nil { outcomes[index] = outcome }
    }
}

extension DeliveryOutcome {
    /// What a 4yz or 5yz reply means; nil for any other.
    init?(refusal reply: SMTPReply, from remote: String?) {
        switch reply.code / 100 {
        case 4: self = .deferred(DeliveryReport(reply, from: remote))
        case 5: self = .failed(DeliveryReport(reply, from: remote))
        default: return nil
        }
    }
}

extension DeliveryReport {
    /// Decided here.
    static func local(_ kind: UInt16, _ subject: UInt16, _ detail: UInt16, _ text: String) -> DeliveryReport {
        DeliveryReport(status: EnhancedStatusCode(kind, subject, detail), text: text)
    }

    init(_ reply: SMTPReply, from remote: String?) {
        self.init(
            status: reply.enhancedStatus ?? EnhancedStatusCode(UInt16(clamping: reply.code / 100), 0, 0), text: "\(reply)",
            remote: remote)
    }
}
