import COpenSSL
import ReactorTLS

/// A certificate and its key, made for a test. The objects are never freed: there are few.
struct Issued: @unchecked Sendable {
    let certificate: OpaquePointer
    let key: OpaquePointer
    /// Above it, nearest first, without the root.
    var chain: [OpaquePointer] = []

    var certificatePEM: [UInt8] { ([certificate] + chain).flatMap { one in pem { PEM_write_bio_X509($0, one) } } }
    var keyPEM: [UInt8] { pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) } }
    var identity: TLSIdentity { TLSIdentity(certificates: .bytes(certificatePEM), key: .bytes(keyPEM)) }

    func stapled(_ response: [UInt8]) -> TLSIdentity {
        TLSIdentity(certificates: .bytes(certificatePEM), key: .bytes(keyPEM), ocspResponse: .bytes(response))
    }
}

enum KeyKind: Sendable { case ecdsa, rsa }

let day = 86_400

/// An authority for tests, whose certificates are what a test wants them to be.
final class Authority: Sendable {
    let own: Issued

    init(_ name: String = "Test Root", under parent: Authority? = nil) {
        own = Self.make(name, issuer: parent?.own, [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "keyCertSign,cRLSign")])
    }

    /// The root's certificate, to be trusted.
    var source: TLSSource { .bytes(own.certificatePEM) }

    func issue(
        _ names: [String] = ["localhost"], addresses: [String] = [], from: Int = -day, until: Int = day,
        purpose: String? = "serverAuth", key: KeyKind = .ecdsa, subject: String? = nil
    ) -> Issued {
        let alternatives = names.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }
        var extensions = [(NID_basic_constraints, "CA:FALSE")]
        if !alternatives.isEmpty { extensions.append((NID_subject_alt_name, alternatives.joined(separator: ","))) }
        if let purpose { extensions.append((NID_ext_key_usage, purpose)) }
        var made = Self.make(subject ?? names.first ?? "nameless", issuer: own, extensions, from: from, until: until, key: key)
        if X509_NAME_cmp(X509_get_issuer_name(own.certificate), X509_get_subject_name(own.certificate)) != 0 {
            made.chain = [own.certificate]
        }
        return made
    }

    /// PEM
    func revocationList(_ revoked: [Issued], until: Int = day) -> [UInt8] {
        let list = X509_CRL_new()
        X509_CRL_set_version(list, 1)
        X509_CRL_set_issuer_name(list, X509_get_subject_name(own.certificate))
        X509_CRL_set1_lastUpdate(list, X509_gmtime_adj(nil, -2 * day))
        X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(nil, until))
        for one in revoked {
            let entry = X509_REVOKED_new()
            X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one.certificate))
            X509_REVOKED_set_revocationDate(entry, X509_gmtime_adj(nil, -day))
            X509_CRL_add0_revoked(list, entry)
        }
        X509_CRL_sign(list, own.key, EVP_sha256())
        return pem { PEM_write_bio_X509_CRL($0, list) }
    }

    /// DER. Signed by the authority itself unless somebody else is named.
    func ocspResponse(
        _ issued: Issued, _ status: Int32 = V_OCSP_CERTSTATUS_GOOD, from: Int = -3600, until: Int? = 3600, signer: Issued? = nil,
        digest: OpaquePointer? = EVP_sha1()
    ) -> [UInt8] {
        let basic = OCSP_BASICRESP_new()
        let id = OCSP_cert_to_id(digest, issued.certificate, own.certificate)
        OCSP_basic_add1_status(
            basic, id, status, -1, status == V_OCSP_CERTSTATUS_REVOKED ? X509_gmtime_adj(nil, -3600) : nil,
            ASN1_TIME_to_generalizedtime(X509_gmtime_adj(nil, from), nil),
            until.flatMap { ASN1_TIME_to_generalizedtime(X509_gmtime_adj(nil, $0), nil) })
        let signer = signer ?? own
        OCSP_basic_sign(basic, signer.certificate, signer.key, EVP_sha256(), nil, 0)
        let response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_OCSP_RESPONSE(response, &encoded)
        return Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
    }

    static func make(
        _ subject: String, issuer: Issued?, _ extensions: [(Int32, String)], from: Int = -10 * day, until: Int = 10 * day,
        key kind: KeyKind = .ecdsa
    ) -> Issued {
        guard let certificate = X509_new(), let key = kind == .ecdsa ? copenssl_make_p256_key() : copenssl_make_rsa_key(2048)
        else { preconditionFailure("no memory") }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64.max))
        X509_gmtime_adj(X509_getm_notBefore(certificate), from)
        X509_gmtime_adj(X509_getm_notAfter(certificate), until)
        X509_set_pubkey(certificate, key)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, subject, -1, -1, 0)
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.certificate ?? certificate))
        for (kind, value) in extensions {
            let made = X509V3_EXT_conf_nid(nil, nil, kind, value)
            X509_add_ext(certificate, made, -1)
            X509_EXTENSION_free(made)
        }
        X509_sign(certificate, issuer?.key ?? key, EVP_sha256())
        return Issued(certificate: certificate, key: key)
    }
}

private func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
    guard let bio = BIO_new(BIO_s_mem()) else { return [] }
    defer { BIO_free(bio) }
    _ = write(bio)
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(bio))
    var count = 0
    BIO_read_ex(bio, &bytes, bytes.count, &count)
    return bytes
}
