/// How a client speaks TLS. The defaults verify a server by the system's trust store and the name connected to.
public struct TLSClientConfiguration: Sendable {
    public enum Trust: Sendable {
        /// The authorities that the system trusts.
        case system
        /// Only these authorities (PEM).
        case authorities(TLSSource)
    }

    public var trust = Trust.system
    /// Accepts any certificate of anybody, so that whoever stands in the middle can read and change everything.
    public var acceptsAnyCertificate = false
    /// PEM: lists of revoked certificates. With any, the server's issuer must have one.
    public var revocationLists: [TLSSource] = []
    /// Refuses a server that staples no OCSP response. One that is stapled is always checked.
    public var requiresStapledResponse = false
    /// What the client proves who it is with, if the server asks.
    public var identity: TLSIdentity?
    /// Application protocols offered, the preferred first (ALPN, RFC 7301).
    public var applicationProtocols: [String] = []
    public var versions: ClosedRange<TLSVersion> = .v1_2 ... .v1_3
    /// How many sessions are kept to be resumed; the one used longest ago goes first. 0 for none. 256: some 2 KiB each.
    public var cachedSessions = 256
    public var limits = TLSLimits()
    /// Appends the secrets of each connection to this file (the format of SSLKEYLOGFILE), made with mode 0600: for
    /// debugging. Whoever reads it can read the connections.
    public var keyLogFile: String?

    public init() {}
}
