import COpenSSL

/// A certificate (RFC 5280), as its holder showed it.
public struct TLSCertificate: Equatable, Sendable {
    public let der: [UInt8]
    /// As RFC 4514 writes it: "CN=example.com,O=Example".
    public let subject: String
    public let issuer: String
    /// The DNS names in subjectAltName, in lower case.
    public let names: [String]
    /// The IP addresses in subjectAltName: 4 or 16 bytes each.
    public let addresses: [[UInt8]]
    /// In hexadecimal digits.
    public let serialNumber: String
    /// Seconds since 1970.
    public let notBefore, notAfter: Int64

    /// SHA-256 of ``der``, by which certificates are compared and pinned.
    public var fingerprint: [UInt8] { SHA256.digest(of: der) }

    init?(_ certificate: OpaquePointer) {
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_X509(certificate, &encoded)
        guard length > 0, let encoded else {
            ERR_clear_error()
            return nil
        }
        defer { copenssl_free(encoded) }
        der = Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
        subject = Self.text(X509_get_subject_name(certificate))
        issuer = Self.text(X509_get_issuer_name(certificate))
        (names, addresses) = Self.alternativeNames(of: certificate)
        serialNumber = Self.serialNumber(of: certificate)
        notBefore = unixSeconds(X509_get0_notBefore(certificate)) ?? .min
        notAfter = unixSeconds(X509_get0_notAfter(certificate)) ?? .min
    }

    static func alternativeNames(of certificate: OpaquePointer) -> (names: [String], addresses: [[UInt8]]) {
        var names: [String] = []
        var addresses: [[UInt8]] = []
        defer { ERR_clear_error() }
        guard let list = copenssl_alternative_names(certificate) else { return ([], []) }
        defer { copenssl_names_free(list) }
        for index in 0..<copenssl_names_count(list) {
            var bytes: UnsafePointer<UInt8>?
            var count = 0
            let kind = copenssl_name(copenssl_names_at(list, index), &bytes, &count)
            let value = Array(UnsafeBufferPointer(start: bytes, count: count))
            // A name with a NUL in it, or none of the letters of names, can be no host's.
            if kind == GEN_DNS, value.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
                names.append(String(decoding: value, as: UTF8.self).lowercased())
            } else if kind == GEN_IPADD {
                addresses.append(value)
            }
        }
        return (names, addresses)
    }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        // Control characters and what is not ASCII stay escaped, so that it can be written to a log.
        X509_NAME_print_ex(bio, name, 0, copenssl_name_format)
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(bio))
        var count = 0
        guard BIO_read_ex(bio, &bytes, bytes.count, &count) == 1 else { return "" }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func serialNumber(of certificate: OpaquePointer) -> String {
        guard let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else { return "" }
        defer { BN_free(number) }
        guard let digits = BN_bn2hex(number) else { return "" }
        defer { copenssl_free(digits) }
        return String(cString: digits)
    }
}
