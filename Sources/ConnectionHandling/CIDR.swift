/// A network, as `10.0.0.0/8` or `::1/128`; an address alone is a network of one.
public struct CIDR: Hashable, Sendable, CustomStringConvertible {
    private let address: UInt128
    private let length: Int
    private let isIPv4: Bool

    /// Bits of the address behind the length are ignored, as most tools do: `10.1.2.3/8` is `10.0.0.0/8`.
    public init(parsing text: String) throws(CIDRError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let host = parts.isEmpty ? "" : String(parts[0])
        let address: UInt128
        let width: Int
        if let number = SocketAddress.ipv4Number(host) {
            (address, width) = (UInt128(number), 32)
        } else if let (high, low) = SocketAddress.ipv6Halves(host) {
            (address, width) = (UInt128(high) << 64 | UInt128(low), 128)
        } else {
            throw CIDRError(text: text)
        }
        var length = width
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let given = Int(parts[1]), given <= width
            else { throw CIDRError(text: text) }
            length = given
        }
        // An IPv4-mapped network is meant for IPv4 peers, which is what mapped peers are taken for.
        if width == 128, length >= 96, address >> 32 == 0xFFFF {
            self.init(address & 0xFFFF_FFFF, length: length - 96, isIPv4: true)
        } else {
            self.init(address, length: length, isIPv4: width == 32)
        }
    }

    private init(_ address: UInt128, length: Int, isIPv4: Bool) {
        let hostBits = (isIPv4 ? 32 : 128) - length
        self.address = (address >> hostBits) << hostBits
        self.length = length
        self.isIPv4 = isIPv4
    }

    /// Whether the peer is in the network. An IPv4-mapped IPv6 address counts as the IPv4 address that it is; a
    /// Unix-domain peer is in no network.
    public func contains(_ peer: SocketAddress) -> Bool {
        switch peer.unmapped {
        case .ipv4(let number, _):
            isIPv4 && UInt128(number) >> (32 - length) == address >> (32 - length)
        case .ipv6(let high, let low, _, _):
            !isIPv4 && (UInt128(high) << 64 | UInt128(low)) >> (128 - length) == address >> (128 - length)
        case .unix:
            false
        }
    }

    public var description: String {
        let low = UInt64(truncatingIfNeeded: address)
        let host: SocketAddress = isIPv4
            ? .ipv4(UInt32(truncatingIfNeeded: address), port: 0)
            : .ipv6(high: UInt64(truncatingIfNeeded: address >> 64), low: low, port: 0)
        return "\(host.host)/\(length)"
    }
}

/// The text is not a network.
public struct CIDRError: Error, CustomStringConvertible, Sendable {
    public let text: String
    public var description: String { "'\(text)' is not a network: write an address and a length, such as 10.0.0.0/8 or ::1/128" }
}

extension CIDR {
    /// This machine: 127.0.0.0/8 and ::1/128.
    public static let loopback = [
        CIDR(0x7F00_0000, length: 8, isIPv4: true), CIDR(1, length: 128, isIPv4: false),
    ]
}
