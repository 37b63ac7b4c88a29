package import ConnectionHandling

/// An address that may be connected to, and the address that the system would connect from.
package struct Destination: Equatable, Sendable {
    package let address: SocketAddress
    /// Nil where there is no route.
    package let source: SocketAddress?

    package init(_ address: SocketAddress, from source: SocketAddress?) {
        self.address = address
        self.source = source
    }

    /// In the order in which to try them (RFC 6724 section 6); those that no rule tells apart stay in theirs (rule 10).
    package static func sorted(_ destinations: [Destination]) -> [Destination] {
        destinations.enumerated().map { (rank: DestinationRank($1, position: $0), destination: $1) }
            .sorted { $0.rank < $1.rank }.map(\.destination)
    }
}

/// Where a destination stands among others: the rules of RFC 6724 section 6 in their order, the lower the better.
///
/// Left out are rules 3, 4 and 7, about deprecated source addresses, home addresses and tunnels: asking the system which
/// source it would use does not tell. Rule 9 is left out for IPv4, as in most systems: the prefixes of IPv4 addresses
/// say little about distance, and a server's own order, which spreads its clients, would be lost.
struct DestinationRank: Comparable {
    private let unusable: Bool  // rule 1
    private let otherScope: Bool  // rule 2
    private let otherLabel: Bool  // rule 5
    private let precedence: Int  // rule 6, negated
    private let scope: Int  // rule 8
    private let matchingPrefix: Int  // rule 9, negated
    private let position: Int  // rule 10

    init(_ destination: Destination, position: Int) {
        let target = AddressBits(destination.address)
        let source = destination.source.map(AddressBits.init)
        unusable = source == nil
        otherScope = source?.scope != target.scope
        otherLabel = source?.policy.label != target.policy.label
        precedence = -target.policy.precedence
        scope = target.scope
        matchingPrefix = source.map { -target.commonPrefix(with: $0) } ?? 0
        self.position = position
    }

    static func < (left: Self, right: Self) -> Bool {
        if left.unusable != right.unusable { return right.unusable }
        if left.otherScope != right.otherScope { return right.otherScope }
        if left.otherLabel != right.otherLabel { return right.otherLabel }
        return (left.precedence, left.scope, left.matchingPrefix, left.position)
            < (right.precedence, right.scope, right.matchingPrefix, right.position)
    }
}

/// An address as 128 bits, an IPv4 one mapped into IPv6 (RFC 6724 section 2.1 and 3.2).
struct AddressBits: Equatable {
    let high: UInt64
    let low: UInt64

    init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let number, _): (high, low) = (0, 0xFFFF_0000_0000 | UInt64(number))
        case .ipv6(let high, let low, _, _): (self.high, self.low) = (high, low)
        case .unix: (high, low) = (0, 0)
        }
    }

    fileprivate init(_ high: UInt64, _ low: UInt64) { (self.high, self.low) = (high, low) }

    var isMapped: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// RFC 6724 section 3.1 and 3.2, in the numbers of multicast scopes: 2 for a link, 5 for a site, 14 for everywhere.
    var scope: Int {
        if isMapped {
            let isOfLink = low >> 24 & 0xFF == 127 || low >> 16 & 0xFFFF == 0xA9FE
            return isOfLink ? 2 : 14
        }
        if high >> 56 == 0xFF { return Int(high >> 48 & 0xF) }
        if high >> 54 == 0xFE80 >> 6 || (high == 0 && low == 1) { return 2 }
        return high >> 54 == 0xFEC0 >> 6 ? 5 : 14
    }

    struct Policy {
        let prefix: AddressBits
        let length: Int
        let precedence: Int
        let label: Int
    }

    /// The default table of RFC 6724 section 2.1, the longest prefixes first.
    private static let policies = [
        Policy(prefix: AddressBits(0, 1), length: 128, precedence: 50, label: 0),
        Policy(prefix: AddressBits(0, 0xFFFF_0000_0000), length: 96, precedence: 35, label: 4),
        Policy(prefix: AddressBits(0, 0), length: 96, precedence: 1, label: 3),
        Policy(prefix: AddressBits(0x2001_0000 << 32, 0), length: 32, precedence: 5, label: 5),
        Policy(prefix: AddressBits(0x2002 << 48, 0), length: 16, precedence: 30, label: 2),
        Policy(prefix: AddressBits(0x3FFE << 48, 0), length: 16, precedence: 1, label: 12),
        Policy(prefix: AddressBits(0xFEC0 << 48, 0), length: 10, precedence: 1, label: 11),
        Policy(prefix: AddressBits(0xFC00 << 48, 0), length: 7, precedence: 3, label: 13),
    ]
    private static let otherwise = Policy(prefix: AddressBits(0, 0), length: 0, precedence: 40, label: 1)

    var policy: Policy { Self.policies.first { prefix(with: $0.prefix) >= $0.length } ?? Self.otherwise }

    /// How many leading bits both have.
    private func prefix(with other: Self) -> Int {
        high == other.high ? 64 + (low ^ other.low).leadingZeroBitCount : (high ^ other.high).leadingZeroBitCount
    }

    /// CommonPrefixLen of section 2.2: of IPv6 addresses, without the half that names the interface.
    func commonPrefix(with source: Self) -> Int { isMapped || source.isMapped ? 0 : min(prefix(with: source), 64) }
}
