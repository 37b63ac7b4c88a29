import ReactorContentCodings
import ReactorTesting
import ReactorWire

let seed: UInt64 = {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("content codings: splits and garbage from seed \(seed)")
    return seed
}()

/// How an input is cut into the pieces that arrive.
enum Feeding: CaseIterable, Sendable {
    case whole, byteByByte, randomly

    func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var generator = SeededGenerator(seed: seed &+ UInt64(bytes.count))
        var rest = bytes[...]
        var pieces: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            let count =
                switch self {
                case .whole: rest.count
                case .byteByByte: 1
                case .randomly: Int.random(in: 1...min(rest.count, 5_000), using: &generator)
                }
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}

extension ContentCoding {
    func encode(_ bytes: [UInt8], options: ContentEncoderOptions = ContentEncoderOptions()) throws -> [UInt8] {
        var encoder = try ContentEncoder(self, options: options, length: bytes.count)
        var output = ByteQueue()
        try encoder.encode(bytes.span.bytes, into: &output)
        try encoder.finish(into: &output)
        return output.bytes.array
    }

    func decode(
        _ bytes: [UInt8], _ feeding: Feeding = .whole, limits: ContentDecodingLimits = ContentDecodingLimits()
    ) throws -> [UInt8] {
        var decoder = try ContentDecoder(self, limits: limits)
        var output = ByteQueue()
        for piece in feeding.pieces(bytes) {
            let used = try decoder.decode(Array(piece).span.bytes, into: &output)
            if used != piece.count { return Array("not all was consumed".utf8) }
        }
        try decoder.finish()
        return output.bytes.array
    }

    /// The violation that decoding ends in; nil if it ends well.
    func violation(
        _ bytes: [UInt8], _ feeding: Feeding = .whole, limits: ContentDecodingLimits = ContentDecodingLimits()
    ) throws -> ContentViolation? {
        do {
            _ = try decode(bytes, feeding, limits: limits)
            return nil
        } catch ContentDecodingError.violation(let violation) {
            return violation
        }
    }
}

func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.utf8.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
}

/// Text that compresses, without a period.
func sampleText(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 7)
    let words = ["the ", "server ", "answers ", "with ", "a ", "page ", "of ", "bytes\n", "<p>", "</p>", "loop "]
    var text: [UInt8] = []
    while text.count < count { text += words[Int.random(in: 0..<words.count, using: &generator)].utf8 }
    return Array(text.prefix(count))
}

func noise(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}
