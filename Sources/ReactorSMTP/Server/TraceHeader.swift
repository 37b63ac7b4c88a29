import ConnectionHandling
import ReactorWire

/// The `Received:` field that says how a message came here (RFC 5321 section 4.4).
enum TraceHeader {
    /// - Parameters:
    ///   - greeting: the peer's own name for itself, checked before.
    ///   - recipient: named only if the message has no other: a list would tell each recipient of the rest.
    static func make(
        greeting: String, transmission: Transmission, peer: SocketAddress, hostname: String, id: QueueID, recipient: String?,
        unixSeconds: Int64
    ) -> [UInt8] {
        var text = "Received: from \(greeting)"
        switch peer {
        case .ipv4: text += " ([\(peer.host)])"
        case .ipv6: text += " ([IPv6:\(peer.host)])"
        case .unix: break
        }
        text += "\r\n\tby \(hostname) with \(transmission.rawValue) id \(id)"
        if let recipient { text += "\r\n\tfor <\(recipient)>" }
        text += ";\r\n\t\(CivilTime(unixSeconds: unixSeconds).mailDate)\r\n"
        return Array(text.utf8)
    }

    /// How a message came, in the words of RFC 3848.
    enum Transmission: String {
        case SMTP, ESMTP, ESMTPS

        init(extended: Bool, secured: Bool) { self = !extended ? .SMTP : secured ? .ESMTPS : .ESMTP }
    }

    /// How many `Received:` fields the header holds; counting ends past `limit`.
    static func count(in content: RawSpan, upTo limit: Int) -> Int {
        var found = 0
        var start = 0
        while start + 9 <= content.byteCount, found <= limit {
            // An empty line ends the header.
            if content[start] == UInt8(ascii: "\r") { break }
            if content.slice(start..<start + 9).equalsIgnoringCase("received:") { found += 1 }
            guard let lineFeed = content.firstIndex(of: UInt8(ascii: "\n"), from: start) else { break }
            start = lineFeed + 1
        }
        return found
    }
}
