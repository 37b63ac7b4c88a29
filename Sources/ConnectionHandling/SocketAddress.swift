import Glibc

/// Where a socket is: an IPv4 or IPv6 address and port, or a Unix-domain path.
public enum SocketAddress: Hashable, Sendable {
    /// The address in network order (`127.0.0.1` is `0x7F00_0001`), and the port.
    case ipv4(UInt32, port: UInt16)
    /// The address's high and low halves, the port, and for a link-local address the number of the interface, which
    /// is 0 for every other.
    case ipv6(high: UInt64, low: UInt64, port: UInt16, scope: UInt32 = 0)
    /// A path in the file system; with a NUL in front, a name in the abstract namespace (unix(7)); empty for the
    /// nameless end of a Unix-domain connection.
    case unix(path: String)

    public static func loopback(port: UInt16) -> SocketAddress { .ipv4(0x7F00_0001, port: port) }

    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port, _): port
        case .unix: nil
        }
    }

    public var isUnix: Bool {
        if case .unix = self { true } else { false }
    }

    /// A Unix-domain name in the abstract namespace: it has no file, and goes with its socket.
    public var isAbstract: Bool {
        if case .unix(let path) = self { path.utf8.first == 0 } else { false }
    }

    /// An IPv4-mapped IPv6 address, as sockets of both families report their IPv4 peers, as the IPv4 address that it
    /// is; any other as it is.
    public var unmapped: SocketAddress {
        guard case .ipv6(0, let low, let port, _) = self, low >> 32 == 0xFFFF else { return self }
        return .ipv4(UInt32(truncatingIfNeeded: low), port: port)
    }

    /// Reads `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `localhost:80` (the IPv4 loopback), `*:80` (every IPv4
    /// address), `unix:/path`, or `unix:@name` for a name in the abstract namespace.
    ///
    /// Other names are refused: looking one up blocks, and an address to listen on should not depend on the answer.
    public init(parsing text: String) throws(SocketAddressError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, path != "@", !path.utf8.contains(0) else { throw SocketAddressError(text) }
            self = .unix(path: path.hasPrefix("@") ? "\0" + path.dropFirst() : path)
            guard fits else { throw SocketAddressError(text) }
            return
        }
        guard let colon = text.lastIndex(of: ":") else { throw SocketAddressError(text) }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(digits) else {
            throw SocketAddressError(text)
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            let parts = host.dropFirst().dropLast().split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            guard let literal = parts.first, let (high, low) = Self.ipv6Halves(String(literal)) else {
                throw SocketAddressError(text)
            }
            var scope: UInt32 = 0
            if parts.count == 2 {
                guard let index = Self.interfaceIndex(String(parts[1])) else { throw SocketAddressError(text) }
                scope = index
            }
            self = .ipv6(high: high, low: low, port: port, scope: scope)
            return
        }
        if host == "localhost" { host = "127.0.0.1" }
        if host == "*" { host = "0.0.0.0" }
        guard let address = Self.ipv4Number(host) else { throw SocketAddressError(text) }
        self = .ipv4(address, port: port)
    }

    /// The number of a network interface, from its name or its number; nil if there is none of the name.
    package static func interfaceIndex(_ text: String) -> UInt32? {
        if let number = UInt32(text), number > 0 { return number }
        let index = text.utf8.count < Int(IF_NAMESIZE) && !endsEarly(text) ? if_nametoindex(text) : 0
        return index == 0 ? nil : index
    }

    /// The system would take it to end at a NUL, and so for another text than its reader.
    private static func endsEarly(_ text: String) -> Bool { text.utf8.contains(0) }

    /// The dotted quad as a number, or nil.
    public static func ipv4Number(_ text: String) -> UInt32? {
        var address = in_addr()
        guard !endsEarly(text), inet_pton(AF_INET, text, &address) == 1 else { return nil }
        return UInt32(bigEndian: address.s_addr)
    }

    /// The two halves of an IPv6 address, or nil.
    public static func ipv6Halves(_ text: String) -> (high: UInt64, low: UInt64)? {
        var address = in6_addr()
        guard !endsEarly(text), inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}

/// The text is not an address to listen on or connect to.
public struct SocketAddressError: Error, CustomStringConvertible, Sendable {
    public let text: String
    init(_ text: String) { self.text = text }
    public var description: String {
        "'\(text)' is not an address: write host:port, [v6]:port, unix:/path or unix:@name, such as 127.0.0.1:8080"
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The host without the port, as protocols show it: `127.0.0.1`, `::1`, the path, or `@` and the abstract name.
    public var host: String {
        switch self {
        case .ipv4(let address, _):
            return "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
        case .ipv6(let high, let low, _, let scope):
            var bytes = (high.bigEndian, low.bigEndian)
            return withUnsafeBytes(of: &bytes) { source in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                    guard let base = source.baseAddress, let out = text.baseAddress,
                        inet_ntop(AF_INET6, base, out, socklen_t(text.count)) != nil
                    else { return "::" }
                    return scope == 0 ? String(cString: out) : "\(String(cString: out))%\(scope)"
                }
            }
        case .unix(let path):
            return isAbstract ? "@" + path.dropFirst() : path
        }
    }

    public var description: String {
        switch self {
        case .ipv4(_, let port): "\(host):\(port)"
        case .ipv6(_, _, let port, _): "[\(host)]:\(port)"
        case .unix: "unix:\(host)"
        }
    }
}
