import HTTPTestSupport
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorHTTP

/// The searches that take eight bytes a step find what a loop over the bytes finds.
@Suite struct ByteScanningTests {
    /// Mostly of what heads are made of, and of what stands at the edges of the classes.
    private static func bytes(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
        let edges: [UInt8] = [0, 8, 9, 10, 13, 31, 32, 33, 35, 45, 46, 47, 48, 57, 58, 63, 64, 65, 90, 91, 96, 97, 122, 123, 126, 127, 128, 255]
        return (0..<count).map { _ in
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: edges.randomElement(using: &generator) ?? 0
            case 1: UInt8.random(in: 0...255, using: &generator)
            default: UInt8.random(in: 97...122, using: &generator)
            }
        }
    }

    @Test func everySearchFindsWhatALoopFinds() {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let bytes = Self.bytes(Int.random(in: 0...40, using: &generator), using: &generator)
            let end = Int.random(in: 0...bytes.count, using: &generator)
            let start = Int.random(in: 0...end, using: &generator)
            func loop(_ stops: (UInt8) -> Bool) -> Int { (start..<end).first { stops(bytes[$0]) } ?? end }
            let span = bytes.span.bytes
            #expect(span.firstControl(from: start, to: end) == loop(ByteClass.isControl), "\(bytes) \(start) \(end)")
            #expect(span.endOfToken(from: start, to: end) == loop { !ByteClass.isToken($0) }, "\(bytes) \(start) \(end)")
            for mark in [UInt8(ascii: "?"), UInt8(ascii: " ")] {
                #expect(
                    span.endOfTarget(from: start, to: end, orAt: mark) == loop { !ByteClass.isTarget($0) || $0 == mark },
                    "\(bytes) \(start) \(end)")
            }
            // It may stop before, where fewer than eight bytes are left; not behind.
            let host = loop { !(ByteClass.isToken($0) && ByteClass.isHost($0) && !"!$&'*+_~".utf8.contains($0)) || $0 == UInt8(ascii: "%") }
            let found = span.endOfCommonHost(from: start, to: end)
            #expect(found <= host && (found == host || found + 8 > bytes.count), "\(bytes) \(start) \(end)")
        }
    }

    /// Each byte of each place in a keyword is tried.
    @Test(arguments: ["host", "expect", "keep-alive", "connection", "content-length", "transfer-encoding"])
    func aKeywordIsHeldInEitherCaseAndNothingElseIs(_ keyword: String) {
        for index in 0..<keyword.utf8.count {
            for byte in UInt8(0x20)...0xFF where byte != 0x7F {
                var bytes = Array(keyword.utf8)
                let letter = bytes[index]
                bytes[index] = byte
                let same = byte == letter || (letter >= 97 && letter <= 122 && byte == letter - 32)
                let padded = [0x58] + bytes
                let held =
                    switch keyword {
                    case "host": padded.span.bytes.holds("host", at: 1)
                    case "expect": padded.span.bytes.holds("expect", at: 1)
                    case "keep-alive": padded.span.bytes.holds("keep-alive", at: 1)
                    case "connection": padded.span.bytes.holds("connection", at: 1)
                    case "content-length": padded.span.bytes.holds("content-length", at: 1)
                    default: padded.span.bytes.holds("transfer-encoding", at: 1)
                    }
                #expect(held == same, "\(bytes)")
            }
        }
    }

    @Test(arguments: [
        ("", true), ("a", true), ("a.b-c", true), ("a:80", true), ("a:", true), ("[::1]", true), ("[::1]:80", true), ("a:8x", false),
        ("a_b", true), ("a b", false), ("www.example.com:8080", true), ("www.example.com:80/0", false), ("a@b", false), ("1:2:3", true),
        ("é", false), ("a/b", false),
    ])
    func hosts(_ text: String, _ isOne: Bool) {
        for padding in ["", "behind it"] {
            let bytes = Array((text + padding).utf8)
            #expect(isHost(0..<text.utf8.count, of: bytes.span.bytes) == isOne)
        }
    }
}
