/// How a server speaks TLS. The defaults are Mozilla's intermediate profile.
public struct TLSServerConfiguration: Sendable {
    /// What is asked of clients.
    public enum ClientCertificates: Sendable {
        case none
        /// A client may show a certificate; one that does not lead to these authorities (PEM) is refused.
        case optional(authorities: TLSSource)
        /// A client must show a certificate that leads to these authorities (PEM).
        case required(authorities: TLSSource)
    }

    /// Chosen by the name that the client asks for (SNI, RFC 6066 section 3), among the names in the certificates'
    /// subjectAltName; the first serves clients that ask for none of them. Of several that match, a client gets the one
    /// whose kind of key it can check.
    public var identities: [TLSIdentity]
    /// Application protocols, the preferred first (ALPN, RFC 7301). If there are any, a client that offers others only is
    /// refused; one that offers none is served.
    public var applicationProtocols: [String] = []
    public var clientCertificates = ClientCertificates.none
    /// PEM: lists of revoked client certificates. With any, each client's issuer must have one.
    public var revocationLists: [TLSSource] = []
    public var versions: ClosedRange<TLSVersion> = .v1_2 ... .v1_3
    public var tickets = TLSTicketOptions()
    public var limits = TLSLimits()
    /// Appends the secrets of each connection to this file (the format of SSLKEYLOGFILE), made with mode 0600: for
    /// debugging. Whoever reads it can read the connections.
    public var keyLogFile: String?

    public init(identities: [TLSIdentity]) { self.identities = identities }

    /// The same, with each source replaced by what `read` makes of it.
    func reading(
        _ read: (TLSSource) throws(TLSConfigurationError) -> TLSSource
    ) throws(TLSConfigurationError) -> TLSServerConfiguration {
        var result = self
        for index in identities.indices {
            result.identities[index].certificates = try read(identities[index].certificates)
            result.identities[index].key = try read(identities[index].key)
            if let response = identities[index].ocspResponse { result.identities[index].ocspResponse = try read(response) }
        }
        switch clientCertificates {
        case .none: break
        case .optional(let authorities): result.clientCertificates = .optional(authorities: try read(authorities))
        case .required(let authorities): result.clientCertificates = .required(authorities: try read(authorities))
        }
        for index in revocationLists.indices { result.revocationLists[index] = try read(revocationLists[index]) }
        return result
    }
}

/// Session tickets, by which clients resume (RFC 8446 section 4.6.1, RFC 5077).
public struct TLSTicketOptions: Sendable {
    /// Without, every handshake is a full one.
    public var areIssued = true
    /// How long after a full handshake its session is resumed, by whichever ticket. Four hours: a visitor comes back within
    /// that, or pays for a full handshake; and so often does a client prove anew who it is. A session whose client's
    /// certificate has expired is not resumed at all.
    public var lifetime: Duration = .seconds(4 * 3600)
    /// How often the key changes. One hour: what a stolen key opens are the resumptions of that hour and the connections
    /// of TLS 1.2 behind its tickets. At least a minute, and at most 64 times in a lifetime.
    public var rotation: Duration = .seconds(3600)

    public init() {}
}
