package import Glibc

/// Where a datagram came from, and what became of it on the way. Plain bits: copied without counting references, may
/// be kept, and an answer can be sent to it later.
///
/// The system writes the addresses here, and an answer goes out with the same bits: they are converted only if asked
/// for.
public struct DatagramOrigin: Sendable {
    /// The sender's address, as the system wrote it.
    package var name = sockaddr_storage()
    package var nameLength: UInt32 = 0
    /// The address the datagram was sent to, and the one an answer leaves from, where the system says.
    package var local = LocalRoute()
    package var localPort: UInt16 = 0

    /// How many bytes were sent: more than were received if ``isTruncated``.
    public package(set) var fullLength = 0
    /// The datagram was longer than ``DatagramLimits/maxPayload``, and its end is lost.
    public package(set) var isTruncated = false

    package init() {}

    /// An origin as the system would write it: for drivers without one.
    package init(peer: SocketAddress, local: SocketAddress? = nil) {
        nameLength = peer.write(to: &name)
        if let local {
            self.local = LocalRoute(local)
            localPort = local.port ?? 0
        }
    }

    /// Who sent it. A Unix-domain peer that is bound to nothing has an empty path, and can't be answered.
    public var peer: SocketAddress { SocketAddress(system: name, length: nameLength).unmapped }

    /// The sender's port, nil for a Unix-domain peer: ``peer`` need not be converted for it.
    public var peerPort: UInt16? {
        // In both families it stands where IPv4 has it.
        switch CInt(name.ss_family) {
        case AF_INET, AF_INET6: withUnsafeBytes(of: name) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
        default: nil
        }
    }

    /// The address that the datagram was sent to: known where the socket is bound to every address of the machine. An
    /// answer to this origin leaves from there.
    public var localAddress: SocketAddress? { local.address(port: localPort) }

    /// The number of the interface it came in by; 0 where it is not known.
    public var interface: UInt32 { local.interface }

    /// It was sent to this machine alone, as far as is known: not to a multicast group, nor by broadcast.
    public var isUnicast: Bool { local.isUnicast }
}

/// A datagram's address on this side, as IP_PKTINFO and IPV6_PKTINFO give it, in network order.
package struct LocalRoute: Sendable {
    /// AF_INET, AF_INET6, or 0 where nothing is known.
    package var family: UInt32 = 0
    package var interface: UInt32 = 0
    /// Where the datagram was sent to.
    package var destination: (UInt64, UInt64) = (0, 0)
    /// Where an answer leaves from; all zero leaves it to the system.
    package var source: (UInt64, UInt64) = (0, 0)

    package init() {}

    package init(_ address: SocketAddress) {
        family = UInt32(address.family)
        switch address {
        case .ipv4(let number, _): destination.0 = UInt64(number.bigEndian)
        case .ipv6(let high, let low, _, let scope):
            destination = (high.bigEndian, low.bigEndian)
            interface = scope
        case .unix: family = 0
        }
        if isUnicast { source = destination }
    }

    package func address(port: UInt16) -> SocketAddress? {
        switch CInt(family) {
        case AF_INET:
            .ipv4(UInt32(bigEndian: UInt32(truncatingIfNeeded: destination.0)), port: port)
        case AF_INET6:
            .ipv6(
                high: UInt64(bigEndian: destination.0), low: UInt64(bigEndian: destination.1), port: port,
                scope: UInt64(bigEndian: destination.0) >> 54 == 0x3FA ? interface : 0)
        default: nil
        }
    }

    /// For IPv4 the system names a source of its own beside a destination that is no address of this machine's.
    package var isUnicast: Bool {
        switch CInt(family) {
        case AF_INET:
            let first = destination.0 & 0xFF
            return first < 224 && (source == (0, 0) || source.0 == destination.0)
        case AF_INET6:
            return destination.0 & 0xFF != 0xFF
        default: return true
        }
    }
}

extension SocketAddress {
    /// What a socket bound to `local` calls the address: one of both families knows IPv4 addresses as mapped ones.
    package func mapped(for local: SocketAddress) -> SocketAddress {
        guard case .ipv6 = local, case .ipv4(let number, let port) = self else { return self }
        return .ipv6(high: 0, low: 0xFFFF_0000_0000 | UInt64(number), port: port)
    }

    /// Writes the address as the system wants it, and returns its length.
    package func write(to storage: inout sockaddr_storage) -> UInt32 {
        withSystemAddress { address, length in
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: min(Int(length), $0.count)))
            }
            return length
        }
    }
}
