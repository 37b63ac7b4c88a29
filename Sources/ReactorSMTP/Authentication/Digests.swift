import COpenSSL

/// The functions that SCRAM-SHA-256 is made of (RFC 5802 section 2.2, RFC 7677). Each gives 32 bytes, or none at all where
/// OpenSSL could not compute it: that equals nothing it is compared with.
package enum SCRAMDigest {
    package static func hmac(key: [UInt8], _ text: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let done = HMAC(EVP_sha256(), key, CInt(clamping: key.count), text, text.count, &result, &length)
        return done == nil || length != 32 ? [] : result
    }

    package static func hash(_ text: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        return EVP_Digest(text, text.count, &result, &length, EVP_sha256(), nil) == 1 && length == 32 ? result : []
    }

    /// `Hi`, which is PBKDF2. Takes as long as there are iterations: milliseconds for thousands.
    package static func saltedPassword(_ password: String, salt: [UInt8], iterations: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        let bytes = Array(password.utf8)
        let done = bytes.withUnsafeBytes { password in
            PKCS5_PBKDF2_HMAC(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(clamping: password.count), salt,
                CInt(clamping: salt.count), CInt(clamping: iterations), EVP_sha256(), 32, &result)
        }
        return done == 1 ? result : []
    }

    /// In a time that depends on the lengths alone. Nothing equals an empty secret.
    package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && !left.isEmpty && CRYPTO_memcmp(left, right, left.count) == 0
    }

    package static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
