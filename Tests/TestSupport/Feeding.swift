public import ReactorTesting
public import Testing

/// How input is cut into the pieces in which it arrives.
public enum Feeding: CustomTestStringConvertible, Sendable {
    case whole, byteByByte
    case random(seed: UInt64)

    public static let all: [Feeding] = [.whole, .byteByByte] + (1...8).map { .random(seed: $0) }

    public var testDescription: String {
        switch self {
        case .whole: "whole"
        case .byteByByte: "byte by byte"
        case .random(let seed): "random splits, seed \(seed)"
        }
    }

    public func pieces(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var random: SeededGenerator
        switch self {
        case .whole: return [bytes[...]]
        case .byteByByte: return bytes.indices.map { bytes[$0...$0] }
        case .random(let seed): random = SeededGenerator(seed: seed)
        }
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + Int.random(in: 1...(Bool.random(using: &random) ? 4 : 200), using: &random), bytes.count)
            pieces.append(bytes[start..<end])
            start = end
        }
        return pieces
    }

    public func feed(_ bytes: [UInt8], to driver: TestDriver) {
        for piece in pieces(of: bytes) { driver.receive(Array(piece)) }
    }
}

