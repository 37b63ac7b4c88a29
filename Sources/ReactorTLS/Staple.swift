import COpenSSL

/// An OCSP response that a server sends with its certificate.
struct Staple: Sendable {
    private let response: [UInt8]
    /// The certificate's address, which is what OpenSSL names it by: the contexts keep it.
    private let certificate: UInt
    /// Seconds since 1970 from which on it is worth nothing.
    private let end: Int64
    private(set) var warnings: [String] = []

    init(_ source: TLSSource, for identity: LoadedIdentity) throws(TLSConfigurationError) {
        response = try source.load()
        certificate = UInt(bitPattern: identity.leaf)
        guard let parsed = response.withUnsafeBufferPointer({ OCSPResponse(der: $0) }) else {
            throw TLSConfigurationError(.malformed, source.name, "is not a successful OCSP response in DER")
        }
        guard let next = parsed.nextUpdate(forSerialNumberOf: identity.leaf) else {
            throw TLSConfigurationError(.malformed, source.name, "is not about the certificate in \(identity.name)")
        }
        end = next ?? .max
        if end <= currentTime() { warnings = ["\(source.name): the OCSP response has expired, and is not sent"] }
    }

    /// If it is about the session's certificate and still good.
    func attach(to ssl: OpaquePointer) -> Bool {
        guard UInt(bitPattern: SSL_get_certificate(ssl)) == certificate, currentTime() < end,
            let copy = copenssl_malloc(response.count)
        else { return false }
        copy.copyMemory(from: response, byteCount: response.count)
        copenssl_set_status_response(ssl, copy, response.count)
        return true
    }
}
