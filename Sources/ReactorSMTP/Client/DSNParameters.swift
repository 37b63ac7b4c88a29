import ReactorWire

/// What the sender asked about notifications, passed on as it came (RFC 3461 sections 4 and 5.2.1). What could not have
/// come over SMTP is left out: it would end up as part of the command.
enum DSNParameters {
    /// RFC 3461 sections 4.2 and 4.4.
    private static let (maxOriginalRecipient, maxEnvelopeID) = (500, 100)

    static func write(_ envelope: Envelope, to output: inout ByteQueue) {
        if let content = envelope.returnContent {
            output.append(" RET=")
            output.append(content.rawValue)
        }
        if let id = envelope.envelopeID, isValue(id, upTo: maxEnvelopeID) {
            output.append(" ENVID=")
            output.append(id)
        }
    }

    static func write(_ recipient: Envelope.Recipient, smtpUTF8: Bool, to output: inout ByteQueue) {
        if let notify = recipient.notify {
            output.append(" NOTIFY=")
            output.append(notify.words)
        }
        if let original = recipient.originalRecipient, isValue(original, upTo: maxOriginalRecipient, orUTF8: smtpUTF8) {
            output.append(" ORCPT=")
            output.append(original)
        }
    }

    /// An esmtp-value: printable ASCII without spaces, and without `=`, which xtext writes as `+3D`; or with UTF-8 (RFC 6533
    /// section 3).
    private static func isValue(_ text: String, upTo count: Int, orUTF8: Bool = false) -> Bool {
        (1...count).contains(text.utf8.count)
            && text.utf8.allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: "=") || orUTF8 && $0 > 127 }
    }
}

extension Envelope.Notify {
    fileprivate var words: String {
        if isEmpty { return "NEVER" }
        let named: [(Envelope.Notify, String)] = [(.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY")]
        return named.filter { contains($0.0) }.map(\.1).joined(separator: ",")
    }
}
