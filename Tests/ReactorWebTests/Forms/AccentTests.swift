import ReactorWire
import Testing

@testable import ReactorWeb

/// Strings of many accents on one letter: what makes their canonical form takes quadratic time, so nothing may.
@Suite struct AccentTests {
    /// In debug builds as well, comparing this with `==` takes half a minute.
    private let accents = "t" + String(repeating: "\u{301}\u{316}", count: 48_000)

    private struct Choice: Decodable { var isOn: Bool }

    @Test func aTruthIsNoLongStory() throws {
        var fields = FormFields()
        fields.append("isOn", accents)
        let duration = ContinuousClock().measure {
            #expect(throws: DecodingError.self) { try FormDecoder().decode(Choice.self, from: fields) }
        }
        #expect(duration < .seconds(8))
    }

    /// The same letter in two forms is two names.
    @Test func namesAreBytes() throws {
        let fields = try FormFields(parsing: Array("%C3%A9=1&e%CC%81=2".utf8).span.bytes)
        #expect(fields["e\u{301}"] == "2" && fields["\u{E9}"] == "1")
        #expect(fields.values(of: "e\u{301}") == ["2"])
        var cookies = Cookies()
        try cookies.add(Array("\u{E9}=1; e\u{301}=2".utf8).span.bytes)
        #expect(cookies["e\u{301}"] == "2" && cookies["\u{E9}"] == "1")
    }
}
