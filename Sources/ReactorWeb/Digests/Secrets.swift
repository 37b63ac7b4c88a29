import COpenSSL
import ReactorWire

/// `count` bytes that nobody can guess, of OpenSSL's generator.
///
/// - Throws: ``RandomnessFailure`` where the system has none to give. What is then made would be guessable.
package func randomBytes(_ count: Int) throws(RandomnessFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, CInt(clamping: count)) == 1 else { throw RandomnessFailure() }
    return bytes
}

/// The system gave no random bytes.
public struct RandomnessFailure: Error, CustomStringConvertible, Sendable {
    public var description: String { "no random bytes: the system's generator failed" }
}

/// Compares secrets in a time that depends on their lengths alone, so that a peer cannot find one byte by byte.
/// Nothing equals an empty secret.
public func equalsInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count, !left.isEmpty else { return false }
    return CRYPTO_memcmp(left, right, left.count) == 0
}

/// As ``equalsInConstantTime(_:_:)-([UInt8],_)``, for passwords and tokens: their UTF-8 is compared.
public func equalsInConstantTime(_ left: String, _ right: String) -> Bool {
    equalsInConstantTime(Array(left.utf8), Array(right.utf8))
}
