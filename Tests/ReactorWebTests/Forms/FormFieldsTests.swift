import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import Testing

private func parse(_ text: String, limits: FormLimits = .default) throws(FormViolation) -> FormFields {
    try FormFields(parsing: Array(text.utf8).span.bytes, limits: limits)
}

@Suite struct FormFieldsTests {
    /// The WHATWG's rules, and the cases that its tests have.
    @Test(arguments: [
        ("", []),
        ("&", []),
        ("&&a=b&&c=d&", [("a", "b"), ("c", "d")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=a", [("", "a")]),
        ("a=b=c", [("a", "b=c")]),
        ("a+b=c+d", [("a b", "c d")]),
        ("a%20b=%2B%26%3d", [("a b", "+&=")]),
        ("a=%", [("a", "%")]), ("a=%4", [("a", "%4")]), ("a=%zz%41", [("a", "%zzA")]), ("%%41=1", [("%A", "1")]),
        ("n=%C3%A4%E2%82%AC", [("n", "ä€")]),
        ("n=%FF%C3", [("n", "\u{FFFD}\u{FFFD}")]),
        ("n=%00", [("n", "\0")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
    ] as [(String, [(String, String)])])
    func parses(_ text: String, _ expected: [(String, String)]) throws {
        let fields = try parse(text)
        #expect(fields.all == expected.map { FormFields.Field(name: $0.0, value: $0.1) })
    }

    @Test func looksUp() throws {
        let fields = try parse("a=1&b=2&a=3")
        #expect(fields["a"] == "1")
        #expect(fields.values(of: "a") == ["1", "3"])
        #expect(fields["c"] == nil)
    }

    @Test func whatIsEncodedIsRead() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            var fields = FormFields()
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                func text() -> String {
                    let scalars = (0..<Int.random(in: 0...9, using: &generator)).map { _ in
                        ["a", "&", "=", "%", "+", " ", "[", "]", "ä", "€", "\0", "\n", "*", "~"].randomElement(using: &generator) ?? ""
                    }
                    return scalars.joined()
                }
                fields.append(text() + "x", text())
            }
            #expect(try FormFields(parsing: fields.encoded.span.bytes) == fields)
        }
    }

    @Test func theAlphabetIsTheStandards() throws {
        var fields = FormFields()
        fields.append("a b", "*-._~!'()ä")
        #expect(String(decoding: fields.encoded, as: UTF8.self) == "a+b=*-._%7E%21%27%28%29%C3%A4")
    }

    // MARK: Limits

    @Test func atTheLimitAndPastIt() throws {
        var limits = FormLimits()
        limits.bytes = 10
        limits.fields = 3
        limits.name = 4
        #expect(try parse("a=1&b=2&c&", limits: limits).all.count == 3)
        #expect(throws: FormViolation.tooManyFields) { try parse("a&b&c&d", limits: limits) }
        #expect(throws: FormViolation.tooLong) { try parse("a=123456789", limits: limits) }
        #expect(try parse("abcd=1", limits: limits)["abcd"] == "1")
        #expect(throws: FormViolation.nameTooLong) { try parse("abcde=1", limits: limits) }
        #expect(throws: FormViolation.nameTooLong) { try parse("abcde", limits: limits) }
        #expect(FormViolation.tooLong.status == .contentTooLarge)
        #expect(FormViolation.tooManyFields.status == .badRequest)
    }

    @Test func thousandsOfFieldsAreRefusedByDefault() throws {
        let text = { (count: Int) in (0..<count).map { "f\($0)=1" }.joined(separator: "&") }
        #expect(try parse(text(1000)).all.count == 1000)
        #expect(throws: FormViolation.tooManyFields) { try parse(text(1001)) }
        // Separators alone are no fields, and cost a look each.
        #expect(try parse(String(repeating: "&", count: 1 << 20)).all.isEmpty)
    }

    @Test func garbageNeverTraps() {
        var generator = SeededGenerator(seed: 77)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator) : Array("%&=+[]0a".utf8).randomElement(using: &generator) ?? 0
            }
            _ = try? FormFields(parsing: bytes.span.bytes)
            _ = try? FormDecoder().decode([String: [String: String]].self, from: bytes.span.bytes)
        }
    }
}
