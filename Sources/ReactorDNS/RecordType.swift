/// What a question asks for, and what a record holds: a TYPE of RFC 1035 section 3.2.2, or a QTYPE.
public struct RecordType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let a = RecordType(rawValue: 1)
    public static let ns = RecordType(rawValue: 2)
    public static let cname = RecordType(rawValue: 5)
    public static let soa = RecordType(rawValue: 6)
    public static let ptr = RecordType(rawValue: 12)
    public static let mx = RecordType(rawValue: 15)
    public static let txt = RecordType(rawValue: 16)
    /// RFC 3596
    public static let aaaa = RecordType(rawValue: 28)
    /// RFC 2782
    public static let srv = RecordType(rawValue: 33)
    /// RFC 3403
    public static let naptr = RecordType(rawValue: 35)
    /// The pseudo-record of EDNS(0), RFC 6891. No question asks for it.
    public static let opt = RecordType(rawValue: 41)
    /// RFC 8659
    public static let caa = RecordType(rawValue: 257)

    /// Those with a mnemonic and a case of ``RecordData``; `opt` has neither, since no zone holds it.
    static let mnemonics: [(RecordType, String)] = [
        (.a, "A"), (.aaaa, "AAAA"), (.mx, "MX"), (.txt, "TXT"), (.srv, "SRV"), (.ptr, "PTR"), (.ns, "NS"),
        (.cname, "CNAME"), (.caa, "CAA"), (.soa, "SOA"), (.naptr, "NAPTR"),
    ]

    /// Reads a mnemonic such as `MX`, in any case, or `TYPE65` (RFC 3597 section 5).
    public init?(parsing text: String) {
        let upper = text.uppercased()
        if let known = Self.mnemonics.first(where: { $0.1 == upper }) {
            self = known.0
        } else if upper.hasPrefix("TYPE"), upper.utf8.dropFirst(4).allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(upper.dropFirst(4))
        {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }
}

extension RecordType: CustomStringConvertible {
    public var description: String {
        Self.mnemonics.first { $0.0 == self }?.1 ?? "TYPE\(rawValue)"
    }
}
