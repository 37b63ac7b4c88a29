public import ReactorWire

extension DNSMessage {
    /// Appends the message as it goes on the wire; over TCP a length stands in front (RFC 1035 section 4.2.2), which is the
    /// caller's. Names are not compressed, but for owners that are the question's name, as most are. Counts past 65,535 and
    /// data past 65,535 bytes are mistakes of the caller's, and trap.
    public func write(to output: inout ByteQueue) {
        output.append(integer: id)
        output.append(integer: flags)
        for count in [questions.count, answers.count, authorities.count, additionals.count + (payloadSize == nil ? 0 : 1)] {
            output.append(integer: UInt16(count))
        }
        for question in questions {
            output.append(question.name.wire)
            output.append(integer: question.type.rawValue)
            output.append(integer: Self.classIN)
        }
        for record in answers + authorities + additionals { write(record, to: &output) }
        guard let payloadSize else { return }
        output.append(UInt8(0))
        output.append(integer: RecordType.opt.rawValue)
        output.append(integer: payloadSize)
        output.append(integer: UInt32(responseCode.rawValue >> 4) << 24)
        output.append(integer: UInt16(0))
    }

    private var flags: UInt16 {
        var flags = UInt16(opcode & 15) << 11 | responseCode.rawValue & 15
        if isResponse { flags |= 0x8000 }
        if isAuthoritative { flags |= 0x0400 }
        if isTruncated { flags |= 0x0200 }
        if recursionDesired { flags |= 0x0100 }
        if recursionAvailable { flags |= 0x0080 }
        return flags
    }

    private func write(_ record: ResourceRecord, to output: inout ByteQueue) {
        if record.name == questions.first?.name, !record.name.isRoot {
            output.append(integer: UInt16(0xC00C))
        } else {
            output.append(record.name.wire)
        }
        output.append(integer: record.type.rawValue)
        output.append(integer: Self.classIN)
        output.append(integer: record.timeToLive)
        let data = record.data.wire
        output.append(integer: UInt16(data.count))
        output.append(data)
    }
}

extension RecordData {
    /// As in a message, with no name compressed.
    var wire: [UInt8] {
        switch self {
        case .address(.v4(let number)): Self.bytes(number)
        case .address(.v6(let high, let low)): Self.bytes(high) + Self.bytes(low)
        case .mx(let preference, let exchange): Self.bytes(preference) + exchange.wire
        case .txt(let strings): strings.flatMap(Self.string)
        case .srv(let priority, let weight, let port, let target):
            Self.bytes(priority) + Self.bytes(weight) + Self.bytes(port) + target.wire
        case .ptr(let name), .ns(let name), .cname(let name): name.wire
        case .caa(let flags, let tag, let value): [flags] + Self.string(tag) + value
        case .soa(let soa):
            soa.primary.wire + soa.mailbox.wire
                + [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].flatMap(Self.bytes)
        case .naptr(let naptr):
            Self.bytes(naptr.order) + Self.bytes(naptr.preference) + Self.string(naptr.flags) + Self.string(naptr.services)
                + Self.string(naptr.regularExpression) + naptr.replacement.wire
        case .unknown(_, let bytes): bytes
        }
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private static func string(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count)] + bytes }
}
