public import ConnectionHandling
import Glibc
import Reactor

/// Where messages are sent on to: `HOST:PORT`, where HOST is a name, an IPv4 address or an IPv6 address in brackets;
/// or `unix:/path`.
public struct NextHop: Sendable, Equatable, CustomStringConvertible {
    private enum Place: Equatable {
        case address(SocketAddress)
        case name(String, port: UInt16)
    }

    private let place: Place
    public let description: String

    public init(_ address: SocketAddress) {
        place = .address(address)
        description = address.description
    }

    public init(parsing text: String) throws(NextHopError) {
        description = text
        if !text.hasPrefix("*"), let address = try? SocketAddress(parsing: text) {
            if address.port == 0 { throw NextHopError(text: text) }
            place = .address(address)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { throw NextHopError(text: text) }
        let host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0,
            (1...253).contains(host.utf8.count),
            host.utf8.allSatisfy({ MailPath.isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }),
            // All digits and dots is an address gone wrong, not a name.
            !host.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E })
        else { throw NextHopError(text: text) }
        place = .name(String(host), port: port)
    }

    /// Its addresses, in the order to try them. Looks a name up, which blocks.
    func addresses() throws(LookupError) -> [SocketAddress] {
        switch place {
        case .address(let address): return [address]
        case .name(let name, let port): return try Self.lookUp(name, port)
        }
    }

    /// It needs no lookup.
    var fixedAddress: SocketAddress? {
        if case .address(let address) = place { address } else { nil }
    }

    private static func lookUp(_ name: String, _ port: UInt16) throws(LookupError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, "\(port)", &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else { throw LookupError(name: name, reason: String(cString: gai_strerror(code))) }
        var addresses: [SocketAddress] = []
        var entry = list
        while let current = entry?.pointee {
            if let address = current.ai_addr, Int(current.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size {
                var storage = sockaddr_storage()
                memcpy(&storage, address, Int(current.ai_addrlen))
                addresses.append(SocketAddress(system: storage, length: current.ai_addrlen))
            }
            entry = current.ai_next
        }
        if addresses.isEmpty { throw LookupError(name: name, reason: "no address") }
        return addresses
    }
}

/// The text is not a next hop.
public struct NextHopError: Error, CustomStringConvertible, Sendable {
    public let text: String
    public var description: String {
        "'\(text)' is not a next hop: write host:port, such as mail.example:25, 127.0.0.1:2525 or [::1]:25"
    }
}

/// The next hop's name has no address now.
struct LookupError: Error, CustomStringConvertible {
    let name: String
    let reason: String
    var description: String { "cannot look up \(name): \(reason)" }
}
