import COpenSSL
import ConnectionHandling

/// What a server stapled to its certificate (RFC 6066 section 8), as the client judges it.
enum StapledResponse {
    /// Nil if there is nothing against the server.
    static func fault(of ssl: OpaquePointer, isRequired: Bool) -> TLSFailure? {
        // With the session, its verdict is taken up.
        if SSL_session_reused(ssl) == 1 { return nil }
        var bytes: UnsafePointer<UInt8>?
        let count = copenssl_status_response(ssl, &bytes)
        guard count > 0, let bytes else {
            return isRequired ? TLSFailure(.certificate(.invalid), detail: "no OCSP response is stapled to it") : nil
        }
        guard let response = OCSPResponse(der: UnsafeBufferPointer(start: bytes, count: count)) else {
            return TLSFailure(.certificate(.invalid), detail: "stapled OCSP response: malformed, or unsuccessful")
        }
        let chain = SSL_get0_verified_chain(ssl)
        guard let leaf = copenssl_chain_at(chain, 0) else { return TLSFailure(.certificate(.missing)) }
        // Its own issuer, if it is trusted as it is.
        let issuer = copenssl_chain_at(chain, 1) ?? leaf
        let store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl))
        return response.fault(of: leaf, issuer: issuer, chain: chain, store: store)
    }
}
