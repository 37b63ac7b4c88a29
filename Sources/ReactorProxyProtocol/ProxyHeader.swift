public import ConnectionHandling

/// What a proxy says about a connection, in front of its first byte (the PROXY protocol, haproxy's proxy-protocol.txt).
public struct ProxyHeader: Equatable, Sendable {
    public enum Command: Sendable {
        /// The proxy speaks for itself, as with a health check: sender and receiver are the connection's real ends.
        case local
        /// The connection was made for another node.
        case proxy
    }

    public enum Transport: Sendable { case stream, datagram }

    /// The ends of the connection that the proxy accepted.
    public struct Endpoints: Equatable, Sendable {
        public var source: SocketAddress
        public var destination: SocketAddress
        public var transport: Transport

        public init(source: SocketAddress, destination: SocketAddress, transport: Transport = .stream) {
            self.source = source
            self.destination = destination
            self.transport = transport
        }
    }

    /// The header's form on the wire: a line of text, or binary.
    public enum Version: Sendable { case v1, v2 }

    public var command: Command
    /// Nil if the proxy does not say: with LOCAL, UNKNOWN and UNSPEC. Then the connection's own addresses hold.
    public var endpoints: Endpoints?
    /// What else is said, in order. Version 2 only, and only beside endpoints.
    public var tlvs: [TLV] = []

    /// A connection made for another node.
    public init(_ endpoints: Endpoints?, tlvs: [TLV] = []) {
        command = .proxy
        self.endpoints = endpoints
        self.tlvs = tlvs
    }

    private init(command: Command) { self.command = command }

    /// The proxy speaks for itself.
    public static let local = ProxyHeader(command: .local)
}
