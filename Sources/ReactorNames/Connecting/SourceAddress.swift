package import ConnectionHandling
import Glibc

extension SocketAddress {
    /// The address that the system would connect from: connect(2) of a datagram socket looks up the route, and sends
    /// nothing. Nil where there is no route.
    package static func source(for address: SocketAddress) -> SocketAddress? {
        let number = socket(address.family, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        // One for each address: a socket that is connected again keeps its first source.
        let descriptor = Descriptor(owning: number)
        guard address.withSystemAddress({ connect(descriptor.number, $0, $1) }) == 0 else { return nil }
        return local(of: descriptor.number)
    }

    /// Reads `127.0.0.1`, `::1`, `[::1]` or `fe80::1%eth0`; nil for a name.
    init?(literalHost host: String, port: UInt16) {
        if let number = Self.ipv4Number(host) {
            self = .ipv4(number, port: port)
        } else if host.contains(":"), let address = try? Self(parsing: host.hasPrefix("[") ? "\(host):\(port)" : "[\(host)]:\(port)") {
            self = address
        } else {
            return nil
        }
    }
}
