public import ConnectionHandling

/// Who may have messages sent on to anybody. Never everyone unless somebody says so.
public struct RelayPolicy: Sendable {
    /// Peers in one of these may relay; so may peers on a Unix-domain socket, which are local by nature.
    public var allowed: [CIDR]

    public init(allowed: [CIDR]) { self.allowed = allowed }

    /// This machine only: 127.0.0.0/8 and ::1/128.
    public static var local: RelayPolicy {
        RelayPolicy(allowed: CIDR.loopback)
    }

    public func allows(_ peer: SocketAddress) -> Bool {
        peer.isUnix || allowed.contains { $0.contains(peer) }
    }
}
