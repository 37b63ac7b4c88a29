import COpenSSL
import Glibc
import ReactorTLS

/// A certificate and its key, made for a test.
final class Issued: @unchecked Sendable {
    let certificate: OpaquePointer
    let key: OpaquePointer
    /// Above it, nearest first, without the root.
    let chain: [Issued]

    /// Takes the objects over.
    init(_ certificate: OpaquePointer, _ key: OpaquePointer, chain: [Issued] = []) {
        (self.certificate, self.key, self.chain) = (certificate, key, chain)
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    var certificatePEM: [UInt8] { ([self] + chain).flatMap { one in pem { PEM_write_bio_X509($0, one.certificate) } } }
    var keyPEM: [UInt8] { pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) } }
    var identity: TLSIdentity { TLSIdentity(certificates: .bytes(certificatePEM), key: .bytes(keyPEM)) }

    /// The same, sent with another chain.
    func with(chain: [Issued]) -> Issued {
        X509_up_ref(certificate)
        EVP_PKEY_up_ref(key)
        return Issued(certificate, key, chain: chain)
    }

    func stapled(_ response: [UInt8]) -> TLSIdentity {
        TLSIdentity(certificates: .bytes(certificatePEM), key: .bytes(keyPEM), ocspResponse: .bytes(response))
    }
}

enum KeyKind: Sendable { case ecdsa, rsa }

let day = 86_400

/// An authority for tests, whose certificates are what a test wants them to be.
final class Authority: Sendable {
    let own: Issued

    init(_ name: String = "Test Root", under parent: Authority? = nil, key: KeyKind = .ecdsa) {
        own = Self.make(
            name, issuer: parent?.own, [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "keyCertSign,cRLSign")], key: key)
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
        let made = Self.make(subject ?? names.first ?? "nameless", issuer: own, extensions, from: from, until: until, key: key)
        let isRoot = X509_NAME_cmp(X509_get_issuer_name(own.certificate), X509_get_subject_name(own.certificate)) == 0
        return isRoot ? made : made.with(chain: [own])
    }

    /// PEM
    func revocationList(_ revoked: [Issued], until: Int = day) -> [UInt8] {
        let list = X509_CRL_new()
        defer { X509_CRL_free(list) }
        X509_CRL_set_version(list, 1)
        X509_CRL_set_issuer_name(list, X509_get_subject_name(own.certificate))
        withTime(-2 * day) { _ = X509_CRL_set1_lastUpdate(list, $0) }
        withTime(until) { _ = X509_CRL_set1_nextUpdate(list, $0) }
        for one in revoked {
            let entry = X509_REVOKED_new()
            X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one.certificate))
            withTime(-day) { _ = X509_REVOKED_set_revocationDate(entry, $0) }
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
        withTime(-3600) { revoked in
            withTime(from) { this in
                withTime(until ?? 0) { next in
                    _ = OCSP_basic_add1_status(
                        basic, id, status, -1, status == V_OCSP_CERTSTATUS_REVOKED ? revoked : nil, this, until == nil ? nil : next)
                }
            }
        }
        let signer = signer ?? own
        OCSP_basic_sign(basic, signer.certificate, signer.key, EVP_sha256(), nil, 0)
        let response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_OCSP_RESPONSE(response, &encoded)
        defer {
            copenssl_free(encoded)
            OCSP_RESPONSE_free(response)
            OCSP_BASICRESP_free(basic)
            OCSP_CERTID_free(id)
        }
        return Array(UnsafeBufferPointer(start: encoded, count: Int(length)))
    }

    /// So many seconds from now.
    private func withTime(_ seconds: Int, _ body: (UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?) -> Void) {
        let moment = ASN1_GENERALIZEDTIME_adj(nil, time(nil), 0, seconds)
        body(moment)
        ASN1_GENERALIZEDTIME_free(moment)
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
        return Issued(certificate, key)
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
