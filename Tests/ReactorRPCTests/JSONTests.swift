import ReactorRPC
import Testing

/// The reader and the writer, by way of `echo`.
@Suite struct JSONTests {
    private func echo(_ bytes: [UInt8]) -> String {
        let head = Array(#"{"jsonrpc":"2.0","method":"echo","id":0,"params":["#.utf8)
        let body = post(head + bytes + Array("]}".utf8)).body
        let start = #"{"jsonrpc":"2.0","result":["#
        return body.hasPrefix(start) ? String(body.dropFirst(start.count).dropLast(9)) : body
    }

    @Test(arguments: [
        "0", "-1", "0.0", "-0.5", "1e5", "1E+5", "1e-5", "123456789012345678901234567890", "true", "false", "null", "[]",
        "{}", #""""#, #""a\"\\b""#, #"{"a":{"b":[1,"2",{}]}}"#, #""\n\r\t""#, #""\u0001\u001f""#, #""/é漢😀""#,
    ])
    func whatComesBackUnchanged(_ text: String) {
        #expect(echo(Array(text.utf8)) == text)
    }

    @Test(arguments: [
        (#" [ 1 , 2 ] "#, "[1,2]"), ("\t\r\n{ \"a\" : 1 }", #"{"a":1}"#), (#""\u0041\u00E9\/""#, #""Aé/""#),
        (#""\ud83d\ude00""#, #""😀""#), (#""\b\f""#, #""\u0008\u000c""#), (#""\u0000""#, #""\u0000""#),
        (#"{"a":1,"a":2}"#, #"{"a":1,"a":2}"#),
    ])
    func whatComesBackInItsShortestForm(_ text: String, _ expected: String) {
        #expect(echo(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        "01", "-", "-01", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "True", "nul", "'a'", "[1,]",
        "[,1]", "[1 2]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", "{1:1}", #"""#, #""a"#, #""\x""#, #""\u12""#,
        #""\u123g""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800\ud800""#, "\"\t\"", "\"\n\"", "1]", "}", "//", "\u{0}",
        "[1}", "\u{FEFF}1",
    ])
    func whatIsNotJSON(_ text: String) {
        #expect(echo(Array(text.utf8)) == failure(-32700, "Parse error"))
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC3, 0x22]] as [[UInt8]])
    func whatIsNotUTF8(_ bytes: [UInt8]) {
        #expect(echo(bytes) == failure(-32700, "Parse error"))
    }

    @Test(arguments: ["", " ", "\u{0}", "{", "[", "\"", "t", "-", "{\"a\"", "[1", "{} {}"])
    func truncatedAndEmpty(_ text: String) {
        #expect(post(text) == ok(failure(-32700, "Parse error")))
    }
}
