/// What one end proves who it is with: a certificate chain and its private key.
public struct TLSIdentity: Sendable {
    /// PEM: the certificate first, then those that lead to its root.
    public var certificates: TLSSource
    /// PEM: the private key, not encrypted.
    public var key: TLSSource
    /// DER: an OCSP response (RFC 6960) about the certificate, which servers staple to it (RFC 6066 section 8).
    public var ocspResponse: TLSSource?

    public init(certificates: TLSSource, key: TLSSource, ocspResponse: TLSSource? = nil) {
        self.certificates = certificates
        self.key = key
        self.ocspResponse = ocspResponse
    }

    /// From PEM files.
    public init(certificateFile: String, keyFile: String, ocspFile: String? = nil) {
        self.init(certificates: .file(certificateFile), key: .file(keyFile), ocspResponse: ocspFile.map { .file($0) })
    }
}
