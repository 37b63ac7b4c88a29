import COpenSSL

/// What SCRAM-SHA-256 computes with (RFC 5802 section 2.2, RFC 7677). Nil where OpenSSL has no memory.
package enum SCRAMDigests {
    package static let size = 32

    /// `H()`.
    package static func hash(_ bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: size)
        var count: UInt32 = 0
        guard EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil) == 1, Int(count) == size else { return nil }
        return digest
    }

    /// `HMAC()`.
    package static func authenticate(_ message: String, key: [UInt8]) -> [UInt8]? {
        var code = [UInt8](repeating: 0, count: size)
        var count: UInt32 = 0
        let bytes = Array(message.utf8)
        guard HMAC(EVP_sha256(), key, CInt(key.count), bytes, bytes.count, &code, &count) != nil, Int(count) == size else { return nil }
        return code
    }

    /// `Hi()`. Takes long, as it should: with a million iterations some half a second.
    package static func saltedPassword(_ password: String, salt: [UInt8], iterations: Int) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: size)
        let secret = Array(password.utf8).map { CChar(bitPattern: $0) }
        let made = PKCS5_PBKDF2_HMAC(
            secret, CInt(clamping: secret.count), salt, CInt(clamping: salt.count), CInt(clamping: iterations), EVP_sha256(),
            CInt(size), &key)
        return made == 1 ? key : nil
    }

    /// Compares in a time that does not depend on where they differ.
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return CRYPTO_memcmp(one, other, one.count) == 0
    }
}
