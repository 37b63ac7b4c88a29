import ReactorDNS
import Testing

@testable import ReactorNames

@Suite struct InternationalNameTests {
    @Test(arguments: [
        ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("bu\u{308}cher.example", "xn--bcher-kva.example"), ("bücher.example.", "xn--bcher-kva.example."),
        // Non-transitional: these are letters of their own.
        ("faß.example", "xn--fa-hia.example"), ("βόλος.example", "xn--nxasmm1c.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"), ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"), ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
        // Other dots, and wide letters.
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"), ("ｅｘａｍｐｌｅ.com", "example.com"),
        // A service's label beside it; a label that is an A-label already.
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"), ("xn--bcher-kva.bücher", "xn--bcher-kva.xn--bcher-kva"),
        // ASCII is left as it is.
        ("Example.COM", "Example.COM"), ("_sip._tcp.example", "_sip._tcp.example"), ("a\\.b.example", "a\\.b.example"), ("", ""), (".", "."),
    ])
    func labelsBecomeALabels(_ name: String, _ ascii: String) throws {
        #expect(try InternationalName.asciiForm(of: name) == ascii)
    }

    @Test(arguments: [
        ("\u{378}.example", "an unassigned code point"), ("\u{300}a\u{300}.example", "a combining mark first"),
        ("-ü.example", "a hyphen first"), ("ü-.example", "a hyphen last"), ("üx--a.example", "hyphens third and fourth"), ("♥.example", "a symbol"),
        ("℀.example", "a slash by mapping"), ("ü/.example", "a slash"), ("ü .example", "a space"), ("ü@x.example", "an at"), ("ü\\.example", "a backslash"),
        ("ü\0.example", "a NUL"), ("\u{202E}ü.example", "a change of direction"), ("א1a.example", "two directions"), ("a\u{200D}ü.example", "a joiner out of place"),
        ("xn--a.ü", "an A-label that is none"), (String(repeating: "ü", count: 63) + ".example", "a label too long"),
        (Array(repeating: "bücher", count: 30).joined(separator: "."), "a name too long"), (String(repeating: "ü", count: 100_000), "endless"),
    ])
    func whatNoRegistryMayHoldIsRefused(_ name: String, _ what: String) {
        let error = #expect(throws: DomainNameError.self, "\(what)") { try InternationalName.asciiForm(of: name) }
        #expect("\(error, default: "")".split(separator: "\n").count == 1)
    }

    /// Empty labels are nobody's, in whatever script the rest is, and whatever the dot.
    @Test(arguments: ["ü..example", "\u{FF0E}ü", "ü.\u{3002}example"])
    func emptyLabelsAreRefusedAsInAnyName(_ name: String) {
        #expect(throws: DomainNameError.emptyLabel) { try DomainName(parsing: InternationalName.asciiForm(of: name)) }
    }

    /// At the limit of a name, and one past it.
    @Test func theLongestNameIsTheLongest() throws {
        // 13 characters of A-label, with its dot 14.
        let labels = Array(repeating: "bücher", count: 17).joined(separator: ".")
        let ascii = try InternationalName.asciiForm(of: labels)
        #expect(ascii.utf8.count == 14 * 17 - 1)
        let rest = 253 - ascii.utf8.count - 1
        #expect(try InternationalName.asciiForm(of: labels + "." + String(repeating: "a", count: rest)).utf8.count == 253)
        #expect(throws: DomainNameError.self) {
            let name = try InternationalName.asciiForm(of: labels + "." + String(repeating: "a", count: rest + 1))
            _ = try DomainName(parsing: name)
        }
    }
}
