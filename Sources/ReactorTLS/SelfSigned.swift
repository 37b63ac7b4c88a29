import COpenSSL

extension TLSIdentity {
    /// A certificate for trying things out, made on the spot and signed by itself, which no client trusts unless it is told
    /// to: ECDSA on P-256, in memory only.
    ///
    /// - Parameter hosts: DNS names and IP addresses that it is for.
    public static func selfSigned(
        hosts: [String] = ["localhost", "127.0.0.1", "::1"], days: Int = 14
    ) throws(TLSConfigurationError) -> TLSIdentity {
        guard let key = copenssl_make_p256_key(), let certificate = X509_new() else {
            throw .library("self-signed certificate", "no key")
        }
        defer {
            EVP_PKEY_free(key)
            X509_free(certificate)
        }
        try fill(certificate, key, hosts, days)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else {
            throw .library("self-signed certificate", "cannot be signed")
        }
        return TLSIdentity(
            certificates: .bytes(try pem { PEM_write_bio_X509($0, certificate) }),
            key: .bytes(try pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }))
    }

    private static func fill(
        _ certificate: OpaquePointer, _ key: OpaquePointer, _ hosts: [String], _ days: Int
    ) throws(TLSConfigurationError) {
        var serial: UInt64 = 0
        _ = withUnsafeMutableBytes(of: &serial) { RAND_bytes($0.baseAddress, Int32($0.count)) }
        let name = X509_get_subject_name(certificate)
        let common = Array("self-signed for \(hosts.first ?? "nobody")".utf8)
        guard X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1,
            // A little in the past, for clocks that are behind.
            X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nil,
            X509_time_adj_ex(X509_getm_notAfter(certificate), Int32(clamping: days), 0, nil) != nil,
            X509_set_pubkey(certificate, key) == 1,
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, Int32(min(common.count, 64)), -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1
        else { throw .library("self-signed certificate", "cannot be filled in") }
        try add(NID_subject_alt_name, try alternativeNames(hosts), to: certificate)
        // Not an authority's: who trusts it trusts nothing signed with its key.
        try add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
        try add(NID_key_usage, "critical,digitalSignature", to: certificate)
        try add(NID_ext_key_usage, "serverAuth,clientAuth", to: certificate)
    }

    private static func alternativeNames(_ hosts: [String]) throws(TLSConfigurationError) -> String {
        var names: [String] = []
        for host in hosts {
            if let address = a2i_IPADDRESS(host) {
                ASN1_OCTET_STRING_free(address)
                names.append("IP:\(host)")
            } else if ServerName.isHostName(host.hasPrefix("*.") ? String(host.dropFirst(2)) : host) {
                names.append("DNS:\(host)")
            } else {
                throw TLSConfigurationError(.invalidValue, "host", "\"\(host)\" is no DNS name and no IP address")
            }
        }
        return names.joined(separator: ",")
    }

    private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) throws(TLSConfigurationError) {
        guard let made = X509V3_EXT_conf_nid(nil, nil, kind, value) else {
            throw .library("self-signed certificate", "cannot hold \(value)")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw .library("self-signed certificate", "cannot hold \(value)") }
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(TLSConfigurationError) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .library("self-signed certificate", "no memory") }
        defer { BIO_free(bio) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        var count = 0
        guard write(bio) == 1, BIO_read_ex(bio, &bytes, bytes.count, &count) == 1 else {
            throw .library("self-signed certificate", "cannot be written")
        }
        return Array(bytes[..<count])
    }
}
