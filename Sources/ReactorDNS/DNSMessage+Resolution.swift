/// What a response says to a question.
public enum Resolution: Hashable, Sendable {
    /// The records of the type, at least one; where they were found; and the least time to live among them and the CNAME
    /// records on the way, in seconds.
    case records([ResourceRecord], canonicalName: DomainName, timeToLive: UInt32)
    /// There is no such name. It may be remembered for so many seconds; nil if the answer has no SOA record, and is not to be
    /// kept (RFC 2308 section 5).
    case nameDoesNotExist(timeToLive: UInt32?)
    /// The name has no records of the type.
    case noData(timeToLive: UInt32?)
    /// The server could not, or would not, say.
    case failure(DNSMessage.ResponseCode)
}

extension DNSMessage {
    /// So many CNAME records are followed. Zones in use have chains of up to five or so; BIND follows 16 too.
    public static let mostAliases = 16

    /// What this response says to `question`, by way of its CNAME records. RFC 1034 section 3.6.2: those are followed, unless
    /// they were asked for.
    ///
    /// - Throws: ``DNSViolation/otherQuestion`` if it is not a response to the question; ``DNSViolation/aliasLoop``.
    public func resolution(of question: Question) throws(DNSViolation) -> Resolution {
        guard isResponse, opcode == 0 else { throw .otherQuestion }
        // A server that can't read a query may leave its question out.
        let isError = responseCode != .noError && responseCode != .nameError
        guard questions == [question] || isError && questions.isEmpty else { throw .otherQuestion }
        if isError { return .failure(responseCode) }

        var name = question.name
        var timeToLive = UInt32.max
        for _ in 0...Self.mostAliases {
            // RFC 2181 section 5.2: the times to live of a set should be the same; the least is safe.
            let records = answers.filter { $0.type == question.type && $0.name == name }
            if !records.isEmpty {
                timeToLive = records.reduce(timeToLive) { min($0, $1.timeToLive) }
                return .records(records, canonicalName: name, timeToLive: timeToLive)
            }
            guard let (next, seconds) = alias(of: name) else {
                let negative = negativeTimeToLive(of: name).map { min($0, timeToLive) }
                // RFC 2308 section 2.1: the code is that of the last name of the chain.
                return responseCode == .nameError ? .nameDoesNotExist(timeToLive: negative) : .noData(timeToLive: negative)
            }
            name = next
            timeToLive = min(timeToLive, seconds)
        }
        throw .aliasLoop
    }

    private func alias(of name: DomainName) -> (DomainName, UInt32)? {
        for record in answers where record.name == name {
            if case .cname(let target) = record.data { return (target, record.timeToLive) }
        }
        return nil
    }

    /// RFC 2308 section 5: the lesser of the SOA record's own time to live and its last field.
    private func negativeTimeToLive(of name: DomainName) -> UInt32? {
        for record in authorities where name.isWithin(record.name) {
            if case .soa(let soa) = record.data { return min(record.timeToLive, soa.minimum >> 31 == 0 ? soa.minimum : 0) }
        }
        return nil
    }
}

extension Resolution {
    /// The memory that it takes, about, in bytes. A message does not say: by compression, a name of 255 bytes costs it two
    /// for each record that has it.
    package var footprint: Int {
        guard case .records(let records, _, _) = self else { return MemoryLayout<Self>.stride }
        return records.reduce(MemoryLayout<Self>.stride) { $0 + MemoryLayout<ResourceRecord>.stride + $1.footprint }
    }
}

extension ResourceRecord {
    private static let arrayHead = 32

    fileprivate var footprint: Int {
        let bytes =
            switch data {
            case .address: 0
            case .txt(let strings): strings.reduce(Self.arrayHead) { $0 + 8 + Self.arrayHead + $1.count }
            default: Self.arrayHead + data.wire.count
            }
        return Self.arrayHead + name.wire.count + bytes
    }
}
