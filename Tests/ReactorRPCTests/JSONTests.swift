import ReactorRPC
import ReactorTesting
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
        "-9223372036854775809", "18446744073709551615", "123456789012345678901234567890", "1.2345678901234567890123456789",
        "true", "false", "null", "[]", "{}", #""""#, #""a\"\\b""#, #"{"a":{"b":[1,"2",{}]}}"#, #""\n\r\t""#, #""\u0001\u001f""#, #""/é漢😀""#,
    ])
    func whatComesBackUnchanged(_ text: String) {
        #expect(echo(Array(text.utf8)) == text)
    }

    @Test(arguments: [
        (#" [ 1 , 2 ] "#, "[1,2]"), ("\t\r\n{ \"a\" : 1 }", #"{"a":1}"#), (#""\u0041\u00E9\/""#, #""Aé/""#),
        (#""\ud83d\ude00""#, #""😀""#), (#""\u0008\u000C""#, #""\b\f""#), (#""\u0000""#, #""\u0000""#),
        (#"{"b":1,"a":2,"B":3}"#, #"{"B":3,"a":2,"b":1}"#), (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("0.0", "0"), ("-0", "0"), ("1.0", "1"),
        ("1.50", "1.5"), ("1E+5", "100000"), ("1e-400", "0"),
        ("0.\(String(repeating: "3", count: 30))", "0.\(String(repeating: "3", count: 30))"),
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

    @Test func aByteOrderMarkIsPassed() {
        #expect(post("\u{FEFF}[]") == ok(failure(-32600, "Invalid Request")))
    }

    /// One to three bytes of good JSON changed at random: whatever Foundation makes of it, the answer is one of JSON-RPC.
    @Test func whatIsAlmostJSON() {
        let good = Array(#"{"jsonrpc":"2.0","method":"echo","params":[{"a":[1,-2.5e3,true,null]},"\ud83d\ude00é"],"id":18446744073709551615}"#.utf8)
        let bytes = Array(#"[]{}":,\/eE+-.09ut"#.utf8) + [0x00, 0x0A, 0x1F, 0x80, 0xC3, 0xED, 0xEF, 0xF4, 0xFE, 0xFF]
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            var text = good
            for _ in 0...random.next(upperBound: UInt64(3)) {
                text[Int(random.next(upperBound: UInt64(text.count)))] = bytes[Int(random.next(upperBound: UInt64(bytes.count)))]
            }
            let answer = post(text)
            let isAnswer = answer == nothing || answer.status == "200 OK" && answer.body.contains(#""jsonrpc":"2.0""#)
            #expect(isAnswer, "seed \(seed): \(text)")
        }
    }

    @Test(arguments: ["", " ", "\u{0}", "{", "[", "\"", "t", "-", "{\"a\"", "[1", "{} {}"])
    func truncatedAndEmpty(_ text: String) {
        #expect(post(text) == ok(failure(-32700, "Parse error")))
    }
}
