import COpenSSL
import ConnectionHandling

/// What was agreed, and with whom. Read from OpenSSL each time: for logs and decisions, not for each record.
extension TLSSession {
    /// Nil until the peers have agreed on one.
    public var version: TLSVersion? {
        guard !isHandshaking, let ssl else { return nil }
        return SSL_version(ssl) == TLS1_3_VERSION ? .v1_3 : .v1_2
    }

    /// The cipher suite's name in the RFCs, such as TLS_AES_128_GCM_SHA256.
    public var cipher: String? {
        guard !isHandshaking, let ssl, let name = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)) else { return nil }
        return String(cString: name)
    }

    /// What ALPN chose (RFC 7301).
    public var applicationProtocol: String? {
        guard let ssl else { return nil }
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        return length == 0 ? nil : String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    /// The name that the client asked for (SNI), as it wrote it.
    public var serverName: String? {
        guard let ssl, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return String(cString: name)
    }

    /// Whether the handshake took up an earlier session.
    public var isResumed: Bool {
        guard !isHandshaking, let ssl else { return false }
        return SSL_session_reused(ssl) == 1
    }

    /// What the peer proved who it is with. It was verified, unless the client was told to accept any.
    public var peerCertificate: TLSCertificate? {
        guard let ssl, let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        return TLSCertificate(certificate)
    }
}
