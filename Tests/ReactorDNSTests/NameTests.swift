import ConnectionHandling
import ReactorDNS
import Testing

@Suite struct NameTests {
    @Test(arguments: [
        ("example.com", "example.com."), ("Example.COM.", "Example.COM."), (".", "."), (#"a\.b.c"#, #"a\.b.c."#),
        (#"\065\000.x"#, #"A\000.x."#), (#"sp\032ace"#, #"sp\032ace."#), (#"\@\$\"\(\)\;\\"#, #"\@\$\"\(\)\;\\."#),
        ("_sip._udp.x", "_sip._udp.x."), (#"\255"#, #"\255."#), ("1.2.3.4", "1.2.3.4."),
    ])
    func namesArePrintedAsTheyAreRead(_ text: String, _ printed: String) throws {
        let name = try DomainName(parsing: text)
        #expect(name.description == printed)
        #expect(try DomainName(parsing: printed) == name)
        #expect(try DomainName(labels: name.labels) == name)
    }

    @Test(arguments: [
        ("", DomainNameError.empty), ("a..b", .emptyLabel), (".a", .emptyLabel), ("..", .emptyLabel), (#"a\"#, .badEscape),
        (#"\25"#, .badEscape), (#"\256"#, .badEscape), (#"\2x5"#, .badEscape), ("ü.de", .notASCII), (#"\ü"#, .notASCII),
    ])
    func whatIsNoNameIsRefused(_ text: String, _ error: DomainNameError) {
        #expect(throws: error) { try DomainName(parsing: text) }
    }

    @Test func lengthsAreLimited() throws {
        let label = String(repeating: "a", count: 63)
        #expect(try DomainName(parsing: label).labels.first?.count == 63)
        #expect(throws: DomainNameError.labelTooLong) { try DomainName(parsing: label + "a") }
        // Three labels of 63, one of 61, their lengths and the root's: 255.
        let longest = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        let name = try DomainName(parsing: longest)
        #expect(name.labels.count == 4)
        #expect(throws: DomainNameError.nameTooLong) { try DomainName(parsing: longest + "b") }
        #expect(throws: DomainNameError.nameTooLong) { try name.appending(DomainName(parsing: "x")) }
        #expect(try name.appending(.root) == name)
        #expect(throws: DomainNameError.nameTooLong) { try DomainName(parsing: String(repeating: "a.", count: 128)) }
        #expect(try DomainName(parsing: String(repeating: "a.", count: 127)).labels.count == 127)
    }

    @Test func caseDoesNotCount() {
        #expect(name("WWW.Example.com") == name("www.eXample.COM"))
        #expect(Set([name("A.b"), name("a.B"), name("c.b")]).count == 2)
        // Only letters: these differ in the same bit.
        #expect(name("[.x") != name("{.x"))
        #expect(name("a.b") != name(#"a\.b"#))
    }

    @Test func aNameKnowsItsParents() {
        #expect(name("a.b.c").isWithin(name("B.c")))
        #expect(name("b.c").isWithin(name("b.c")))
        #expect(name("b.c").isWithin(.root))
        #expect(!name("ab.c").isWithin(name("b.c")))
        #expect(!name("c").isWithin(name("b.c")))
        // The bytes of the name end like the other's, though not at a label.
        #expect(!name(#"x\001b.c"#).isWithin(name("b.c")))
    }

    @Test func addressesHaveReverseNames() {
        #expect(IPAddress(parsing: "192.0.2.1")?.reverseName == name("1.2.0.192.in-addr.arpa"))
        let reversed = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"
        #expect(IPAddress(parsing: "4321:0:1:2:3:4:567:89ab")?.reverseName == name(reversed))
        #expect(IPAddress(parsing: "::1")?.socketAddress(port: 53).description == "[::1]:53")
        #expect(IPAddress(parsing: "localhost") == nil && IPAddress(parsing: "1.2.3") == nil)
        #expect(IPAddress(parsing: "127.0.0.1\0.test") == nil && IPAddress(parsing: "::1\0") == nil)
    }

    @Test(arguments: [
        ("MX", RecordType.mx), ("mx", .mx), ("Aaaa", .aaaa), ("TYPE65", RecordType(rawValue: 65)), ("type1", .a),
        ("NAPTR", .naptr), ("CAA", .caa),
    ])
    func typesAreRead(_ text: String, _ type: RecordType) {
        #expect(RecordType(parsing: text) == type)
        #expect(RecordType(parsing: type.description) == type)
    }

    @Test(arguments: ["", "X", "TYPE", "TYPE65536", "TYPE+1", "TYPE-1", "OPT", "A "])
    func otherTypesAreNone(_ text: String) { #expect(RecordType(parsing: text) == nil) }
}
