import COpenSSL

/// An identity as OpenSSL's objects, while contexts are made of it.
final class LoadedIdentity {
    let leaf: OpaquePointer
    private let intermediates: [OpaquePointer]
    private let key: OpaquePointer
    /// Of the file.
    let name: String

    init(_ identity: TLSIdentity) throws(TLSConfigurationError) {
        name = identity.certificates.name
        var chain = try PEM.certificates(in: identity.certificates)
        guard !chain.isEmpty else { throw TLSConfigurationError(.malformed, name, "holds no certificate") }
        do throws(TLSConfigurationError) {
            key = try PEM.privateKey(in: identity.key)
        } catch {
            chain.forEach { X509_free($0) }
            throw error
        }
        leaf = chain.removeFirst()
        intermediates = chain
        guard X509_check_private_key(leaf, key) == 1 else {
            ERR_clear_error()
            throw TLSConfigurationError(.keyMismatch, identity.key.name, "is not the key of the certificate in \(name)")
        }
    }

    deinit {
        X509_free(leaf)
        intermediates.forEach { X509_free($0) }
        EVP_PKEY_free(key)
    }

    /// RSA, ECDSA and the like: a context holds one identity of each.
    var keyType: Int32 { EVP_PKEY_get_base_id(key) }

    /// The DNS names that it is for, in lower case.
    var names: [String] { TLSCertificate.alternativeNames(of: leaf).names }

    var warnings: [String] {
        let now = currentTime()
        if let end = unixSeconds(X509_get0_notAfter(leaf)), end < now { return ["\(name): the certificate has expired"] }
        if let start = unixSeconds(X509_get0_notBefore(leaf)), start > now { return ["\(name): the certificate is not valid yet"] }
        return []
    }

    func install(in context: SSLContext) throws(TLSConfigurationError) {
        guard SSL_CTX_use_certificate(context.pointer, leaf) == 1 else { throw .library(name, "the certificate is refused") }
        guard SSL_CTX_use_PrivateKey(context.pointer, key) == 1 else { throw .library(name, "the private key is refused") }
        for certificate in intermediates where copenssl_ctx_add_to_chain(context.pointer, certificate) != 1 {
            throw .library(name, "a certificate of the chain is refused")
        }
    }
}
