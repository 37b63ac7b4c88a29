/// What a record says, by its type.
public enum RecordData: Hashable, Sendable {
    /// A (RFC 1035 section 3.4.1) or AAAA (RFC 3596 section 2.2): the address says which.
    case address(IPAddress)
    /// RFC 1035 section 3.3.9. The exchange with the lowest preference is tried first.
    case mx(preference: UInt16, exchange: DomainName)
    /// Character-strings, each of at most 255 bytes (RFC 1035 section 3.3.14).
    case txt([[UInt8]])
    /// RFC 2782
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: DomainName)
    case ptr(DomainName)
    case ns(DomainName)
    case cname(DomainName)
    /// RFC 8659 section 4.1
    case caa(flags: UInt8, tag: [UInt8], value: [UInt8])
    case soa(StartOfAuthority)
    case naptr(NamingAuthorityPointer)
    /// Any other type, as its bytes (RFC 3597).
    case unknown(RecordType, [UInt8])

    public var type: RecordType {
        switch self {
        case .address(let address): address.recordType
        case .mx: .mx
        case .txt: .txt
        case .srv: .srv
        case .ptr: .ptr
        case .ns: .ns
        case .cname: .cname
        case .caa: .caa
        case .soa: .soa
        case .naptr: .naptr
        case .unknown(let type, _): type
        }
    }

    /// The address of an A or AAAA record.
    public var address: IPAddress? {
        if case .address(let address) = self { address } else { nil }
    }
}

/// RFC 1035 section 3.3.13. Times are in seconds.
public struct StartOfAuthority: Hashable, Sendable {
    public var primary: DomainName
    public var mailbox: DomainName
    public var serial: UInt32
    public var refresh: UInt32
    public var retry: UInt32
    public var expire: UInt32
    /// The time to live of a negative answer (RFC 2308 section 4), together with the record's own.
    public var minimum: UInt32

    public init(
        primary: DomainName, mailbox: DomainName, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32,
        minimum: UInt32
    ) {
        self.primary = primary
        self.mailbox = mailbox
        self.serial = serial
        self.refresh = refresh
        self.retry = retry
        self.expire = expire
        self.minimum = minimum
    }
}

/// RFC 3403 section 4.1
public struct NamingAuthorityPointer: Hashable, Sendable {
    public var order: UInt16
    public var preference: UInt16
    public var flags: [UInt8]
    public var services: [UInt8]
    public var regularExpression: [UInt8]
    public var replacement: DomainName

    public init(
        order: UInt16, preference: UInt16, flags: [UInt8], services: [UInt8], regularExpression: [UInt8],
        replacement: DomainName
    ) {
        self.order = order
        self.preference = preference
        self.flags = flags
        self.services = services
        self.regularExpression = regularExpression
        self.replacement = replacement
    }
}

extension RecordData: CustomStringConvertible {
    /// As in a master file, which is how `dig +short` prints it.
    public var description: String {
        switch self {
        case .address(let address): return "\(address)"
        case .mx(let preference, let exchange): return "\(preference) \(exchange)"
        case .txt(let strings): return strings.map(Presentation.quoted).joined(separator: " ")
        case .srv(let priority, let weight, let port, let target): return "\(priority) \(weight) \(port) \(target)"
        case .ptr(let name), .ns(let name), .cname(let name): return "\(name)"
        case .caa(let flags, let tag, let value):
            return "\(flags) \(String(decoding: tag, as: UTF8.self)) \(Presentation.quoted(value))"
        case .soa(let soa):
            return "\(soa.primary) \(soa.mailbox) \(soa.serial) \(soa.refresh) \(soa.retry) \(soa.expire) \(soa.minimum)"
        case .naptr(let naptr):
            let strings = [naptr.flags, naptr.services, naptr.regularExpression].map(Presentation.quoted)
            return "\(naptr.order) \(naptr.preference) \(strings.joined(separator: " ")) \(naptr.replacement)"
        case .unknown(_, let bytes):
            if bytes.isEmpty { return "\\# 0" }
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
            return "\\# \(bytes.count) \(digits.joined())"
        }
    }
}
