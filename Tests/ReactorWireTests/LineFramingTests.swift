import ReactorWire
import Testing

@Suite struct LineFramingTests {
    private func next(_ text: String, limit: Int = 20) -> LineFraming.Result {
        var framing = LineFraming(limit: limit)
        return framing.next(in: Array(text.utf8).span.bytes)
    }

    @Test func aLineEndsInCRLF() {
        #expect(next("QUIT\r\nNOOP\r\n") == .line(0..<4, next: 6))
        #expect(next("\r\n") == .line(0..<0, next: 2))
        #expect(next("QUIT") == .incomplete)
        #expect(next("QUIT\r") == .incomplete)
        #expect(next("") == .incomplete)
    }

    @Test func bareLineBreaksAreReported() {
        #expect(next("QUIT\nNOOP\r\n") == .bareLineBreak(next: 5))
        #expect(next("\n") == .bareLineBreak(next: 1))
        #expect(next("A\rB\r\n") == .bareLineBreak(next: 5))
        #expect(next("A\r\r\n") == .bareLineBreak(next: 4))
    }

    @Test func theLimitCountsTheLineBreak() {
        #expect(next("12345678\r\n", limit: 10) == .line(0..<8, next: 10))
        #expect(next("123456789\r\n", limit: 10) == .tooLong)
        #expect(next("123456789", limit: 10) == .incomplete)
        #expect(next("1234567890", limit: 10) == .tooLong)
    }

    @Test func aLineThatArrivesByteByByteIsFoundOnce() {
        var framing = LineFraming(limit: 100)
        let text = Array("EHLO example.org\r\n".utf8)
        for count in 0..<text.count {
            #expect(framing.next(in: Array(text[..<count]).span.bytes) == .incomplete)
        }
        #expect(framing.next(in: text.span.bytes) == .line(0..<16, next: 18))
    }

    @Test func numbersAreDigitsOnly() {
        #expect(Array("0".utf8).span.bytes.decimal == 0)
        #expect(Array("9223372036854775807".utf8).span.bytes.decimal == Int.max)
        for wrong in ["", "-1", "+1", " 1", "1 ", "9223372036854775808", "99999999999999999999", "0x10", "1e3"] {
            #expect(Array(wrong.utf8).span.bytes.decimal == nil, "\(wrong)")
        }
    }
}
