import ReactorContentCodings
import ReactorTesting
import ReactorWire
import Testing

@Suite struct RoundTripTests {
    private static let contents: [[UInt8]] = [
        [], [0], sampleText(100), sampleText(70_000), [UInt8](repeating: 0, count: 300_000), noise(200_000),
    ]

    @Test(arguments: ContentCoding.allCases, contents)
    func whatIsEncodedIsDecoded(_ coding: ContentCoding, _ content: [UInt8]) throws {
        let encoded = try coding.encode(content)
        for feeding in Feeding.allCases { #expect(try coding.decode(encoded, feeding) == content) }
    }

    @Test(arguments: ContentCoding.allCases)
    func textBecomesSmaller(_ coding: ContentCoding) throws {
        #expect(try coding.encode(sampleText(70_000)).count < 70_000 / 3)
    }

    /// The pieces that are written need not be those that are read, and the length need not be known.
    @Test(arguments: ContentCoding.allCases, Feeding.allCases)
    func piecesAreEncoded(_ coding: ContentCoding, _ feeding: Feeding) throws {
        let content = sampleText(30_000) + noise(30_000)
        var encoder = try ContentEncoder(coding)
        var output = ByteQueue()
        for piece in feeding.pieces(content) { try encoder.encode(Array(piece).span.bytes, into: &output) }
        try encoder.finish(into: &output)
        #expect(try coding.decode(output.bytes.array) == content)
    }

    /// The reader of a stream has what was flushed, whatever follows.
    @Test(arguments: ContentCoding.allCases)
    func aFlushLetsEverythingOut(_ coding: ContentCoding) throws {
        var encoder = try ContentEncoder(coding)
        var decoder = try ContentDecoder(coding)
        var decoded = ByteQueue()
        var expected: [UInt8] = []
        for number in 0..<200 {
            var output = ByteQueue()
            let event = number % 50 == 49 ? noise(100_000) : Array("data: \(number)\n\n".utf8)
            expected += event
            try encoder.encode(event.span.bytes, into: &output)
            try encoder.flush(into: &output)
            _ = try decoder.decode(output.bytes, into: &decoded)
            #expect(decoded.count == expected.count, "event \(number)")
        }
        var end = ByteQueue()
        try encoder.flush(into: &end)
        try encoder.finish(into: &end)
        _ = try decoder.decode(end.bytes, into: &decoded)
        try decoder.finish()
        #expect(decoded.bytes.array == expected)
    }

    /// A reader that is slow asks for some bytes at a time.
    @Test(arguments: ContentCoding.allCases, [1, 7, 16 * 1024, 50_000])
    func someBytesAtATime(_ coding: ContentCoding, _ atMost: Int) throws {
        let content = sampleText(40_000)
        let encoded = try coding.encode(content)
        var decoder = try ContentDecoder(coding)
        var output = ByteQueue()
        var used = 0
        repeat {
            let before = output.count
            used += try decoder.decode(encoded.span.bytes.slice(used..<encoded.count), into: &output, atMost: atMost)
            #expect(output.count - before <= atMost)
        } while decoder.hasMore
        #expect(used == encoded.count)
        try decoder.finish()
        #expect(output.bytes.array == content)
        #expect(decoder.decodedCount == content.count)
    }

    @Test(arguments: ContentCoding.allCases, [-5, 0, 1, 9, 11, 19, 1_000])
    func everyLevelIsDecoded(_ coding: ContentCoding, _ level: Int) throws {
        var options = ContentEncoderOptions()
        options.gzipLevel = level
        options.brotliQuality = level
        options.zstdLevel = level
        let content = sampleText(20_000)
        #expect(try coding.decode(coding.encode(content, options: options)) == content)
    }

    @Test(arguments: ContentCoding.allCases, [-1, 0, 1, 256, 1 << 16, 1 << 22, .max])
    func everyWindowIsDecoded(_ coding: ContentCoding, _ window: Int) throws {
        var options = ContentEncoderOptions()
        options.window = window
        let content = sampleText(20_000)
        #expect(try coding.decode(coding.encode(content, options: options)) == content)
        var encoder = try ContentEncoder(coding, options: options)
        var output = ByteQueue()
        try encoder.encode(content.span.bytes, into: &output)
        try encoder.finish(into: &output)
        #expect(try coding.decode(output.bytes.array) == content)
    }
}
