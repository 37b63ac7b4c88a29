import CReactorSystem
package import ConnectionHandling
import Glibc

/// A bound, non-blocking datagram socket. Whoever takes its ``descriptor`` removes a Unix path.
package struct DatagramDescriptor: ~Copyable {
    package let descriptor: Descriptor
    /// Where it is bound, with the port that the system chose when 0 was asked for.
    package let address: SocketAddress
    /// Whom it is connected to.
    package let peer: SocketAddress?

    /// - Throws: ``SystemError`` if the address cannot be bound, or an option is refused.
    package init(_ address: SocketAddress, _ options: DatagramOptions) throws(SystemError) {
        let operation = "listen on \(address)"
        let number = try Self.make(address, operation)
        let descriptor = Descriptor(owning: number)
        try OptionSetter(number: number, operation: operation, address: address).set(options, address)
        try Self.bind(number, address, options, operation)
        for group in options.groups { try Self.change(group, join: true, on: number) }
        self.address = SocketAddress.local(of: number) ?? address
        peer = nil
        self.descriptor = descriptor
    }

    /// - Parameter local: where to bind it first; nil leaves it to the system.
    /// - Throws: ``SystemError`` if there is no way to `peer`, or an option is refused.
    package init(connectedTo peer: SocketAddress, from local: SocketAddress?, _ options: DatagramOptions) throws(SystemError) {
        let operation = "connect to \(peer)"
        let number = try Self.make(peer, operation)
        let descriptor = Descriptor(owning: number)
        try OptionSetter(number: number, operation: operation, address: peer).set(options, peer)
        if let local {
            try Self.bind(number, local, options, operation)
        } else if peer.isUnix {
            // Without a name of its own nobody could answer it: the family alone has the system choose one (unix(7)).
            var nameless = sockaddr_storage()
            nameless.ss_family = sa_family_t(AF_UNIX)
            withUnsafePointer(to: &nameless) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = Glibc.bind(number, $0, socklen_t(MemoryLayout<sa_family_t>.size))
                }
            }
        }
        guard peer.withSystemAddress({ connect(number, $0, $1) }) == 0 else {
            throw SystemError(operation, errno: errno, address: peer)
        }
        for group in options.groups { try Self.change(group, join: true, on: number) }
        address = SocketAddress.local(of: number) ?? .unix(path: "")
        self.peer = peer
        self.descriptor = descriptor
    }

    /// Adopts a bound socket.
    package init(adopting number: CInt) {
        descriptor = Descriptor(owning: number)
        address = SocketAddress.local(of: number) ?? .unix(path: "")
        peer = SocketAddress.peer(of: number)
    }

    /// Makes a socket that others have made and bound work as one of ours: what they chose for it stays.
    package static func prepare(adopted number: CInt, _ options: DatagramOptions) throws(SystemError) {
        let operation = "adopt descriptor \(number) as a datagram socket"
        var type: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &length) == 0 else { throw SystemError(operation, errno: errno) }
        guard type == CInt(SOCK_DGRAM.rawValue) else { throw SystemError(operation, errno: EPROTOTYPE) }
        try setNonBlocking(number, true)
        guard let address = SocketAddress.local(of: number), !address.isUnix else { return }
        var both = options
        both.dualStack = isDualStack(number)
        try OptionSetter(number: number, operation: operation, address: address).setReports(both, address)
    }

    private static func isDualStack(_ number: CInt) -> Bool {
        var only: CInt = 1
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(number, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &only, &length) == 0 && only == 0
    }

    /// A socket for each of `count` loops; see ``ListeningSocket/sharing(_:_:count:)``. The kernel can't spread what comes
    /// to a Unix-domain address: there is one socket. Nor does it spread what is sent to a group: the first has that.
    package static func sharing(_ address: SocketAddress, _ options: DatagramOptions, count: Int) throws(SystemError) -> [CInt] {
        let count = address.isUnix ? 1 : count
        var hasJoined = false
        return try socketsSharingPort(address, count: count, reusesPort: options.reusesPort) {
            (address, shared) throws(SystemError) in
            var options = options
            options.reusesPort = shared
            // What is sent to a group reaches each socket that has joined it: one does, so that it is heard once.
            if hasJoined { options.groups = [] }
            hasJoined = shared
            return try DatagramDescriptor(address, options).release()
        }
    }

    /// The descriptor, which the caller now owns.
    package consuming func release() -> CInt { descriptor.release() }

    private static func make(_ address: SocketAddress, _ operation: String) throws(SystemError) -> CInt {
        guard address.fits else { throw SystemError(operation, errno: ENAMETOOLONG, address: address) }
        let number = socket(address.family, CInt(SOCK_DGRAM.rawValue) | ListeningSocket.flags, 0)
        guard number >= 0 else { throw SystemError(operation, errno: errno, address: address) }
        return number
    }

    private static func bind(
        _ number: CInt, _ address: SocketAddress, _ options: DatagramOptions, _ operation: String
    ) throws(SystemError) {
        guard address.fits else { throw SystemError(operation, errno: ENAMETOOLONG, address: address) }
        guard case .unix(let path) = address, !address.isAbstract else {
            if address.withSystemAddress({ Glibc.bind(number, $0, $1) }) == 0 { return }
            throw SystemError(operation, errno: errno, address: address)
        }
        try ListeningSocket.removeStaleSocket(path, type: CInt(SOCK_DGRAM.rawValue))
        // Linux gives the path the socket's mode, less the umask: so it is never open to more than it should be.
        if let mode = options.fileMode { fchmod(number, mode) }
        guard address.withSystemAddress({ Glibc.bind(number, $0, $1) }) == 0,
            options.fileMode.map({ chmod(path, $0) == 0 }) ?? true
        else { throw SystemError(operation, errno: errno, address: address) }
    }

    /// Joins a multicast group, or leaves it.
    static func change(_ group: MulticastGroup, join: Bool, on number: CInt) throws(SystemError) {
        var bytes: (UInt64, UInt64)
        switch group.address {
        case .ipv4(let address, _): bytes = (UInt64(address.bigEndian), 0)
        case .ipv6(let high, let low, _, _): bytes = (high.bigEndian, low.bigEndian)
        case .unix: throw SystemError("join \(group.address)", errno: EAFNOSUPPORT, address: group.address)
        }
        let family = UInt32(group.address.family)
        let result = withUnsafeBytes(of: &bytes) {
            creactor_multicast_join(number, family, $0.assumingMemoryBound(to: UInt64.self).baseAddress, group.interface, join ? 1 : 0)
        }
        if result < 0 {
            throw SystemError("\(join ? "join" : "leave") \(group.address.host)", errno: -result, address: group.address)
        }
    }
}

extension OptionSetter {
    /// - Parameter address: the socket's, whose family decides what there is to set.
    fileprivate func set(_ options: DatagramOptions, _ address: SocketAddress) throws(SystemError) {
        if let size = options.receiveBuffer { try set(SOL_SOCKET, SO_RCVBUF, CInt(clamping: size)) }
        if let size = options.sendBuffer { try set(SOL_SOCKET, SO_SNDBUF, CInt(clamping: size)) }
        if address.isUnix { return }
        if options.reusesPort { try set(SOL_SOCKET, SO_REUSEPORT, CInt(1)) }
        if options.sharesMulticast { try set(SOL_SOCKET, SO_REUSEADDR, CInt(1)) }
        if options.broadcast { try set(SOL_SOCKET, SO_BROADCAST, CInt(1)) }
        if case .ipv6 = address { try setIPv6(options) }
        if address.family == AF_INET || options.dualStack { try setIPv4(options) }
        try setReports(options, address)
        if options.multicastInterface != 0 {
            let result = creactor_multicast_interface(number, UInt32(address.family), options.multicastInterface)
            if result < 0 { throw SystemError(operation, errno: -result, address: address) }
        }
    }

    /// What is to be told with a datagram, and of those that did not arrive.
    fileprivate func setReports(_ options: DatagramOptions, _ address: SocketAddress) throws(SystemError) {
        // The kernel may be older than this: a handler sees the same, only later.
        if options.offload { try? set(CInt(IPPROTO_UDP), creactor_udp_gro, CInt(1)) }
        let needsRoute = address.isWildcard || !options.groups.isEmpty
        if case .ipv6 = address {
            try set(CInt(IPPROTO_IPV6), IPV6_RECVERR, CInt(1))
            if needsRoute { try set(CInt(IPPROTO_IPV6), IPV6_RECVPKTINFO, CInt(1)) }
        }
        if address.family == AF_INET || options.dualStack {
            try set(CInt(IPPROTO_IP), IP_RECVERR, CInt(1))
            if needsRoute { try set(CInt(IPPROTO_IP), IP_PKTINFO, CInt(1)) }
        }
    }

    private func setIPv4(_ options: DatagramOptions) throws(SystemError) {
        let level = CInt(IPPROTO_IP)
        if let hops = options.hops { try set(level, IP_TTL, CInt(hops)) }
        try set(level, IP_MULTICAST_TTL, CInt(options.multicastHops))
        try set(level, IP_MULTICAST_LOOP, CInt(options.multicastLoop ? 1 : 0))
        // Otherwise a socket bound to every address gets the groups that any program of the machine has joined.
        try set(level, IP_MULTICAST_ALL, CInt(0))
    }

    private func setIPv6(_ options: DatagramOptions) throws(SystemError) {
        let level = CInt(IPPROTO_IPV6)
        try set(level, IPV6_V6ONLY, CInt(options.dualStack ? 0 : 1))
        if let hops = options.hops { try set(level, IPV6_UNICAST_HOPS, CInt(hops)) }
        try set(level, IPV6_MULTICAST_HOPS, CInt(options.multicastHops))
        try set(level, IPV6_MULTICAST_LOOP, CInt(options.multicastLoop ? 1 : 0))
        // As IP_MULTICAST_ALL; since Linux 4.20.
        try? set(level, creactor_ipv6_multicast_all, CInt(0))
    }
}

extension SocketAddress {
    /// Every address of the machine.
    var isWildcard: Bool {
        switch self {
        case .ipv4(0, _), .ipv6(0, 0, _, _): true
        default: false
        }
    }
}
