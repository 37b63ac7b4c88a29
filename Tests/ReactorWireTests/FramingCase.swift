import ReactorTesting
import ReactorWire
import Testing

/// A framing of any type, as tests put the same questions to all of them.
struct AnyFraming: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Reads the pieces as they arrive, behind what was left of those before.
    let read: @Sendable (_ pieces: [ArraySlice<UInt8>]) -> Outcome
    let encode: @Sendable (_ payload: [UInt8]) -> Result<[UInt8], FrameError>

    struct Outcome: Equatable, CustomStringConvertible {
        var payloads: [[UInt8]] = []
        var violation: String?
        /// Bytes that are no whole frame.
        var left = 0
        var description: String { "\(payloads.count) frames, \(left) bytes left, violation \(violation ?? "none")" }
    }

    init<Kind: Framing & Sendable>(_ name: String, _ framing: Kind) {
        testDescription = name
        read = { pieces in
            var (framing, outcome, kept) = (framing, Outcome(), [UInt8]())
            for piece in pieces {
                kept += piece
                do {
                    var used = 0
                    while let frame = try framing.next(in: kept.span.bytes, from: used) {
                        #expect(frame.payload.lowerBound >= used && frame.next >= frame.payload.upperBound)
                        outcome.payloads.append(Array(kept[frame.payload]))
                        used = frame.next
                    }
                    kept.removeFirst(used)
                } catch {
                    // Without the offset it names, which is one into what had not been consumed.
                    outcome.violation = String("\(error)".prefix { $0 != "(" })
                    return outcome
                }
            }
            outcome.left = kept.count
            return outcome
        }
        encode = { payload in
            var queue = ByteQueue()
            queue.append("before")
            let result = Result { () throws(FrameError) in try framing.append(payload.span.bytes, to: &queue) }
            let written = Array(queue.bytes.array.dropFirst(6))
            if case .failure = result { #expect(written.isEmpty, "what was refused is taken back") }
            return result.map { written }
        }
    }

    static let limit = 64
    static let all: [AnyFraming] = [
        AnyFraming("lines", LineFraming(limit: limit)),
        AnyFraming("lenient lines", LenientLineFraming(limit: limit)),
        AnyFraming("netstrings", NetstringFraming(limit: limit)),
        AnyFraming("fixed size", FixedSizeFraming(size: 7)),
        AnyFraming("delimiter 0", DelimiterFraming([0], limit: limit)),
        AnyFraming("delimiter aab", DelimiterFraming(Array("aab".utf8), limit: limit)),
    ] + lengthPrefixes

    static let lengthPrefixes: [AnyFraming] = [.one, .two, .three, .four, .eight].flatMap {
        (width: LengthPrefixFraming.Width) in
        [ByteOrder.big, .little].flatMap { order in
            [(false, 0), (true, 0), (false, 3), (false, -2)].map { countsItself, adjustment in
                AnyFraming(
                    "length of \(width.rawValue), \(order), counts itself \(countsItself), adjustment \(adjustment)",
                    LengthPrefixFraming(
                        width, order, countsItself: countsItself, adjustment: adjustment, limit: limit))
            }
        }
    }
}

/// The bytes whole, one at a time, and split at random.
func splits(of bytes: [UInt8], _ random: inout SeededGenerator) -> [[ArraySlice<UInt8>]] {
    var result = [[bytes[...]], bytes.indices.map { bytes[$0...$0] }]
    for _ in 0..<4 {
        var (pieces, start): ([ArraySlice<UInt8>], Int) = ([], 0)
        while start < bytes.count {
            let end = min(start + Int.random(in: 1...20, using: &random), bytes.count)
            pieces.append(bytes[start..<end])
            start = end
        }
        result.append(pieces)
    }
    return result
}
