import COpenSSL

/// Sets up whom a context believes.
enum Trust {
    static func install(_ configuration: TLSClientConfiguration, in context: SSLContext) throws(TLSConfigurationError) {
        switch configuration.trust {
        case .system:
            guard SSL_CTX_set_default_verify_paths(context.pointer) == 1 else {
                throw .library("trust store", "the system's cannot be read")
            }
        case .authorities(let source): try add(authorities: source, to: context)
        }
        try add(revocationLists: configuration.revocationLists, to: context)
        SSL_CTX_set_verify(context.pointer, configuration.acceptsAnyCertificate ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
    }

    /// - Parameter namedToClients: a server asks for certificates of these authorities.
    static func add(
        authorities source: TLSSource, to context: SSLContext, namedToClients: Bool = false
    ) throws(TLSConfigurationError) {
        let certificates = try PEM.certificates(in: source)
        defer { certificates.forEach { X509_free($0) } }
        guard !certificates.isEmpty else { throw TLSConfigurationError(.malformed, source.name, "holds no certificate") }
        let store = SSL_CTX_get_cert_store(context.pointer)
        for certificate in certificates where X509_STORE_add_cert(store, certificate) != 1 {
            throw .library(source.name, "an authority is refused")
        }
        // What is listed is trusted, whether or not it is a root.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        for certificate in certificates where namedToClients && SSL_CTX_add_client_CA(context.pointer, certificate) != 1 {
            throw .library(source.name, "an authority cannot be named to clients")
        }
    }

    static func add(revocationLists sources: [TLSSource], to context: SSLContext) throws(TLSConfigurationError) {
        if sources.isEmpty { return }
        let store = SSL_CTX_get_cert_store(context.pointer)
        for source in sources {
            let lists = try PEM.revocationLists(in: source)
            defer { lists.forEach { X509_CRL_free($0) } }
            guard !lists.isEmpty else { throw TLSConfigurationError(.malformed, source.name, "holds no revocation list") }
            for list in lists where X509_STORE_add_crl(store, list) != 1 {
                throw .library(source.name, "a revocation list is refused")
            }
        }
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK))
    }
}
