import COpenSSL

/// Owns an `SSL_CTX`. It is set up by whoever makes it and only read afterwards, by any thread: OpenSSL counts its
/// references and locks what changes in it. Must live as long as the sessions that are made of it.
final class SSLContext: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer
    let tickets: TicketRatchet?
    private let keyLog: KeyLog?

    /// With what servers and clients have in common: Mozilla's intermediate profile, without its finite-field groups, whose
    /// exponentiations cost a server far more than a client.
    init(
        _ method: OpaquePointer?, _ versions: ClosedRange<TLSVersion>, _ limits: TLSLimits, tickets: TicketRatchet? = nil,
        keyLog: KeyLog? = nil
    ) throws(TLSConfigurationError) {
        guard let pointer = SSL_CTX_new(method) else { throw .library("TLS", "no context") }
        self.pointer = pointer
        self.tickets = tickets
        self.keyLog = keyLog
        SSL_CTX_set_options(pointer, copenssl_no_renegotiation | copenssl_no_compression)
        copenssl_ctx_set_mode(pointer, copenssl_modes)
        // The system's configuration may say otherwise. Level 2: no key, signature or hash of less than 112 bits.
        SSL_CTX_set_security_level(pointer, 2)
        copenssl_ctx_set_longest_chain(pointer, max(limits.certificateChain, 0))
        guard copenssl_ctx_set_versions(pointer, versions.lowerBound.code, versions.upperBound.code) == 1,
            SSL_CTX_set_cipher_list(pointer, Self.ciphers) == 1,
            SSL_CTX_set_ciphersuites(pointer, Self.suites) == 1,
            copenssl_ctx_set_groups(pointer, "X25519:P-256:P-384") == 1
        else { throw .library("TLS", "a version, cipher or group is not there") }
        copenssl_ctx_set_owner(pointer, Unmanaged.passUnretained(self).toOpaque())
        if keyLog != nil {
            SSL_CTX_set_keylog_callback(pointer) { ssl, line in
                if let line { SSLContext.of(ssl)?.keyLog?.append(line) }
            }
        }
    }

    deinit { SSL_CTX_free(pointer) }

    /// The context of the session that a callback of OpenSSL's is about.
    static func of(_ ssl: OpaquePointer?) -> SSLContext? {
        guard let ssl, let owner = copenssl_ctx_owner(SSL_get_SSL_CTX(ssl)) else { return nil }
        return Unmanaged<SSLContext>.fromOpaque(owner).takeUnretainedValue()
    }

    /// For TLS 1.2.
    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
    /// For TLS 1.3.
    private static let suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
}
