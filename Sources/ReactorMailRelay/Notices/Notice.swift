import ReactorSMTP
import ReactorWire

/// A message that tells a sender what became of another one (RFC 3464, in the envelope that RFC 3461 section 6 asks for).
///
/// About an internationalized message it is one too (RFC 6533): its sender's system takes UTF-8.
struct Notice {
    enum Kind: Equatable {
        case failed
        /// It is tried again until then, in seconds since 1970.
        case delayed(until: Int64)
        /// Handed to a system that does not notify, so that more will not be heard.
        case relayed
        /// At its last station.
        case delivered
    }

    struct Recipient {
        var recipient: Envelope.Recipient
        var report: DeliveryReport

        init(_ recipient: Envelope.Recipient, _ report: DeliveryReport) {
            self.recipient = recipient
            self.report = report
        }
    }

    var kind: Kind
    var about: OutgoingMessage
    var recipients: [Recipient]
    var hostname: String
    /// In seconds since 1970.
    var now: Int64

    private var isInternational: Bool { about.envelope.isInternationalized }

    /// - Parameter limit: contents of more bytes than this are not returned, but their header.
    func made(returning limit: Int) -> (envelope: Envelope, content: MessageContent) {
        let returned = ReturnedContent(about, asksForAll: kind == .failed, limit: limit)
        let id = QueueID.random()
        let text = header(id, has8Bit: returned.has8Bit) + explanation(id) + status(id) + returned.header(boundary(id), isInternational)
        let content = Array(text.utf8) + returned.bytes + Array("\r\n--\(boundary(id))--\r\n".utf8)
        let has8Bit = content.contains { $0 > 127 }
        let envelope = Envelope(
            id: id, sender: "", recipients: [Envelope.Recipient(about.envelope.sender)],
            body: has8Bit ? .eightBitMIME : .sevenBit, isInternationalized: isInternational, received: now)
        return (envelope, .bytes(content))
    }

    // MARK: Parts

    private func boundary(_ id: QueueID) -> String { "=_\(about.id)_\(id)" }

    private func header(_ id: QueueID, has8Bit: Bool) -> String {
        var text = "From: Mail Delivery System <MAILER-DAEMON@\(hostname)>\r\nTo: <\(safe(about.envelope.sender))>\r\n"
        text += "Subject: \(subject)\r\nDate: \(Self.date(now))\r\nMessage-ID: <\(id)@\(hostname)>\r\n"
        text += "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        text += "Content-Type: multipart/report; report-type=\(isInternational ? "global-" : "")delivery-status;\r\n"
        text += "\tboundary=\"\(boundary(id))\"\r\n"
        if has8Bit || isInternational { text += "Content-Transfer-Encoding: 8bit\r\n" }
        return text + "\r\n"
    }

    private var subject: String {
        switch kind {
        case .failed: "Undelivered mail returned to sender"
        case .delayed: "Delayed mail (still being retried)"
        case .relayed, .delivered: "Successful mail delivery report"
        }
    }

    /// For people.
    private func explanation(_ id: QueueID) -> String {
        var text = "--\(boundary(id))\r\nContent-Type: text/plain; charset=\(isInternational ? "utf-8" : "us-ascii")\r\n"
        if isInternational { text += "Content-Transfer-Encoding: 8bit\r\n" }
        text += "\r\nThis is the mail system at \(hostname).\r\n\r\n"
        switch kind {
        case .failed: text += "Your message could not be delivered to:\r\n"
        case .delayed(let until):
            text += "Your message could not be delivered yet. You need not send it again: it will be\r\n"
            text += "tried until \(Self.date(until)). It waits for:\r\n"
        case .relayed: text += "Your message was handed to a system that sends no reports, for:\r\n"
        case .delivered: text += "Your message was delivered to:\r\n"
        }
        for recipient in recipients {
            text += "\r\n  <\(safe(recipient.recipient.address))>\r\n    "
            if let remote = recipient.report.remote { text += "\(safe(remote)) said: " }
            text += "\(safe(recipient.report.text))\r\n"
        }
        return text + "\r\n"
    }

    /// For programs (RFC 3464 section 2).
    private func status(_ id: QueueID) -> String {
        var text = "--\(boundary(id))\r\nContent-Type: message/\(isInternational ? "global-" : "")delivery-status\r\n"
        if isInternational { text += "Content-Transfer-Encoding: 8bit\r\n" }
        text += "\r\nReporting-MTA: dns; \(hostname)\r\n"
        if let envelopeID = about.envelope.envelopeID { text += "Original-Envelope-Id: \(safe(Xtext.decoded(envelopeID)))\r\n" }
        text += "Arrival-Date: \(Self.date(about.envelope.received))\r\n"
        for recipient in recipients { text += "\r\n" + fields(of: recipient) }
        return text + "\r\n"
    }

    private func fields(of recipient: Recipient) -> String {
        var text = ""
        if let original = recipient.recipient.originalRecipient, let field = originalRecipient(original) {
            text += "Original-Recipient: \(field)\r\n"
        }
        let address = recipient.recipient.address
        let type = address.utf8.contains { $0 > 127 } ? "utf-8" : "rfc822"
        text += "Final-Recipient: \(type); \(safe(address))\r\nAction: \(action)\r\nStatus: \(recipient.report.status)\r\n"
        if let remote = recipient.report.remote {
            text += "Remote-MTA: dns; \(safe(remote))\r\nDiagnostic-Code: smtp; \(safe(recipient.report.text))\r\n"
        } else if kind != .delivered {
            text += "Diagnostic-Code: X-Reactor; \(safe(recipient.report.text))\r\n"
        }
        text += "Last-Attempt-Date: \(Self.date(now))\r\n"
        if case .delayed(let until) = kind { text += "Will-Retry-Until: \(Self.date(until))\r\n" }
        return text
    }

    private var action: String {
        switch kind {
        case .failed: "failed"
        case .delayed: "delayed"
        case .relayed: "relayed"
        case .delivered: "delivered"
        }
    }

    /// `rfc822;bob+40example.org` as `rfc822; bob@example.org`; nil if it has no address type.
    private func originalRecipient(_ parameter: String) -> String? {
        guard let semicolon = parameter.firstIndex(of: ";"), semicolon > parameter.startIndex else { return nil }
        let type = parameter[..<semicolon]
        return safe("\(type); \(Xtext.decoded(String(parameter[parameter.index(after: semicolon)...])))")
    }

    /// What came from elsewhere, as it may stand on a line: it cannot begin another one. UTF-8 is for those who take it.
    private func safe(_ text: String) -> String {
        let bytes = text.utf8.map { byte in
            byte >= 32 && byte < 127 || byte > 127 && isInternational ? byte : UInt8(ascii: "?")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func date(_ unixSeconds: Int64) -> String { CivilTime(unixSeconds: unixSeconds).mailDate }
}

/// Text in which `+` and two hexadecimal digits stand for a byte (RFC 3461 section 4).
enum Xtext {
    static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), rest.count >= 2, let high = digit(rest.first), let low = digit(rest.dropFirst().first) {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case .some(let byte) where (0x30...0x39).contains(byte): byte - 0x30
        case .some(let byte) where (0x41...0x46).contains(byte): byte - 0x41 + 10
        default: nil
        }
    }
}
