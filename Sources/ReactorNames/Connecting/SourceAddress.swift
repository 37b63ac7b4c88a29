package import ConnectionHandling
import Glibc

extension Destination {
    /// Asks the system which address it would connect from: connect(2) of a datagram socket looks up the route, and sends
    /// nothing.
    package init(asking address: SocketAddress) { self.init(address, from: Self.source(for: address)) }

    private static func source(for address: SocketAddress) -> SocketAddress? {
        let number = socket(address.family, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        // One for each address: a socket that is connected again keeps its first source.
        let descriptor = Descriptor(owning: number)
        // Some systems refuse port 0, and the route does not depend on it.
        guard address.with(port: 9).withSystemAddress({ connect(descriptor.number, $0, $1) }) == 0 else { return nil }
        return SocketAddress.local(of: descriptor.number)
    }
}

extension SocketAddress {
    /// The same host's, with another port.
    func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let number, _): .ipv4(number, port: port)
        case .ipv6(let high, let low, _, let scope): .ipv6(high: high, low: low, port: port, scope: scope)
        case .unix: self
        }
    }
}
