/// Why bytes are no PROXY header: the peer's fault. The specification has one answer, which is to abort.
public enum ProxyViolation: Error, Equatable, Sendable {
    /// The first bytes are those of neither version.
    case noHeader
    /// Version 1: the line is longer than 107 bytes. Version 2: the header is longer than ``ProxyLimits/headerLength``.
    case tooLong
    /// Version 1: the line does not have the fields it should, or a CR or LF stands alone.
    case malformedLine
    /// Version 1: an address is not of its family, or not written as it should be.
    case malformedAddress
    /// Version 1: a port is not a number up to 65535 without leading zeros.
    case malformedPort
    /// Version 2: the signature is followed by another version.
    case unknownVersion(UInt8)
    case unknownCommand(UInt8)
    /// Version 2: the byte of family and transport has a value that is not assigned.
    case unknownFamily(UInt8)
    /// Version 2: the header is shorter than its addresses.
    case truncatedAddresses
    /// Version 2: a TLV goes beyond the header's end.
    case truncatedTLV
    /// Version 2: the value of a TLV is not what its type says.
    case malformedTLV(ProxyHeader.TLV.Kind)
    /// Version 2: the CRC32C is another.
    case wrongChecksum
}

/// Why a connection was refused in front of its protocol.
public enum ProxyRefusal: Equatable, Sendable, CustomStringConvertible {
    /// The peer is not on the list of trusted senders.
    case untrusted
    case violation(ProxyViolation)
    /// The header had not come whole within ``ProxyLimits/headerTime``.
    case timedOut
    /// The peer ended its side before the header was whole, as port scanners and simple health checks do.
    case ended

    public var description: String {
        switch self {
        case .untrusted: "not a trusted sender of PROXY headers"
        case .violation(let violation): "not a PROXY header: \(violation)"
        case .timedOut: "no PROXY header in time"
        case .ended: "ended before its PROXY header was whole"
        }
    }
}

/// The header cannot be written: a mistake of the caller's.
public enum ProxyHeaderError: Error, Equatable, Sendable {
    /// A TLV, or all of them, or a Unix-domain path, is longer than version 2 can say.
    case tooLong
    /// The value of a TLV is not what its type says.
    case malformedTLV(ProxyHeader.TLV.Kind)
}
