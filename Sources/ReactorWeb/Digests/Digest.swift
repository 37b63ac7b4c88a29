import COpenSSL
import ReactorWire

/// The digests that HTTP's own schemes name. MD5 is here for RFC 7616 alone: nothing new should be built on it.
package enum DigestAlgorithm: Sendable {
    case sha256, md5

    fileprivate var pointer: OpaquePointer? {
        switch self {
        case .sha256: EVP_sha256()
        case .md5: EVP_md5()
        }
    }

    /// The digest of `bytes`: 32 bytes, or 16 for MD5.
    package func digest(of bytes: RawSpan) -> [UInt8] {
        var digest = RunningDigest(self)
        digest.update(bytes)
        return digest.finish()
    }
}

/// The digest of what comes in pieces.
package struct RunningDigest: ~Copyable {
    private let context: OpaquePointer?
    /// OpenSSL had no memory, or its configuration forbids the algorithm. A digest that was not computed must not look
    /// like one, so `finish` is then empty, which equals nothing that it is compared with.
    private var failed: Bool

    package init(_ algorithm: DigestAlgorithm) {
        context = EVP_MD_CTX_new()
        failed = context == nil || EVP_DigestInit_ex(context, algorithm.pointer, nil) != 1
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: RawSpan) {
        if failed { return }
        bytes.withUnsafeBytes { source in
            if EVP_DigestUpdate(context, source.baseAddress, source.count) != 1 { failed = true }
        }
    }

    package consuming func finish() -> [UInt8] {
        if failed { return [] }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &length) == 1 else { return [] }
        return Array(digest.prefix(Int(length)))
    }
}

/// HMAC-SHA256 (RFC 2104), 32 bytes; empty if OpenSSL could not compute it.
package func hmacSHA256(key: [UInt8], _ bytes: RawSpan) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = bytes.withUnsafeBytes { source in
        HMAC(
            EVP_sha256(), key, CInt(clamping: key.count), source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count,
            &result, &length)
    }
    return done == nil || length != 32 ? [] : result
}
