public import ConnectionHandling

/// A server that messages are sent on to, whatever their domain: `HOST:PORT`, where HOST is a name, an IPv4 address or an
/// IPv6 address in brackets, or `unix:/path`; with `lmtp:` before it, a server that speaks LMTP (RFC 2033).
public struct NextHop: Sendable, Equatable, CustomStringConvertible {
    enum Place: Equatable, Sendable {
        case address(SocketAddress)
        /// Its A and AAAA records are looked up, not its MX records.
        case name(String, port: UInt16)
    }

    let place: Place
    public let isLMTP: Bool
    public let description: String

    public init(_ address: SocketAddress, isLMTP: Bool = false) {
        place = .address(address)
        self.isLMTP = isLMTP
        description = (isLMTP ? "lmtp:" : "") + address.description
    }

    public init(parsing text: String) throws(NextHopError) {
        isLMTP = text.hasPrefix("lmtp:")
        let server = isLMTP ? String(text.dropFirst(5)) : text
        place = try Self.place(server, in: text)
        description = text
    }

    private static func place(_ server: String, in text: String) throws(NextHopError) -> Place {
        if !server.hasPrefix("*"), let address = try? SocketAddress(parsing: server) {
            if address.port == 0 { throw NextHopError(text: text) }
            return .address(address)
        }
        guard let colon = server.lastIndex(of: ":") else { throw NextHopError(text: text) }
        let host = server[..<colon]
        let digits = server[server.index(after: colon)...]
        guard digits.utf8.allSatisfy(isDigit), let port = UInt16(digits), port > 0, (1...253).contains(host.utf8.count),
            host.utf8.allSatisfy({ isLetter($0) || isDigit($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }),
            // All digits and dots is an address gone wrong, not a name.
            !host.utf8.allSatisfy({ isDigit($0) || $0 == 0x2E })
        else { throw NextHopError(text: text) }
        return .name(host.lowercased(), port: port)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

/// The text is not a next hop.
public struct NextHopError: Error, CustomStringConvertible, Sendable {
    public let text: String
    public var description: String {
        "'\(text)' is not a next hop: write host:port, such as mail.example:25, 127.0.0.1:2525 or [::1]:25, or unix:/path; "
            + "lmtp: before it where LMTP is spoken"
    }
}
