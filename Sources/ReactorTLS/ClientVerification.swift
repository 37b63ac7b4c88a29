import COpenSSL

/// What a server asks of its clients' certificates.
struct ClientVerification {
    private let mode: Int32
    private var authorities: TLSSource?
    private let revocationLists: [TLSSource]
    /// Of what is asked: a session that was begun under other rules is not resumed.
    private let digest: [UInt8]

    init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        switch configuration.clientCertificates {
        case .none: mode = SSL_VERIFY_NONE
        case .optional(let source): (mode, authorities) = (SSL_VERIFY_PEER, source)
        case .required(let source): (mode, authorities) = (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, source)
        }
        var bytes = [UInt8(truncatingIfNeeded: mode)]
        func note(_ source: TLSSource) throws(TLSConfigurationError) {
            bytes += SHA256.digest(of: try source.load())
        }
        if let authorities { try note(authorities) }
        revocationLists = authorities == nil ? [] : configuration.revocationLists
        for list in revocationLists { try note(list) }
        digest = SHA256.digest(of: bytes)
    }

    func install(in context: SSLContext) throws(TLSConfigurationError) {
        SSL_CTX_set_session_id_context(context.pointer, digest, UInt32(digest.count))
        SSL_CTX_set_verify(context.pointer, mode, nil)
        guard let authorities else { return }
        try Trust.add(authorities: authorities, to: context, namedToClients: true)
        try Trust.add(revocationLists: revocationLists, to: context)
    }
}

enum SHA256 {
    static func digest(of bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        return digest
    }
}
