import COpenSSL

/// The name that a client connects to.
enum ServerName {
    static func set(_ name: String, on ssl: OpaquePointer) throws(TLSConfigurationError) {
        let parameters = SSL_get0_param(ssl)
        // "example.com." is the same name, and certificates are without the dot (RFC 6066 section 3).
        let host = name.hasSuffix(".") ? String(name.dropLast()) : name
        // OpenSSL would read an address up to a NUL, and look for no more.
        let isAddress = !host.utf8.contains(0) && X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
        if isAddress { return }
        ERR_clear_error()
        guard isHostName(host), X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1,
            copenssl_set_server_name(ssl, host) == 1
        else {
            ERR_clear_error()
            throw TLSConfigurationError(.invalidValue, "server name", "\"\(name)\" is no DNS name and no IP address")
        }
        // The subject's common name is not looked at, and a wildcard stands for a whole label (RFC 9525 section 6.3).
        X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    }

    /// Letters, digits, hyphens and underscores between dots: internationalised names come as A-labels.
    static func isHostName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy(isHostByte)
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
