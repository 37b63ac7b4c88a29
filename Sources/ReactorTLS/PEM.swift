import COpenSSL

/// Reads what PEM holds (RFC 7468).
enum PEM {
    /// All certificates, in order. The caller frees them.
    static func certificates(in source: TLSSource) throws(TLSConfigurationError) -> [OpaquePointer] {
        try all(in: source, "certificate") { PEM_read_bio_X509($0, nil, noPassword, nil) } free: { X509_free($0) }
    }

    /// All revocation lists, in order. The caller frees them.
    static func revocationLists(in source: TLSSource) throws(TLSConfigurationError) -> [OpaquePointer] {
        try all(in: source, "revocation list") { PEM_read_bio_X509_CRL($0, nil, noPassword, nil) } free: { X509_CRL_free($0) }
    }

    /// The first private key. The caller frees it.
    static func privateKey(in source: TLSSource) throws(TLSConfigurationError) -> OpaquePointer {
        let bio = try open(source)
        defer { BIO_free(bio) }
        var wasAsked = false
        let key = withUnsafeMutablePointer(to: &wasAsked) { PEM_read_bio_PrivateKey(bio, nil, noPassword, $0) }
        if let key { return key }
        ERR_clear_error()
        if wasAsked { throw TLSConfigurationError(.encryptedKey, source.name, "the private key is encrypted") }
        throw TLSConfigurationError(.malformed, source.name, "holds no private key")
    }

    /// Instead of asking for a password on the terminal, notes that it was wanted.
    private static let noPassword: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
        { _, _, _, wasAsked in
            wasAsked?.storeBytes(of: true, as: Bool.self)
            return -1
        }

    private static func open(_ source: TLSSource) throws(TLSConfigurationError) -> OpaquePointer {
        let bytes = try source.load()
        guard let bio = BIO_new(BIO_s_mem()) else { throw .library(source.name, "no memory") }
        var written = 0
        if !bytes.isEmpty, BIO_write_ex(bio, bytes, bytes.count, &written) != 1 {
            BIO_free(bio)
            throw .library(source.name, "no memory")
        }
        return bio
    }

    private static func all(
        in source: TLSSource, _ kind: String, _ next: (OpaquePointer) -> OpaquePointer?, free: (OpaquePointer) -> Void
    ) throws(TLSConfigurationError) -> [OpaquePointer] {
        let bio = try open(source)
        defer { BIO_free(bio) }
        ERR_clear_error()
        var found: [OpaquePointer] = []
        while let object = next(bio) { found.append(object) }
        // It ends as it should where there is no further PEM; anything else is damage.
        let code = ERR_peek_last_error()
        ERR_clear_error()
        if copenssl_is_end_of_pem(code) == 1 { return found }
        found.forEach(free)
        throw TLSConfigurationError(.malformed, source.name, "holds a damaged \(kind): \(OpenSSLErrors.reason(of: code))")
    }
}
