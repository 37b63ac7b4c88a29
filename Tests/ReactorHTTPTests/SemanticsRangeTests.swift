import ReactorHTTP
import ReactorWire
import Testing

@Suite struct SemanticsRangeTests {
    @Test(arguments: [
        // RFC 9110 section 14.1.2, for 10,000 bytes.
        ("bytes=0-499", ByteRanges.one(0..<500)), ("bytes=500-999", .one(500..<1000)), ("bytes=-500", .one(9_500..<10_000)),
        ("bytes=9500-", .one(9_500..<10_000)), ("bytes=0-0,-1", .several([0..<1, 9_999..<10_000])),
        ("bytes= 0-999, 4500-5499, -1000", .several([0..<1000, 4_500..<5_500, 9_000..<10_000])),
        ("bytes=500-600,601-999", .several([500..<601, 601..<1000])),
        ("bytes=500-700,601-999", .several([500..<701, 601..<1000])),
        ("Bytes=0-0", .one(0..<1)), ("bytes=,,0-0 ,", .one(0..<1)), ("bytes=0-", .one(0..<10_000)),
        ("bytes=9999-", .one(9_999..<10_000)), ("bytes=9999-99999999999999999999999", .one(9_999..<10_000)),
        ("bytes=-10001", .one(0..<10_000)), ("bytes=-99999999999999999999999", .one(0..<10_000)),
        ("bytes=00000000000000000000001-2", .one(1..<3)),
        // What is not there is left out, as long as something is.
        ("bytes=10000-,0-0", .one(0..<1)), ("bytes=0-0,-0", .one(0..<1)),
        ("bytes=10000-", .unsatisfiable), ("bytes=10000-10001", .unsatisfiable), ("bytes=-0", .unsatisfiable),
        ("bytes=20000-,30000-", .unsatisfiable), ("bytes=99999999999999999999999-", .unsatisfiable),
        // Not to be heeded.
        ("bytes=1-0", .whole), ("bytes=", .whole), ("bytes", .whole), ("", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole),
        ("bytes=0-0,x", .whole), ("bytes=0", .whole), ("bytes=0--1", .whole), ("bytes=+1-2", .whole), ("bytes=1 -2", .whole),
        ("bytes=0-0;1-1", .whole), ("lines=0-1", .whole), ("bytes 0-1", .whole), ("bytes=,", .whole), ("bytes=0-0,2-1", .whole),
        // Longer than the whole, together.
        ("bytes=0-,0-", .whole), ("bytes=0-5000,5000-", .whole), ("bytes=0-,-1", .whole),
    ])
    func resolving(_ field: String, _ expected: ByteRanges) {
        #expect(span(field) { ByteRanges($0, length: 10_000) } == expected)
    }

    @Test(arguments: [("bytes=0-", ByteRanges.unsatisfiable), ("bytes=0-0", .unsatisfiable), ("bytes=-1", .whole), ("bytes=-0", .unsatisfiable)])
    func ofNothing(_ field: String, _ expected: ByteRanges) {
        #expect(span(field) { ByteRanges($0, length: 0) } == expected)
    }

    @Test func asManyAsAllowedAndOneMore() {
        let most = ByteRanges.defaultMost
        let many = (0..<most).map { "\($0 * 2)-\($0 * 2)" }
        let field = "bytes=" + many.joined(separator: ",")
        let expected = (0..<most).map { (index: Int) -> Range<Int> in index * 2..<index * 2 + 1 }
        #expect(span(field) { ByteRanges($0, length: 10_000) } == .several(expected))
        #expect(span(field + ",9000-9000") { ByteRanges($0, length: 10_000) } == .whole)
        // Those that are not there count as well: each was read.
        #expect(span(field + ",20000-") { ByteRanges($0, length: 10_000) } == .whole)
        #expect(span("bytes=0-0,2-2,4-4") { ByteRanges($0, length: 10_000, most: 2) } == .whole)
    }

    @Test func theRangesAttack() {
        let field = "bytes=0-" + (0..<1_300).map { ",5-\($0)" }.joined()
        #expect(span(field) { ByteRanges($0, length: 10_000) } == .whole)
    }

    @Test func garbageNeverTraps() {
        let alphabet = Array("0123456789-,= bytes".utf8)
        for _ in 0..<20_000 {
            let field = "bytes=" + String(decoding: (0..<Int.random(in: 0...20)).map { _ in alphabet.randomElement() ?? 0 }, as: UTF8.self)
            let length = Int.random(in: 0...20)
            let ranges = span(field) { ByteRanges($0, length: length) }
            let all: [Range<Int>] = switch ranges {
            case .one(let range): [range]
            case .several(let ranges): ranges
            case .whole, .unsatisfiable: []
            }
            #expect(all.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= length }, "\(field)")
        }
    }

    /// As in RFC 9110 section 14.6.
    @Test func theFramingOfSeveral() {
        let parts = MultipartRanges([500..<1000, 7000..<8000], length: 8000, contentType: "application/pdf", nonce: 0xABC)
        #expect(parts.mediaType == "multipart/byteranges; boundary=0000000000000abc")
        #expect(
            parts.partHead(0) == "--0000000000000abc\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-999/8000\r\n\r\n")
        #expect(
            parts.partHead(1)
                == "\r\n--0000000000000abc\r\nContent-Type: application/pdf\r\nContent-Range: bytes 7000-7999/8000\r\n\r\n")
        #expect(parts.end == "\r\n--0000000000000abc--\r\n")
        let heads = parts.partHead(0) + parts.partHead(1) + parts.end
        #expect(parts.contentLength == heads.utf8.count + 1500)
        #expect(MultipartRanges([0..<1], length: 1, contentType: "a/b").mediaType != MultipartRanges([0..<1], length: 1, contentType: "a/b").mediaType)
    }
}
