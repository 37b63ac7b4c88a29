import ReactorContentCodings
import ReactorWire
import Testing

@Suite struct LimitTests {
    private static let zeros = [UInt8](repeating: 0, count: 8 * 1024 * 1024)

    @Test(arguments: ContentCoding.allCases, Feeding.allCases)
    func theOutputAtItsLimitAndOnePastIt(_ coding: ContentCoding, _ feeding: Feeding) throws {
        let encoded = try coding.encode(sampleText(50_000))
        var limits = ContentDecodingLimits()
        limits.output = 50_000
        #expect(try coding.violation(encoded, feeding, limits: limits) == nil)
        limits.output = 49_999
        #expect(try coding.violation(encoded, feeding, limits: limits) == .outputTooLarge)
    }

    @Test(arguments: ContentCoding.allCases)
    func aBombEndsAtTheOutputLimit(_ coding: ContentCoding) throws {
        let bomb = try coding.encode(Self.zeros)
        #expect(bomb.count < 10_000)
        var limits = ContentDecodingLimits()
        limits.ratio = .max
        limits.output = 1024 * 1024
        var decoder = try ContentDecoder(coding, limits: limits)
        var output = ByteQueue()
        do {
            _ = try decoder.decode(bomb.span.bytes, into: &output)
            Issue.record("a bomb was decoded")
        } catch {
            #expect(error == .violation(.outputTooLarge))
        }
        #expect(decoder.decodedCount <= limits.output + 16 * 1024)
    }

    @Test(arguments: ContentCoding.allCases, Feeding.allCases)
    func aBombEndsAtTheRatio(_ coding: ContentCoding, _ feeding: Feeding) throws {
        #expect(try coding.violation(coding.encode(Self.zeros), feeding) == .ratioTooLarge)
    }

    @Test(arguments: ContentCoding.allCases)
    func theRatioAtItsLimitAndPastIt(_ coding: ContentCoding) throws {
        let content = [UInt8](repeating: 0, count: 1_000_000)
        let encoded = try coding.encode(content)
        var limits = ContentDecodingLimits()
        limits.ratioFrom = 0
        // Given whole, it is the whole that counts in the end.
        limits.ratio = (content.count + encoded.count - 1) / encoded.count * 2
        let feeding = Feeding.whole
        #expect(try coding.violation(encoded, feeding, limits: limits) == nil)
        limits.ratio = content.count / encoded.count / 2
        #expect(try coding.violation(encoded, feeding, limits: limits) == .ratioTooLarge)
        // Below the amount that is free it is not asked about.
        limits.ratioFrom = content.count
        #expect(try coding.violation(encoded, feeding, limits: limits) == nil)
    }

    /// A bomb in a bomb: its shell is small for its content, which is a bomb again.
    @Test(arguments: ContentCoding.allCases, ContentCoding.allCases)
    func nestedBombs(_ outer: ContentCoding, _ inner: ContentCoding) throws {
        let nested = try outer.encode(inner.encode(Self.zeros))
        let shell = try outer.decode(nested)
        #expect(try inner.violation(shell) == .ratioTooLarge)
    }

    /// Many members, each below the limits.
    @Test(arguments: [ContentCoding.gzip, .zstd])
    func membersAreCountedTogether(_ coding: ContentCoding) throws {
        let member = try coding.encode([UInt8](repeating: 0, count: 100_000))
        let bomb = [[UInt8]](repeating: member, count: 100).flatMap { $0 }
        #expect(try coding.violation(bomb) == .ratioTooLarge)
        var limits = ContentDecodingLimits()
        limits.ratio = .max
        limits.output = 9_999_999
        #expect(try coding.violation(bomb, limits: limits) == .outputTooLarge)
        limits.output = 10_000_000
        #expect(try coding.violation(bomb, limits: limits) == nil)
    }

    @Test(arguments: [ContentCoding.br, .zstd])
    func aWindowThatIsTooLarge(_ coding: ContentCoding) throws {
        var options = ContentEncoderOptions()
        options.window = 1 << 20
        let encoded = try coding.encode(noise(1 << 20), options: options)
        var limits = ContentDecodingLimits()
        limits.window = 1 << 20
        #expect(try coding.violation(encoded, limits: limits) == nil)
        limits.window = 1 << 19
        #expect(try coding.violation(encoded, limits: limits) == .windowTooLarge)
    }

    /// Frames of zstd(1) --long=27, and of brotli with its largest window, for three bytes.
    @Test(arguments: [
        (ContentCoding.br, "0f018061626303", true), (.br, "0d018061626303", false), (.br, "0108000461626303", false),
        (.zstd, "28b52ffd0488190000616263", true), (.zstd, "28b52ffd0468190000616263", false),
    ])
    func theDefaultWindow(_ coding: ContentCoding, _ hex: String, _ isRefused: Bool) throws {
        #expect(try (coding.violation(bytes(hex)) == .windowTooLarge) == isRefused)
    }

    @Test func whichViolationsAreLimits() {
        #expect(ContentViolation.ratioTooLarge.isLimit && ContentViolation.outputTooLarge.isLimit)
        #expect(ContentViolation.windowTooLarge.isLimit)
        #expect(!ContentViolation.malformed.isLimit && !ContentViolation.truncated.isLimit)
        #expect(!ContentViolation.trailingBytes.isLimit)
    }
}
