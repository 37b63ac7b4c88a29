public import ConnectionHandling

/// Whom a resolver asks, for how long, and what it keeps.
public struct ResolverOptions: Sendable {
    /// The name servers, in the order to ask them; over UDP, and over TCP for answers that are too long for it. Empty, which
    /// is the default: those of ``configurationFile``.
    public var servers: [SocketAddress] = []
    /// resolv.conf(5), for what is not said here. It is read again when it has changed.
    public var configurationFile = "/etc/resolv.conf"
    /// hosts(5): names that are known without asking. It is read again when it has changed. Nil: none.
    public var hostsFile: String? = "/etc/hosts"
    /// Domains that a short name is tried in. Nil, which is the default: those of the system. Empty: none.
    public var searchDomains: [String]?
    /// A name with at least this many dots is tried as it is before it is tried in the search domains. Nil, which is the
    /// default: as the system says, mostly 1.
    public var ndots: Int?

    /// How long one server is given for one try. A server that must ask others first takes up to a second; what is lost
    /// should be asked again well before people give up.
    public var timeout: Duration = .seconds(2)
    /// How often each server is asked before it is given up. UDP loses datagrams; three in a row are a dead server.
    public var tries = 3
    /// For one look-up in all, search domains, servers and tries included. Less than the 30 s that clients mostly wait for a
    /// connection, so that time is left to try another name.
    public var deadline: Duration = .seconds(10)

    /// The UDP payload that servers may answer with, in bytes (EDNS(0), RFC 6891). 1232 fits in the least MTU of IPv6
    /// without fragments, which get lost and can be forged. Answers that are longer come over TCP. From 512, which every
    /// server may send, to 4096, which c-ares has room for; others count as the nearer of these.
    public var payloadSize: UInt16 = 1232

    /// Look-ups under way at once, the rest refused with ``ResolutionError/tooManyLookups(name:type:)``: 10,000 hold some
    /// 7 MB.
    public var maxConcurrent = 10_000
    /// Queries on their way to servers at once, one at least; further ones wait their turn. A socket with Linux' default buffer takes some
    /// 200 short datagrams, and drops what comes beyond: of a thousand look-ups at once, 200 at a time lost ten here, 100 none.
    public var maxOutstanding = 100

    /// Answers kept, negative ones included; 0 keeps none. With ``maxCachedSize`` it bounds the memory.
    public var maxCached = 4096
    /// Answers that take more memory than this, in bytes, about, are not kept. 8,192 hold some sixty addresses: few have
    /// more, and those are asked for seldom. All of a cache is 32 MB then, whatever the servers say.
    public var maxCachedSize = 8192
    /// The longest that an answer is kept, whatever its time to live (RFC 2181 section 8 leaves it to us; RFC 8767 section 4
    /// has no more than a week): a mistake in a zone should not last longer here than a day.
    public var longestTimeToLive: Duration = .seconds(86_400)
    /// The longest that "there is no such name" and "no such record" are kept (RFC 2308 section 5 recommends up to three
    /// hours): a name that was just made is wanted soon.
    public var longestNegativeTimeToLive: Duration = .seconds(900)
    /// The shortest that an answer is kept. 0 does what the zone says. More spares the servers, but then stale answers are
    /// ours.
    public var shortestTimeToLive: Duration = .zero

    public init(servers: [SocketAddress] = []) { self.servers = servers }
}

/// What a resolver has done since it was made.
public struct ResolverStatistics: Hashable, Sendable {
    /// Look-ups asked for.
    public internal(set) var lookups: UInt64 = 0
    /// Queries sent, each try counted.
    public internal(set) var queries: UInt64 = 0
    /// Questions answered by the cache.
    public internal(set) var cacheHits: UInt64 = 0
    /// Questions that joined a query that was under way.
    public internal(set) var joined: UInt64 = 0
    /// Look-ups that ended without an answer.
    public internal(set) var failures: UInt64 = 0
}
