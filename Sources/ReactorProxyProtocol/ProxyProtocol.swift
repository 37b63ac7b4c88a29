public import ConnectionHandling
import Synchronization

/// What a server allows the sender of a header.
public struct ProxyLimits: Sendable {
    /// How long a header may take to come whole, from the connection's first moment. Five seconds: a header is one
    /// segment, and the specification asks for three at least, so that a lost one can be sent again.
    public var headerTime: Duration = .seconds(5)
    /// The longest header of version 2, in bytes. 4 KiB: addresses take 232 at most, the rest is for TLVs, of which a
    /// client's certificate is the largest. Version 1 has its own limit, 107 bytes.
    public var headerLength = 4096

    public init() {}
}

/// Whose PROXY headers a server believes, shared by all its connections. `Sendable`.
///
/// Whoever may send a header may name any address as the client's. So there is no detection: a connection from a
/// trusted sender must begin with a header, and one from anybody else is refused, or has its bytes never looked at.
public final class ProxyProtocol: Sendable {
    /// What becomes of a connection from a peer that is not trusted.
    public enum UntrustedPeers: Sendable {
        /// It is reset, and nothing of it is read.
        case refuse
        /// The inner protocol serves it from its first byte. A header in it is input like any other.
        case serveDirectly
    }

    public let trusted: [CIDR]
    public let trustsUnixPeers: Bool
    public let untrustedPeers: UntrustedPeers
    public let limits: ProxyLimits
    private let onRefusal: (@Sendable (SocketAddress, ProxyRefusal) -> Void)?
    private let refused = Atomic(0)

    /// - Parameters:
    ///   - trusted: the networks whose peers send headers.
    ///   - trustsUnixPeers: so do all peers on Unix-domain sockets, which have no network: whoever may connect.
    ///   - onRefusal: told of each connection that is refused, on the thread that serves it.
    public init(
        trusting trusted: [CIDR], unixPeers trustsUnixPeers: Bool = false, untrustedPeers: UntrustedPeers = .refuse,
        limits: ProxyLimits = ProxyLimits(), onRefusal: (@Sendable (SocketAddress, ProxyRefusal) -> Void)? = nil
    ) {
        self.trusted = trusted
        self.trustsUnixPeers = trustsUnixPeers
        self.untrustedPeers = untrustedPeers
        self.limits = limits
        self.onRefusal = onRefusal
    }

    /// How many connections were refused, in this process.
    public var refusals: Int { refused.load(ordering: .relaxed) }

    func trusts(_ peer: SocketAddress) -> Bool {
        peer.isUnix ? trustsUnixPeers : trusted.contains { $0.contains(peer) }
    }

    func noteRefusal(of peer: SocketAddress, _ reason: ProxyRefusal) {
        refused.add(1, ordering: .relaxed)
        onRefusal?(peer, reason)
    }
}
