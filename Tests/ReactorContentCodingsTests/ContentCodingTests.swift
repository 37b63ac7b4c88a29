import ReactorContentCodings
import ReactorTesting
import ReactorWire
import Testing

@Suite struct ContentCodingTests {
    @Test(arguments: [
        ("gzip", ContentCoding.gzip), ("GZip", .gzip), ("x-gzip", .gzip), ("deflate", .deflate), ("br", .br), ("BR", .br),
        ("zstd", .zstd), ("identity", nil), ("", nil), ("gzi", nil), ("compress", nil), ("*", nil),
    ])
    func names(_ name: String, _ coding: ContentCoding?) {
        #expect(ContentCoding(name: Array(name.utf8).span.bytes) == coding)
    }

    @Test(arguments: ContentCoding.allCases) func aNameIsRead(_ coding: ContentCoding) {
        #expect(ContentCoding(name: Array("\(coding.name)".utf8).span.bytes) == coding)
    }

    /// Written by gzip(1), Python's zlib, Node's brotli and zstd(1).
    static let fromOthers: [(ContentCoding, String)] = [
        (.gzip, "1f8b0800000000000003f348cdc9c9d751f040a1c2f38b72521401e1c1d87c1b000000"),
        (.deflate, "789cf348cdc9c9d751f040a1c2f38b725214017dba08ea"),
        (.deflate, "f348cdc9c9d751f040a1c2f38b72521401"),
        (.br, "1b1a00f88d946ed6540dc2825426d942de721045e4a904103acd423c05"), (.br, "a1d000c06fa474b3a66a1016a432c916f2968328224f2580d06916e229"),
        (.zstd, "28b52ffd04589d00006848656c6c6f2c20576f726c64210100928b11bbd438c1"),
        // A frame to be skipped stands before the other.
        (.zstd, "502a4d1803000000aabbcc28b52ffd04589d00006848656c6c6f2c20576f726c64210100928b11bbd438c1"),
        // A name and a comment in the header of the member.
        (.gzip, "1f8b081800000000000361006200f348cdc9c9d751f040a1c2f38b72521401e1c1d87c1b000000"),
    ]

    @Test(arguments: fromOthers, Feeding.allCases)
    func whatOthersWroteIsRead(_ sample: (ContentCoding, String), _ feeding: Feeding) throws {
        #expect(String(decoding: try sample.0.decode(bytes(sample.1), feeding), as: UTF8.self) == "Hello, Hello, Hello, World!")
    }

    @Test(arguments: fromOthers)
    func everyTruncationIsSeen(_ sample: (ContentCoding, String)) throws {
        let whole = bytes(sample.1)
        for count in 0..<whole.count {
            // A frame that is skipped is content by itself: of no bytes.
            if sample.1.hasPrefix("502a4d18") && count == 11 { continue }
            #expect(try sample.0.violation(Array(whole.prefix(count))) == .truncated, "\(count) bytes")
        }
    }

    @Test(arguments: fromOthers, [[0x0A], [0], Array("garbage behind the end".utf8)])
    func bytesBehindTheEnd(_ sample: (ContentCoding, String), _ trailing: [UInt8]) throws {
        // Where another member may follow, the bytes are a bad one, or the beginning of one.
        let expected: Set<ContentViolation> =
            sample.0 == .gzip || sample.0 == .zstd ? [.malformed, .truncated] : [.trailingBytes]
        for feeding in Feeding.allCases {
            let violation = try #require(try sample.0.violation(bytes(sample.1) + trailing, feeding))
            #expect(expected.contains(violation))
        }
    }

    @Test(arguments: [ContentCoding.gzip, .zstd], Feeding.allCases)
    func membersFollowEachOther(_ coding: ContentCoding, _ feeding: Feeding) throws {
        let members = try coding.encode(sampleText(3_000)) + coding.encode([]) + coding.encode(Array("end".utf8))
        #expect(try coding.decode(members, feeding) == sampleText(3_000) + Array("end".utf8))
    }

    /// In no more than time, and never by a trap.
    @Test(arguments: ContentCoding.allCases)
    func garbage(_ coding: ContentCoding) throws {
        var generator = SeededGenerator(seed: seed)
        let whole = try coding.encode(sampleText(20_000))
        for _ in 0..<300 {
            var broken = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                broken[Int.random(in: 0..<broken.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            }
            // brotli has no checksum: what is decoded may differ.
            if let decoded = try? coding.decode(broken, .randomly), coding != .br { #expect(decoded == sampleText(20_000)) }
        }
        // What has no checksum and no magic may be content by chance.
        let random = noise(5_000)
        if coding == .gzip || coding == .zstd { #expect(try coding.violation(random) == .malformed) }
        _ = try coding.violation(random)
    }

    @Test(arguments: ContentCoding.allCases)
    func afterAViolationNothingIsDecoded(_ coding: ContentCoding) throws {
        var limits = ContentDecodingLimits()
        limits.output = 10
        let whole = try coding.encode(sampleText(1_000))
        var decoder = try ContentDecoder(coding, limits: limits)
        var output = ByteQueue()
        var violations: [ContentViolation] = []
        for _ in 0..<2 {
            do { _ = try decoder.decode(whole.span.bytes, into: &output) } catch {
                if case .violation(let violation) = error { violations.append(violation) }
            }
        }
        #expect(violations == [.outputTooLarge, .malformed])
        do {
            try decoder.finish()
            Issue.record("a broken body ended well")
        } catch {}
    }
}
