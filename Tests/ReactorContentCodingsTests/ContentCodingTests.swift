import ReactorContentCodings
import Testing

@Suite struct ContentCodingTests {
    @Test func names() { #expect(ContentCoding(rawValue: "br") == .br) }
}
