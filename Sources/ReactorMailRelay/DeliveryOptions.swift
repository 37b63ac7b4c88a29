public import ConnectionHandling
public import ReactorDNS
public import ReactorNames
public import ReactorTLS

/// What a ``DeliveryAgent`` is told about the world.
public struct DeliveryOptions: Sendable {
    /// How the agent calls itself, to servers and in notices: a domain name.
    public var hostname: String
    public var routes: Routes
    /// Other names of this relay, which MX records may have; the hostname is one of them in any case.
    public var ownNames: [String] = []
    /// Addresses at which this relay takes mail on port 25: mail is not sent there by MX records.
    public var ownAddresses: [IPAddress] = []
    /// Where this relay listens: what would be sent there by MX or address records would come back. The unspecified address,
    /// `0.0.0.0` or `::`, stands for all that this machine has of its kind.
    public var listening: [SocketAddress] = []
    /// The port of mail exchangers and address literals: 25 (RFC 5321 section 4.5.4.2); another one for tests.
    public var port: UInt16 = 25
    /// Whom to ask for names.
    public var resolver = ResolverOptions()
    /// For sessions whose certificates are verified. Nil: by the certificate authorities that the system trusts.
    public var tls: TLSClientContext?
    public var limits = DeliveryLimits()

    public init(hostname: String, routes: Routes) {
        self.hostname = hostname
        self.routes = routes
    }

    var own: MailExchange.Own {
        MailExchange.Own(
            names: Set((ownNames + [hostname]).map { $0.lowercased() }), addresses: Set(ownAddresses),
            listening: MailExchange.Own.sockets(listening, of: InterfaceAddresses.all))
    }
}
