/// What a TLS connection allows its peer.
public struct TLSLimits: Sendable {
    /// How long the handshake may take, from the connection's first moment. Ten seconds: three round trips over the worst
    /// of networks and a lost packet, and far less than it takes a flood of idle openings to hurt.
    public var handshakeTime: Duration = .seconds(10)
    /// The longest chain of certificates that a peer may send, in bytes: they are kept until the chain is whole. 64 KiB: a
    /// chain of four takes six at most, and one of post-quantum signatures some forty.
    public var certificateChain = 65_536
    /// Handshake messages that a peer may send once the handshake is over: key updates, new session tickets, attempts to
    /// renegotiate. Each costs far more to handle than to send. 64: tickets come in twos, key updates once in gigabytes.
    public var lateMessages = 64
    /// For every so many bytes received, one more of them is allowed. 64 KiB, so that a connection may last for ever and
    /// such messages never become a noticeable part of the work.
    public var bytesPerLateMessage = 65_536

    public init() {}
}
