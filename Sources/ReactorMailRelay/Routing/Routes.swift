import ConnectionHandling
import ReactorDNS
import ReactorNames
public import ReactorSMTP

/// Where the messages for each recipient go, and how: what the operator has configured.
///
/// A *destination* is a text that names a set of recipients whose messages go the same way: a domain in lower case, an
/// address literal, or a ``Route`` as it is written. A queue keeps it with each recipient, and the agent has one queue in
/// memory for each.
public struct Routes: Sendable {
    /// What no other rule is about.
    public var standard: Route
    public var standardTLS = DestinationTLS.opportunistic
    /// Recipients without a domain, which only `Postmaster` is (RFC 5321 section 4.5.1), are taken to be in this one.
    public var localDomain: String
    private var routes: [String: Route] = [:]
    private var tls: [String: DestinationTLS] = [:]
    private var credentials: [String: SMTPCredentials] = [:]

    public init(_ standard: Route = .mx, localDomain: String) {
        self.standard = standard
        self.localDomain = localDomain
    }

    /// Sends the recipients of a domain another way; `.example.org` is every subdomain of example.org, but not itself.
    public mutating func add(_ pattern: String, _ route: Route) { routes[Self.canonical(pattern)] = route }

    /// - Parameter pattern: a domain, `.example.org`, or a next hop as it is written in its route.
    public mutating func add(_ pattern: String, _ policy: DestinationTLS) { tls[Self.canonical(pattern)] = policy }

    /// Authenticates to a next hop with these. Where TLS would be opportunistic the session is then `verified`: a password is
    /// not shown to whoever claims to be the next hop.
    public mutating func add(_ hop: NextHop, _ credentials: SMTPCredentials) { self.credentials["\(hop)"] = credentials }

    func credentials(for destination: String) -> SMTPCredentials? { credentials[destination] }

    /// The destination of a recipient, as `MailQueue` keeps it.
    public func destination(for address: String) -> String {
        let domain = Self.canonical(MailPath.parts(of: address).domain ?? localDomain)
        let route = Self.match(domain, in: routes) ?? standard
        return route.destination ?? domain
    }

    /// How messages for a destination are delivered. One that this does not know any more, because the configuration has
    /// changed, goes the way that its text says.
    public func route(to destination: String) -> Route {
        if destination.hasPrefix("[") && destination.hasSuffix("]") || !destination.contains(":") { return .mx }
        return (try? Route(parsing: destination)) ?? .error(EnhancedStatusCode(5, 4, 4), "no route to \(destination)")
    }

    public func tls(to destination: String) -> DestinationTLS {
        Self.match(Self.canonical(destination), in: tls) ?? standardTLS
    }

    /// The address that `[192.0.2.1]` or `[IPv6:2001:db8::1]` is (RFC 5321 section 4.1.3).
    static func literal(_ domain: String) -> IPAddress? {
        guard domain.hasPrefix("["), domain.hasSuffix("]"), domain.utf8.count > 2 else { return nil }
        let content = String(domain.dropFirst().dropLast())
        if content.lowercased().hasPrefix("ipv6:") {
            let address = IPAddress(parsing: String(content.dropFirst(5)))
            return address?.recordType == .aaaa ? address : nil
        }
        let address = IPAddress(parsing: content)
        return address?.recordType == .a ? address : nil
    }

    /// The rule of the domain itself, or of the nearest domain above it that has one for its subdomains.
    private static func match<Rule>(_ domain: String, in rules: [String: Rule]) -> Rule? {
        if let rule = rules[domain] { return rule }
        if rules.isEmpty { return nil }
        var rest = domain[...]
        while let dot = rest.dropFirst().firstIndex(of: ".") {
            rest = rest[dot...]
            if let rule = rules[String(rest)] { return rule }
        }
        return nil
    }

    /// In lower case, in ASCII (RFC 5891) where that is possible, and without a dot at the end.
    private static func canonical(_ domain: String) -> String {
        var text = domain.lowercased()
        if text.hasSuffix("."), text.utf8.count > 1 { text.removeLast() }
        return (try? InternationalName.asciiForm(of: text)) ?? text
    }
}
