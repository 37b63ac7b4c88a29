import ReactorTesting
import ReactorWire
import Testing

/// What holds for every framing.
@Suite struct FramingTests {
    private static let seed = UInt64.random(in: 1...UInt64.max)

    /// Payloads come back as they were, however the frames are split; what would not come back is refused.
    @Test(arguments: AnyFraming.all)
    func whatIsWrittenIsReadBack(_ framing: AnyFraming) {
        var random = SeededGenerator(seed: Self.seed)
        var (stream, payloads): ([UInt8], [[UInt8]]) = ([], [])
        for _ in 0..<200 {
            // Of few different bytes, so that delimiters and their beginnings occur.
            let payload = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                Array("ab\r\n:,\0".utf8).randomElement(using: &random) ?? 0
            }
            guard case .success(let frame) = framing.encode(payload) else { continue }
            stream += frame
            payloads.append(payload)
        }
        #expect(payloads.count > 3, "seed \(Self.seed)")
        for pieces in splits(of: stream, &random) {
            #expect(framing.read(pieces) == AnyFraming.Outcome(payloads: payloads), "seed \(Self.seed)")
        }
    }

    @Test(arguments: AnyFraming.all)
    func garbageHasTheSameOutcomeHoweverItIsSplit(_ framing: AnyFraming) {
        var random = SeededGenerator(seed: Self.seed)
        for _ in 0..<300 {
            let alphabet = Bool.random(using: &random) ? Array("aab012:,\r\n\0".utf8) : Array(0...255)
            let garbage = (0..<Int.random(in: 1...150, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let outcomes = splits(of: garbage, &random).map(framing.read)
            for outcome in outcomes {
                #expect(outcome == outcomes[0], "seed \(Self.seed): \(garbage)")
                #expect(outcome.left < AnyFraming.limit || outcome.violation != nil)
            }
        }
    }

    /// The decoder never keeps more than its limit.
    @Test(arguments: AnyFraming.all)
    func anEndlessFrameIsCutOffAtTheLimit(_ framing: AnyFraming) {
        for byte in [UInt8(ascii: "1"), 0xFF, 1, 0x7F] {
            let outcome = framing.read((0..<200).map { _ in [byte][...] })
            #expect(outcome.violation != nil || outcome.left < AnyFraming.limit, "\(byte)")
        }
    }

    @Test(arguments: AnyFraming.all)
    func aTruncatedFrameIsNoFrame(_ framing: AnyFraming) throws {
        let frame = try framing.encode(Array("payload".utf8)).get()
        for count in 0..<frame.count {
            #expect(framing.read([frame[..<count]]) == AnyFraming.Outcome(left: count))
        }
        #expect(framing.read([frame[...]]).payloads.count == 1)
    }

    @Test(arguments: AnyFraming.all.filter { $0.testDescription != "fixed size" })
    func theLongestFrameIsWrittenAndReadAndNoLonger(_ framing: AnyFraming) throws {
        let longest = (0...AnyFraming.limit).last { count in
            if case .success = framing.encode([UInt8](repeating: 0x78, count: count)) { true } else { false }
        }
        let frame = try framing.encode([UInt8](repeating: 0x78, count: try #require(longest))).get()
        #expect(frame.count == AnyFraming.limit)
        #expect(framing.read([frame[...]]).payloads.count == 1)
        #expect(framing.encode([UInt8](repeating: 0x78, count: try #require(longest) + 1)) == .failure(.tooLong))
    }
}
