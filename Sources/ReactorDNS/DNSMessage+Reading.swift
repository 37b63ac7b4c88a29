import ReactorWire

extension DNSMessage {
    static let classIN: UInt16 = 1

    /// Reads a message, whole. Records of other classes than IN are passed over. So are bytes behind the last record, which
    /// some servers and boxes on the way are known to add.
    ///
    /// - Throws: ``DNSViolation``, whatever the bytes are; it never traps. No more is stored than the message's bytes allow:
    ///   some 6,000 records, with a name of at most 255 bytes each.
    public init(reading bytes: RawSpan) throws(DNSViolation) {
        var reader = MessageReader(bytes)
        self.init(id: try reader.integer())
        let flags: UInt16 = try reader.integer()
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(truncatingIfNeeded: flags >> 11) & 15
        isAuthoritative = flags & 0x0400 != 0
        isTruncated = flags & 0x0200 != 0
        recursionDesired = flags & 0x0100 != 0
        recursionAvailable = flags & 0x0080 != 0
        responseCode.rawValue = flags & 15
        let (questionCount, answerCount): (UInt16, UInt16) = (try reader.integer(), try reader.integer())
        let (authorityCount, additionalCount): (UInt16, UInt16) = (try reader.integer(), try reader.integer())
        for _ in 0..<questionCount {
            let name = try reader.name()
            let type = RecordType(rawValue: try reader.integer())
            if try reader.integer(as: UInt16.self) == Self.classIN { questions.append(Question(name: name, type: type)) }
        }
        try readRecords(answerCount, &reader) { $0.answers.append($1) }
        try readRecords(authorityCount, &reader) { $0.authorities.append($1) }
        try readRecords(additionalCount, &reader) { $0.additionals.append($1) }
    }

    private mutating func readRecords(
        _ count: UInt16, _ reader: inout MessageReader, _ append: (inout DNSMessage, ResourceRecord) -> Void
    ) throws(DNSViolation) {
        for _ in 0..<count {
            let name = try reader.name()
            let type = RecordType(rawValue: try reader.integer())
            let recordClass: UInt16 = try reader.integer()
            let timeToLive: UInt32 = try reader.integer()
            let length = Int(try reader.integer(as: UInt16.self))
            let isKnown = recordClass == Self.classIN && type != .opt
            let data = try reader.data(length, of: type) { reader throws(DNSViolation) in
                isKnown ? try RecordData(reading: type, &reader) : .unknown(type, try reader.rest())
            }
            if type == .opt {
                // RFC 6891 section 6.1.3: its class is the payload size; its TTL begins with the upper bits of the RCODE.
                payloadSize = recordClass
                responseCode.rawValue |= UInt16(timeToLive >> 24) << 4
            } else if isKnown {
                // RFC 2181 section 8: with the highest bit set, a time to live is taken for 0.
                let seconds = timeToLive >> 31 == 0 ? timeToLive : 0
                append(&self, ResourceRecord(name: name, timeToLive: seconds, data: data))
            }
        }
    }
}

extension RecordData {
    /// Names are decompressed wherever they stand, as RFC 3597 section 4 asks of receivers.
    init(reading type: RecordType, _ reader: inout MessageReader) throws(DNSViolation) {
        switch type {
        case .a: self = .address(.v4(try reader.integer()))
        case .aaaa: self = .address(.v6(high: try reader.integer(), low: try reader.integer()))
        case .mx: self = .mx(preference: try reader.integer(), exchange: try reader.name())
        case .txt: self = .txt(try Self.strings(&reader))
        case .srv:
            self = .srv(
                priority: try reader.integer(), weight: try reader.integer(), port: try reader.integer(),
                target: try reader.name())
        case .ptr: self = .ptr(try reader.name())
        case .ns: self = .ns(try reader.name())
        case .cname: self = .cname(try reader.name())
        case .caa: self = .caa(flags: try reader.integer(), tag: try Self.tag(&reader), value: try reader.rest())
        case .soa:
            self = .soa(
                StartOfAuthority(
                    primary: try reader.name(), mailbox: try reader.name(), serial: try reader.integer(),
                    refresh: try reader.integer(), retry: try reader.integer(), expire: try reader.integer(),
                    minimum: try reader.integer()))
        case .naptr:
            self = .naptr(
                NamingAuthorityPointer(
                    order: try reader.integer(), preference: try reader.integer(), flags: try reader.string(),
                    services: try reader.string(), regularExpression: try reader.string(), replacement: try reader.name()))
        default: self = .unknown(type, try reader.rest())
        }
    }

    /// RFC 1035 section 3.3.14: one or more.
    private static func strings(_ reader: inout MessageReader) throws(DNSViolation) -> [[UInt8]] {
        var strings = [try reader.string()]
        while !reader.isAtEnd { strings.append(try reader.string()) }
        return strings
    }

    /// RFC 8659 section 4.1: letters and digits, at least one.
    private static func tag(_ reader: inout MessageReader) throws(DNSViolation) -> [UInt8] {
        let start = reader.offset
        let tag = try reader.string()
        let isSound = tag.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) }
        if tag.isEmpty || !isSound { throw .badData(.caa, at: start) }
        return tag
    }
}
