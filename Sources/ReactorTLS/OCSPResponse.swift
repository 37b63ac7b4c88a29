import COpenSSL
import ConnectionHandling

/// A successful OCSP response (RFC 6960).
final class OCSPResponse {
    private let basic: OpaquePointer
    /// Clocks differ.
    private static let slack = 300

    /// Nil if it is none.
    init?(der: UnsafeBufferPointer<UInt8>) {
        var start = der.baseAddress
        defer { ERR_clear_error() }
        guard let response = d2i_OCSP_RESPONSE(nil, &start, der.count) else { return nil }
        defer { OCSP_RESPONSE_free(response) }
        guard OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL, let basic = OCSP_response_get1_basic(response)
        else { return nil }
        self.basic = basic
    }

    deinit { OCSP_BASICRESP_free(basic) }

    /// When the next response is due, in seconds since 1970, if that is known. Nil if the response is not about a
    /// certificate with the serial number of this one: without the issuer at hand, no more can be said.
    func nextUpdate(forSerialNumberOf certificate: OpaquePointer) -> Int64?? {
        for index in 0..<OCSP_resp_count(basic) {
            let single = OCSP_resp_get0(basic, index)
            var serial: UnsafeMutablePointer<ASN1_INTEGER>?
            OCSP_id_get0_info(nil, nil, nil, &serial, copenssl_single_id(single))
            guard ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) == 0 else { continue }
            var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
            _ = OCSP_single_get0_status(single, nil, nil, nil, &next)
            return .some(next.flatMap { unixSeconds($0) })
        }
        return nil
    }

    /// What is wrong with the certificate, or with the response. Nil if the certificate is good.
    ///
    /// - Parameters:
    ///   - chain: the certificates that lead to the root, the issuer's among them.
    ///   - store: the roots that are trusted.
    func fault(
        of certificate: OpaquePointer, issuer: OpaquePointer, chain: OpaquePointer?, store: OpaquePointer?
    ) -> TLSFailure? {
        func refused(_ fault: TLSFailure.CertificateFault, _ detail: String) -> TLSFailure {
            TLSFailure(.certificate(fault), detail: "stapled OCSP response: \(detail)")
        }
        defer { ERR_clear_error() }
        guard OCSP_basic_verify(basic, chain, store, 0) == 1 else {
            return refused(.invalid, "not signed by who may: \(OpenSSLErrors.take())")
        }
        guard let single = find(certificate, issuer) else { return refused(.invalid, "not about this certificate") }
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        let status = OCSP_single_get0_status(single, nil, nil, &this, &next)
        guard OCSP_check_validity(this, next, Self.slack, -1) == 1 else { return refused(.invalid, "expired, or not valid yet") }
        switch status {
        case V_OCSP_CERTSTATUS_GOOD: return nil
        case V_OCSP_CERTSTATUS_REVOKED: return refused(.revoked, "revoked")
        default: return refused(.invalid, "the responder does not know the certificate")
        }
    }

    /// The part about a certificate, whichever hash the responder names it by.
    private func find(_ certificate: OpaquePointer, _ issuer: OpaquePointer) -> OpaquePointer? {
        for index in 0..<OCSP_resp_count(basic) {
            let single = OCSP_resp_get0(basic, index)
            guard let id = copenssl_single_id(single),
                let own = OCSP_cert_to_id(copenssl_digest_of(id), certificate, issuer)
            else { continue }
            defer { OCSP_CERTID_free(own) }
            if OCSP_id_cmp(own, id) == 0 { return single }
        }
        return nil
    }
}
