import ReactorRPC
import Testing

/// The reader and the writer, by way of `echo`.
@Suite struct JSONTests {
    private func echo(_ bytes: [UInt8]) -> String {
        let head = Array(#"{"jsonrpc":"2.0","method":"echo","id":0,"params":["#.utf8)
        let body = post(head + bytes + Array("]}".utf8)).body
        let start = #"{"id":0,"jsonrpc":"2.0","result":["#
        return body.hasPrefix(start) ? String(body.dropFirst(start.count).dropLast(2)) : body
    }

    @Test(arguments: [
        "0", "1", "-1", "-0.5", "0.1", "1e-05", "1e+300", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
        "-9223372036854775809", "18446744073709551615", "123456789012345678901234567890", "1.2345678901234567890123456789", "true", "false", "null", "[]",
        "{}", #""""#, #""a\"\\b""#, #"{"a":{"b":[1,"2",{}]}}"#, #""\n\r\t""#, #""\u0001\u001f""#, #""/é漢😀""#,
    ])
    func whatComesBackUnchanged(_ text: String) {
        #expect(echo(Array(text.utf8)) == text)
    }

    @Test(arguments: [
        (#" [ 1 , 2 ] "#, "[1,2]"), ("\t\r\n{ \"a\" : 1 }", #"{"a":1}"#), (#""\u0041\u00E9\/""#, #""Aé/""#),
        (#""\ud83d\ude00""#, #""😀""#), (#""\b\f""#, #""\u0008\u000c""#), (#""\u0000""#, #""\u0000""#),
        (#"{"b":1,"a":2,"B":3}"#, #"{"B":3,"a":2,"b":1}"#), (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("0.0", "0"), ("-0", "0"), ("1.0", "1"),
        ("1.50", "1.5"), ("1E+5", "100000"), ("1e-400", "0"), ("0.\(String(repeating: "3", count: 400))", "0.\(String(repeating: "3", count: 38))"),
        // Not JSON, but Foundation takes it.
        ("[1,]", "[1]"), (#"{"a":1,}"#, #"{"a":1}"#),
    ])
    func whatComesBackInItsShortestForm(_ text: String, _ expected: String) {
        #expect(echo(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        "01", "-", "-01", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "True", "nul", "'a'", 
        "[,1]", "[1 2]", "{,}", #"{"a"}"#, #"{"a":}"#, "{a:1}", "{1:1}", #"""#, #""a"#, #""\x""#, #""\u12""#,
        #""\u123g""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800\ud800""#, "\"\t\"", "\"\n\"", "1]", "}", "//", "\u{0}",
        "[1}", "\u{FEFF}1", "1e400", "-1e400", "1e99999999999999999999", "[1]//", "/**/1", "\u{c}1", "1\u{0}", #""\u{0}""#,
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
