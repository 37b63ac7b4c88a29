/// One record of class IN (RFC 1035 section 3.2.1).
public struct ResourceRecord: Hashable, Sendable {
    public let name: DomainName
    /// For how many more seconds it may be kept. At most 2³¹−1 (RFC 2181 section 8).
    public let timeToLive: UInt32
    public let data: RecordData

    public var type: RecordType { data.type }

    public init(name: DomainName, timeToLive: UInt32, data: RecordData) {
        self.name = name
        self.timeToLive = timeToLive
        self.data = data
    }
}

extension ResourceRecord: CustomStringConvertible {
    /// As in a master file: name, time to live, class, type, data.
    public var description: String { "\(name) \(timeToLive) IN \(type) \(data)" }
}
