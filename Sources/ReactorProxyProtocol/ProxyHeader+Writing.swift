import ConnectionHandling
public import ReactorWire

extension ProxyHeader {
    /// Appends the header. What a version has no word for becomes UNKNOWN or UNSPEC: version 1 knows only TCP, and no
    /// version a connection between a Unix-domain path and an IP address. Version 1 has no TLVs; they are left out.
    ///
    /// - Throws: ``ProxyHeaderError`` if it is too long; then nothing is appended.
    public func write(_ version: Version, to output: inout ByteQueue) throws(ProxyHeaderError) {
        switch version {
        case .v1: writeLine(to: &output)
        case .v2: try writeBinary(to: &output)
        }
    }

    /// Both addresses, in one family: where one is IPv4 and the other IPv6, the first as an IPv4-mapped one.
    private var addresses: (source: SocketAddress, destination: SocketAddress)? {
        guard command == .proxy, let endpoints else { return nil }
        switch (endpoints.source, endpoints.destination) {
        case (.ipv4, .ipv6): return (endpoints.source.mapped, endpoints.destination)
        case (.ipv6, .ipv4): return (endpoints.source, endpoints.destination.mapped)
        case (.ipv4, .unix), (.ipv6, .unix), (.unix, .ipv4), (.unix, .ipv6): return nil
        default: return (endpoints.source, endpoints.destination)
        }
    }

    // MARK: Version 1

    private func writeLine(to output: inout ByteQueue) {
        guard endpoints?.transport == .stream, let (source, destination) = addresses, let sourcePort = source.port,
            let destinationPort = destination.port
        else { return output.append("PROXY UNKNOWN\r\n") }
        if case .ipv4 = source { output.append("PROXY TCP4 ") } else { output.append("PROXY TCP6 ") }
        output.append("\(source.withoutScope.host) \(destination.withoutScope.host) \(sourcePort) \(destinationPort)\r\n" as String)
    }

    // MARK: Version 2

    private func writeBinary(to output: inout ByteQueue) throws(ProxyHeaderError) {
        let addresses = addresses
        var rest = ByteQueue()
        var checksum: Int?
        if let (source, destination) = addresses {
            for address in [source, destination] { try address.writeAddress(to: &rest) }
            for port in [source.port, destination.port] { if let port { rest.append(integer: port) } }
            checksum = try writeTLVs(to: &rest)
        }
        guard let length = UInt16(exactly: rest.count) else { throw .tooLong }
        var header = ByteQueue()
        header.append(Self.binarySignature)
        header.append(0x20 | (command == .proxy ? 1 : 0) as UInt8)
        let transport: UInt8 = endpoints?.transport == .datagram ? 2 : 1
        header.append(addresses.map { $0.source.proxyFamily.rawValue << 4 | transport } ?? 0)
        header.append(integer: length)
        header.append(rest.bytes)
        if let checksum {
            let offset = Self.fixedLength + checksum
            let value = Self.checksum(of: header.bytes, at: offset)
            for index in 0..<4 { header.overwrite(at: offset + index, with: UInt8(truncatingIfNeeded: value >> (24 - 8 * index))) }
        }
        output.append(header.bytes)
    }

    /// - Returns: where the checksum's value is to stand, if there is to be one.
    private func writeTLVs(to output: inout ByteQueue) throws(ProxyHeaderError) -> Int? {
        var checksum: Int?
        for tlv in tlvs {
            if tlv.kind == .crc32c {
                if checksum != nil { continue }
                checksum = output.count + 3
                try TLV.checksum.write(to: &output)
            } else {
                if !tlv.isWellFormed { throw .malformedTLV(tlv.kind) }
                try tlv.write(to: &output)
            }
        }
        return checksum
    }
}

extension SocketAddress {
    fileprivate var proxyFamily: ProxyHeader.Family {
        switch self {
        case .ipv4: .inet
        case .ipv6: .inet6
        case .unix: .unix
        }
    }

    fileprivate var mapped: SocketAddress {
        guard case .ipv4(let address, let port) = self else { return self }
        return .ipv6(high: 0, low: 0xFFFF << 32 | UInt64(address), port: port)
    }

    /// An interface's number means nothing on another machine.
    fileprivate var withoutScope: SocketAddress {
        guard case .ipv6(let high, let low, let port, _) = self else { return self }
        return .ipv6(high: high, low: low, port: port)
    }

    fileprivate func writeAddress(to output: inout ByteQueue) throws(ProxyHeaderError) {
        switch self {
        case .ipv4(let address, _):
            output.append(integer: address)
        case .ipv6(let high, let low, _, _):
            output.append(integer: high)
            output.append(integer: low)
        case .unix(let path):
            let bytes = Array(path.utf8)
            if bytes.count > ProxyHeader.pathLength { throw .tooLong }
            output.append(bytes + [UInt8](repeating: 0, count: ProxyHeader.pathLength - bytes.count))
        }
    }
}
