public import ConnectionHandling

/// How a datagram socket is made. Every option has a default.
public struct DatagramOptions: Sendable {
    /// `[::]` takes IPv4 too, whose peers then appear with their IPv4 addresses. Off, as for streams: who wants both
    /// families binds both, and sees both.
    public var dualStack = false
    /// May send to broadcast addresses. Off: the system refuses it with `EACCES`, which catches mistakes.
    public var broadcast = false
    /// Several sockets of this user may be bound to the port (`SO_REUSEPORT`), and the kernel spreads peers over them.
    /// Off: a second server on the port is refused.
    public var reusesPort = false
    /// Others may be bound to the address too (`SO_REUSEADDR`); each gets every multicast datagram. Off: for unicast it
    /// lets another program take the port away.
    public var sharesMulticast = false
    /// Multicast groups to join. See also ``DatagramBinding/join(_:)``.
    public var groups: [MulticastGroup] = []
    /// How many hops what is sent to a group may take; 1, the system's default, keeps it on the link. 0 to 255.
    public var multicastHops: UInt8 = 1
    /// What is sent to a group also reaches its members on this machine. On, as the system has it.
    public var multicastLoop = true
    /// The number of the interface by which multicast leaves; 0 leaves it to the system.
    public var multicastInterface: UInt32 = 0
    /// How many hops a unicast datagram may take; nil for the system's default, 64 most often. 1 to 255.
    public var hops: UInt8?
    /// Bytes of the kernel's receive buffer; nil for the system's default. The system doubles it for its own use, and
    /// caps it at `net.core.rmem_max`. What comes while it is full is dropped: see ``DatagramBinding/systemDrops``.
    public var receiveBuffer: Int?
    /// Bytes of the kernel's send buffer; nil for the system's default. Capped at `net.core.wmem_max`.
    public var sendBuffer: Int?
    /// Has the kernel cut up (UDP_SEGMENT) what is sent to one peer in datagrams of one size, and join (UDP_GRO) what
    /// comes so. Handlers see no difference but the time. On; where a kernel or an interface can't, it is not used.
    public var offload = true
    /// The permissions of a Unix-domain path; nil leaves them to the process's umask.
    public var fileMode: UInt32?

    public init() {}

    public static var `default`: DatagramOptions { DatagramOptions() }
}

/// A multicast group, on one interface.
public struct MulticastGroup: Hashable, Sendable {
    /// The group's address; its port does not matter.
    public let address: SocketAddress
    /// The interface's number; 0 leaves the choice to the system, by its routes.
    public let interface: UInt32

    public init(_ address: SocketAddress, interface: UInt32 = 0) {
        self.address = address
        if case .ipv6(_, _, _, let scope) = address, interface == 0 {
            self.interface = scope
        } else {
            self.interface = interface
        }
    }

    /// - Parameter interface: the interface's name, such as `eth0`; nil is returned where there is none of it.
    public init?(_ address: SocketAddress, interface name: String) {
        guard let number = SocketAddress.interfaceIndex(name) else { return nil }
        self.init(address, interface: number)
    }
}
