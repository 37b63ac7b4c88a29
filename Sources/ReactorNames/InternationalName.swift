import CIDN2
public import ReactorDNS

/// Host names in any script (IDNA2008, RFC 5891), as name servers know them.
public enum InternationalName {
    /// `bücher.example` as `xn--bcher-kva.example`: each label that is not ASCII as its A-label. Upper case, width and the
    /// like are mapped first, as browsers do (UTS #46, non-transitional: `ß` stays `ß`). An ASCII name is left as it is.
    ///
    /// - Throws: ``DomainNameError/notInternational(_:)`` if the name has a label that no registry may hold.
    public static func asciiForm(of name: String) throws(DomainNameError) -> String {
        if name.utf8.allSatisfy({ $0 < 0x80 }) { return name }
        if name.utf8.count > longestInput { throw .nameTooLong }
        // The library would take the name to end there.
        if name.utf8.contains(0) { throw .notInternational("it contains a NUL") }
        var output: UnsafeMutablePointer<CChar>?
        let status = idn2_to_ascii_8z(name, &output, CInt(bitPattern: IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue))
        guard status == CInt(IDN2_OK.rawValue), let output else { throw .notInternational(String(cString: idn2_strerror(status))) }
        defer { idn2_free(output) }
        let ascii = String(cString: output)
        // Mapping makes `a/c` of `℀`: no such name may look like part of a URL, or of anything else.
        guard ascii.utf8.allSatisfy(isPlain) else { throw .notInternational("it contains a character that no host name has") }
        return ascii
    }

    /// Four bytes for each of the 255 that the name may have in ASCII: the library's time grows faster than a label.
    private static let longestInput = 4 * 255

    /// Letters, digits, hyphens and dots, and the underscore that begins names of services.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
