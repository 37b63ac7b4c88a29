import COpenSSL
import ConnectionHandling

extension TLSFailure {
    /// Why a call on `ssl` failed, as the thread's error queue says, which is emptied.
    static func takingErrors(of ssl: OpaquePointer) -> TLSFailure {
        let first = ERR_get_error()
        defer { ERR_clear_error() }
        let detail = OpenSSLErrors.reason(of: first)
        // What TLS made of it comes behind what the lower parts found.
        var code = first
        while code != 0 && copenssl_library(code) != ERR_LIB_SSL { code = ERR_get_error() }
        if code == 0 { return TLSFailure(first == 0 || copenssl_is_fatal(first) == 1 ? .system : .violation, detail: detail) }
        let reason = copenssl_reason(code)
        if let alert = UInt8(exactly: reason - SSL_AD_REASON_OFFSET) {
            return TLSFailure(.alert(alert), detail: String(cString: SSL_alert_desc_string_long(Int32(alert))))
        }
        switch reason {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            let result = SSL_get_verify_result(ssl)
            return TLSFailure(
                .certificate(CertificateFault(verifyResult: Int32(truncatingIfNeeded: result))),
                detail: String(cString: X509_verify_cert_error_string(result)))
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return TLSFailure(.certificate(.missing))
        case SSL_R_NO_SHARED_CIPHER, SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_APPLICATION_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE,
            SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION:
            return TLSFailure(.nothingShared, detail: detail)
        default:
            return TLSFailure(copenssl_is_fatal(code) == 1 ? .system : .violation, detail: detail)
        }
    }
}

extension TLSFailure.CertificateFault {
    init(verifyResult: Int32) {
        switch verifyResult {
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownIssuer
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongHost
        case X509_V_ERR_INVALID_PURPOSE: self = .wrongPurpose
        case X509_V_ERR_CERT_REVOKED: self = .revoked
        default: self = .invalid
        }
    }
}
