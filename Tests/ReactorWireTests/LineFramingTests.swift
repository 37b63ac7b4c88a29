import ReactorWire
import Testing

@Suite struct LineFramingTests {
    private func next(_ text: String, limit: Int = 20) throws -> Frame? {
        var framing = LineFraming(limit: limit)
        return try framing.next(in: Array(text.utf8).span.bytes)
    }

    @Test func aLineEndsInCRLF() throws {
        #expect(try next("QUIT\r\nNOOP\r\n") == Frame(payload: 0..<4, next: 6))
        #expect(try next("\r\n") == Frame(payload: 0..<0, next: 2))
        #expect(try next("QUIT") == nil)
        #expect(try next("QUIT\r") == nil)
        #expect(try next("") == nil)
    }

    @Test(arguments: [("QUIT\nNOOP\r\n", 5), ("\n", 1), ("A\rB\r\n", 5), ("A\r\r\n", 4)])
    func bareLineBreaksAreReported(_ text: String, _ following: Int) {
        #expect(throws: LineFraming.Violation.bareLineBreak(next: following)) { try next(text) }
    }

    @Test func theLimitCountsTheLineBreak() throws {
        #expect(try next("12345678\r\n", limit: 10) == Frame(payload: 0..<8, next: 10))
        #expect(throws: LineFraming.Violation.tooLong) { try next("123456789\r\n", limit: 10) }
        #expect(try next("123456789", limit: 10) == nil)
        #expect(throws: LineFraming.Violation.tooLong) { try next("1234567890", limit: 10) }
    }

    @Test func aLineThatArrivesByteByByteIsFoundOnce() throws {
        var framing = LineFraming(limit: 100)
        let text = Array("EHLO example.org\r\n".utf8)
        for count in 0..<text.count {
            #expect(try framing.next(in: Array(text[..<count]).span.bytes) == nil)
        }
        #expect(try framing.next(in: text.span.bytes) == Frame(payload: 0..<16, next: 18))
    }

    @Test func numbersAreDigitsOnly() {
        #expect(Array("0".utf8).span.bytes.decimal == 0)
        #expect(Array("9223372036854775807".utf8).span.bytes.decimal == Int.max)
        for wrong in ["", "-1", "+1", " 1", "1 ", "9223372036854775808", "99999999999999999999", "0x10", "1e3"] {
            #expect(Array(wrong.utf8).span.bytes.decimal == nil, "\(wrong)")
        }
    }
}
