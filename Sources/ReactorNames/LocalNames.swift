import ReactorDNS

/// Names that no server is asked for.
enum LocalNames {
    private static let localhost = DomainName(literal: "localhost")
    private static let nowhere = [DomainName(literal: "invalid"), DomainName(literal: "onion")]

    /// RFC 6761: `localhost` and what is below it is this machine (section 6.3), `invalid` does not exist (section 6.4);
    /// nor does `onion`, as far as the DNS goes (RFC 7686 section 2). Nil for all other names.
    static func resolution(of question: DNSMessage.Question) -> Resolution? {
        let name = question.name
        if name.isWithin(localhost) {
            switch question.type {
            case .a: return address(.v4(0x7F00_0001), as: name)
            case .aaaa: return address(.v6(high: 0, low: 1), as: name)
            default: return .noData(timeToLive: nil)
            }
        }
        return nowhere.contains { name.isWithin($0) } ? .nameDoesNotExist(timeToLive: nil) : nil
    }

    /// A literal address, which is not a name: it has itself, and nothing else.
    static func resolution(of literal: IPAddress, named name: DomainName, _ type: RecordType) -> Resolution {
        literal.recordType == type ? address(literal, as: name) : .noData(timeToLive: nil)
    }

    private static func address(_ address: IPAddress, as name: DomainName) -> Resolution {
        let record = ResourceRecord(name: name, timeToLive: 0, data: .address(address))
        return .records([record], canonicalName: name, timeToLive: 0)
    }
}

/// In which names, in which order, a name is looked for (RFC 1535, resolv.conf(5)).
struct SearchList {
    let domains: [DomainName]
    let ndots: Int

    /// Whether it ends in a dot that is not part of a label.
    static func isAbsolute(_ text: String) -> Bool {
        let backslashes = text.utf8.dropLast().reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        return text.utf8.last == UInt8(ascii: ".") && backslashes.isMultiple(of: 2)
    }

    func candidates(for name: DomainName, isAbsolute: Bool) -> [DomainName] {
        if isAbsolute { return [name] }
        let completed = domains.compactMap { try? name.appending($0) }
        return name.labels.count > ndots ? [name] + completed : completed + [name]
    }
}
