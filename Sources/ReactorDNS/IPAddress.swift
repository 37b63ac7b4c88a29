public import ConnectionHandling

/// An IPv4 or IPv6 address, without a port.
public enum IPAddress: Hashable, Sendable {
    /// In network order, as in ``SocketAddress``: `127.0.0.1` is `0x7F00_0001`.
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Reads `192.0.2.1` or `2001:db8::1`; nil for all else.
    public init?(parsing text: String) {
        if let number = SocketAddress.ipv4Number(text) {
            self = .v4(number)
        } else if let (high, low) = SocketAddress.ipv6Halves(text) {
            self = .v6(high: high, low: low)
        } else {
            return nil
        }
    }

    public func socketAddress(port: UInt16) -> SocketAddress {
        switch self {
        case .v4(let number): .ipv4(number, port: port)
        case .v6(let high, let low): .ipv6(high: high, low: low, port: port)
        }
    }

    /// Which record holds it: A or AAAA.
    public var recordType: RecordType {
        if case .v4 = self { .a } else { .aaaa }
    }

    /// The name whose PTR records say what the address is called: `1.2.0.192.in-addr.arpa` (RFC 1035 section 3.5), or
    /// nibbles under `ip6.arpa` (RFC 3596 section 2.5).
    public var reverseName: DomainName {
        var wire: [UInt8] = []
        switch self {
        case .v4(let number):
            for shift in stride(from: 0, to: 32, by: 8) {
                let digits = Array(String(number >> UInt32(shift) & 255).utf8)
                wire += [UInt8(digits.count)] + digits
            }
            return DomainName(wire: wire + [7] + "in-addr".utf8 + [4] + "arpa".utf8 + [0])
        case .v6(let high, let low):
            for half in [low, high] {
                for shift in stride(from: 0, to: 64, by: 4) { wire += [1] + String(half >> UInt64(shift) & 15, radix: 16).utf8 }
            }
            return DomainName(wire: wire + [3] + "ip6".utf8 + [4] + "arpa".utf8 + [0])
        }
    }
}

extension IPAddress: CustomStringConvertible {
    public var description: String { socketAddress(port: 0).host }
}
