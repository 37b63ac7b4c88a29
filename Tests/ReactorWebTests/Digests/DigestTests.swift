import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

@Suite struct DigestTests {
    /// FIPS 180-2, RFC 1321.
    @Test(arguments: [
        (DigestAlgorithm.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
        (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ])
    func digests(_ algorithm: DigestAlgorithm, _ text: String, _ expected: String) {
        #expect(TextCode.hex(algorithm.digest(of: Array(text.utf8).span.bytes)) == expected)
    }

    @Test func inPieces() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        var running = RunningDigest(.sha256)
        for start in stride(from: 0, to: bytes.count, by: 77) {
            running.update(bytes.span.bytes.slice(start..<min(start + 77, bytes.count)))
        }
        let digest = running.finish()
        #expect(digest == DigestAlgorithm.sha256.digest(of: bytes.span.bytes))
    }

    /// RFC 4231, test cases 2 and 6.
    @Test func hmac() {
        let short = hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8).span.bytes)
        #expect(TextCode.hex(short) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let text = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        let long = hmacSHA256(key: [UInt8](repeating: 0xAA, count: 131), text.span.bytes)
        #expect(TextCode.hex(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func secretsAreCompared() throws {
        #expect(equalsInConstantTime("open sesame", "open sesame"))
        #expect(!equalsInConstantTime("open sesame", "open sesamE"))
        #expect(!equalsInConstantTime("open", "open sesame"))
        #expect(!equalsInConstantTime("", ""))
        let first = try randomBytes(32)
        #expect(first.count == 32)
        #expect(try randomBytes(32) != first)
    }

    @Test func base64() throws {
        for count in 0..<70 {
            let bytes = try randomBytes(count)
            let text = TextCode.base64URL(bytes)
            #expect(TextCode.decodeBase64(Array(text.utf8).span.bytes, .url) == bytes)
        }
        func standard(_ text: String) -> String? {
            TextCode.decodeBase64(Array(text.utf8).span.bytes, .standard).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(standard("QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "Aladdin:open sesame")
        #expect(standard("") == "")
        for bad in ["QQ", "QQ=", "QQ===", "=", "====", "QR==", "Q Q=", "QQ=A", "Q-==", "Q\0==", "QUI_", "QQ==QQ=="] {
            #expect(standard(bad) == nil, "\(bad)")
        }
    }
}
