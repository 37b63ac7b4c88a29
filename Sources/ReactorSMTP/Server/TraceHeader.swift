import ConnectionHandling
import ReactorWire

/// The `Received:` field that says how a message came here (RFC 5321 section 4.4).
enum TraceHeader {
    /// - Parameters:
    ///   - greeting: the peer's own name for itself, checked before.
    ///   - recipient: named only if the message has no other: a list would tell each recipient of the rest.
    static func make(
        greeting: String, transmission: String, peer: SocketAddress, hostname: String, id: QueueID, recipient: String?,
        unixSeconds: Int64
    ) -> [UInt8] {
        var text = "Received: from \(greeting)"
        switch peer {
        case .ipv4: text += " ([\(peer.host)])"
        case .ipv6: text += " ([IPv6:\(peer.host)])"
        case .unix: break
        }
        text += "\r\n\tby \(hostname) with \(transmission) id \(id)"
        if let recipient { text += "\r\n\tfor <\(recipient)>" }
        text += ";\r\n\t\(CivilTime(unixSeconds: unixSeconds).mailDate)\r\n"
        return Array(text.utf8)
    }

    /// How a message came, in the words of RFC 3848 and RFC 6531 section 4.3.
    static func transmission(extended: Bool, internationalized: Bool, secured: Bool, authenticated: Bool) -> String {
        if !extended { return "SMTP" }
        return (internationalized ? "UTF8SMTP" : "ESMTP") + (secured ? "S" : "") + (authenticated ? "A" : "")
    }

    /// The fields that a submitted message lacks (RFC 6409 section 8), each with its line's end.
    static func missingFields(in header: HeaderScanner, hostname: String, id: QueueID, unixSeconds: Int64) -> String {
        var fields = ""
        if !header.hasDate { fields += "Date: \(CivilTime(unixSeconds: unixSeconds).mailDate)\r\n" }
        if !header.hasMessageID { fields += "Message-ID: <\(unixSeconds).\(id)@\(hostname)>\r\n" }
        return fields
    }
}
