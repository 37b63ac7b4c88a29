import ConnectionHandling
import ReactorWire

/// Reading version 2 (section 2.2).
extension ProxyHeader {
    static let binarySignature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// The signature, version and command, family and transport, length.
    static let fixedLength = 16

    enum Family: UInt8 {
        case unspecified, inet, inet6, unix

        /// Of both addresses, with their ports.
        var length: Int {
            switch self {
            case .unspecified: 0
            case .inet: 12
            case .inet6: 36
            case .unix: 2 * ProxyHeader.pathLength
            }
        }
    }

    static let pathLength = 108

    static func parseBinary(_ bytes: RawSpan, limit: Int) throws(ProxyViolation) -> (header: ProxyHeader, length: Int)? {
        try check(bytes, beginWith: binarySignature)
        guard let versionAndCommand = bytes.integer(at: 12, as: UInt8.self) else { return nil }
        if versionAndCommand >> 4 != 2 { throw .unknownVersion(versionAndCommand >> 4) }
        if versionAndCommand & 15 > 1 { throw .unknownCommand(versionAndCommand & 15) }
        let isLocal = versionAndCommand & 15 == 0
        guard let kind = bytes.integer(at: 13, as: UInt8.self) else { return nil }
        // LOCAL: everything that follows is to be skipped, the family too.
        let family = isLocal ? .unspecified : Family(rawValue: kind >> 4)
        guard let family, isLocal || kind & 15 <= 2 else { throw .unknownFamily(kind) }
        guard let rest = bytes.integer(at: 14, as: UInt16.self) else { return nil }
        let length = fixedLength + Int(rest)
        if length > limit { throw .tooLong }
        if bytes.byteCount < length { return nil }
        if isLocal { return (.local, length) }
        // UNSPEC: what stands behind it has no known form.
        if family == .unspecified || kind & 15 == 0 { return (ProxyHeader(nil), length) }
        if Int(rest) < family.length { throw .truncatedAddresses }
        let header = bytes.slice(0..<length)
        guard let (source, destination) = addresses(of: family, in: header) else { throw .truncatedAddresses }
        let endpoints = Endpoints(
            source: source, destination: destination, transport: kind & 15 == 1 ? .stream : .datagram)
        return (ProxyHeader(endpoints, tlvs: try tlvs(in: header, from: fixedLength + family.length)), length)
    }

    private static func addresses(
        of family: Family, in header: RawSpan
    ) -> (source: SocketAddress, destination: SocketAddress)? {
        switch family {
        case .unspecified:
            return nil
        case .inet:
            guard let source = header.integer(at: 16, as: UInt32.self), let destination = header.integer(at: 20, as: UInt32.self),
                let sourcePort = header.integer(at: 24, as: UInt16.self),
                let destinationPort = header.integer(at: 26, as: UInt16.self)
            else { return nil }
            return (.ipv4(source, port: sourcePort), .ipv4(destination, port: destinationPort))
        case .inet6:
            guard let sourceHigh = header.integer(at: 16, as: UInt64.self), let sourceLow = header.integer(at: 24, as: UInt64.self),
                let high = header.integer(at: 32, as: UInt64.self), let low = header.integer(at: 40, as: UInt64.self),
                let sourcePort = header.integer(at: 48, as: UInt16.self),
                let destinationPort = header.integer(at: 50, as: UInt16.self)
            else { return nil }
            return (
                .ipv6(high: sourceHigh, low: sourceLow, port: sourcePort),
                .ipv6(high: high, low: low, port: destinationPort)
            )
        case .unix:
            return (
                path(header.slice(16..<16 + pathLength)), path(header.slice(16 + pathLength..<16 + 2 * pathLength))
            )
        }
    }

    /// A path up to its NUL, or a name in the abstract namespace, whose own end the field does not say: the NULs that
    /// fill the field are not part of it.
    private static func path(_ field: RawSpan) -> SocketAddress {
        let bytes = field.array
        if bytes[0] != 0 { return .unix(path: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)) }
        guard let last = bytes.lastIndex(where: { $0 != 0 }) else { return .unix(path: "") }
        return .unix(path: String(decoding: bytes[...last], as: UTF8.self))
    }

    private static func tlvs(in header: RawSpan, from start: Int) throws(ProxyViolation) -> [TLV] {
        let tlvs = try TLV.list(in: header, from: start)
        var offset = start
        var checksums = 0
        for tlv in tlvs {
            if !tlv.isWellFormed { throw .malformedTLV(tlv.kind) }
            if tlv.kind == .crc32c {
                checksums += 1
                if checksums > 1 { throw .malformedTLV(.crc32c) }
                if header.integer(at: offset + 3, as: UInt32.self) != checksum(of: header, at: offset + 3) {
                    throw .wrongChecksum
                }
            }
            offset += 3 + tlv.value.count
        }
        return tlvs
    }

    /// The checksum of the whole header, with zeros for the four bytes where it stands.
    static func checksum(of header: RawSpan, at offset: Int) -> UInt32 {
        var checksum = CRC32C()
        for index in 0..<header.byteCount {
            checksum.update((offset..<offset + 4).contains(index) ? 0 : header[index])
        }
        return checksum.value
    }
}
