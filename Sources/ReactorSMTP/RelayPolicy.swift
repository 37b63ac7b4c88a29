public import ConnectionHandling

/// Who may have messages sent on, and to whom. Never everyone to everybody unless somebody says so.
public struct RelayPolicy: Sendable {
    /// Peers in one of these may relay to anybody; so may peers on a Unix-domain socket, which are local by nature.
    public var allowed: [CIDR]
    /// Clients that have authenticated may relay to anybody. Default: yes, that is what they do it for.
    public var allowsAuthenticated = true
    /// Anybody may send to these domains: those that are ours, or whose mail we take for others. In any case; `.example.org`
    /// stands for all below it, and an address literal is written as in an address, `[192.0.2.1]`.
    public var domains: Set<String> { didSet { domains = Self.folded(domains) } }

    /// Those who may not relay may have `@`, `%` or `!` in the local parts of their recipients: `user%other.example@ours.example`.
    /// Default: no. Somebody further on, who trusts us, may take it for a route to anybody (RFC 5321 appendix C).
    public var allowsRoutedRecipients = false

    public init(allowed: [CIDR], domains: Set<String> = []) {
        self.allowed = allowed
        self.domains = Self.folded(domains)
    }

    /// This machine only: 127.0.0.0/8 and ::1/128.
    public static var local: RelayPolicy {
        RelayPolicy(allowed: CIDR.loopback)
    }

    public func allows(_ peer: SocketAddress) -> Bool {
        peer.isUnix || allowed.contains { $0.contains(peer) }
    }

    /// Whether anybody may send to `domain`, which is given in lower case.
    public func lists(_ domain: String) -> Bool {
        if domains.isEmpty { return false }
        if domains.contains(domain) { return true }
        var rest = domain[...]
        // A literal is no domain below another.
        while !domain.hasPrefix("["), let dot = rest.firstIndex(of: ".") {
            if domains.contains(String(rest[dot...])) { return true }
            rest = rest[rest.index(after: dot)...]
        }
        return false
    }

    /// Whether somebody may take the address for one that names a way to another.
    static func isRouted(_ address: String) -> Bool {
        MailPath.parts(of: address).localPart.utf8.contains { "@%!".utf8.contains($0) }
    }

    private static func folded(_ domains: Set<String>) -> Set<String> { Set(domains.map { $0.lowercased() }) }
}
