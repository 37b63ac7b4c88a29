public import ReactorDNS

/// The records that a name has of a type; at least one.
public struct Answer: Hashable, Sendable {
    /// In the server's order. What is left of their times to live is counted down where they come from the cache.
    public let records: [ResourceRecord]
    /// The name that has the records: the one looked up, or where its CNAME records lead.
    public let canonicalName: DomainName
    /// For how many seconds the answer holds: the least of its records', the CNAME records among them. 0 for what this
    /// machine knows by itself: literal addresses, `localhost`, the hosts file.
    public let timeToLive: UInt32

    public init(records: [ResourceRecord], canonicalName: DomainName, timeToLive: UInt32) {
        self.records = records
        self.canonicalName = canonicalName
        self.timeToLive = timeToLive
    }
}
