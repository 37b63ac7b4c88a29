import ConnectionHandling
import ReactorDNS
import ReactorWire

func name(_ text: String) -> DomainName { (try? DomainName(parsing: text)) ?? .root }

extension DNSMessage {
    var bytes: [UInt8] {
        var queue = ByteQueue()
        write(to: &queue)
        return queue.bytes.array
    }

    init(_ bytes: [UInt8]) throws(DNSViolation) { try self.init(reading: bytes.span.bytes) }
}

/// Of each type one, with what dig prints for it.
let samples: [(data: RecordData, text: String)] = [
    (.address(.v4(0xC000_0201)), "192.0.2.1"),
    (.address(.v6(high: 0x2001_0DB8_0000_0000, low: 0x0000_0000_0000_0001)), "2001:db8::1"),
    (.mx(preference: 10, exchange: name("mail.example.com")), "10 mail.example.com."),
    (.mx(preference: 0, exchange: .root), "0 ."),
    (.txt([Array("v=spf1 -all".utf8)]), #""v=spf1 -all""#),
    (.txt([Array("a\"b\\c;".utf8), [], [0, 31, 127, 255]]), #""a\"b\\c;" "" "\000\031\127\255""#),
    (.srv(priority: 1, weight: 2, port: 5060, target: name("sip.example.com")), "1 2 5060 sip.example.com."),
    (.ptr(name("host.example.com")), "host.example.com."),
    (.ns(name("ns1.example.com")), "ns1.example.com."),
    (.cname(name("Other.Example.com")), "Other.Example.com."),
    (.caa(flags: 128, tag: Array("issue".utf8), value: Array("ca.example; x=\"y\"".utf8)), #"128 issue "ca.example; x=\"y\"""#),
    (
        .soa(
            StartOfAuthority(
                primary: name("ns1.example.com"), mailbox: name(#"john\.doe.example.com"#), serial: 2_026_010_203, refresh: 7200,
                retry: 900, expire: 1_209_600, minimum: 300)),
        #"ns1.example.com. john\.doe.example.com. 2026010203 7200 900 1209600 300"#
    ),
    (
        .naptr(
            NamingAuthorityPointer(
                order: 100, preference: 10, flags: Array("U".utf8), services: Array("E2U+sip".utf8),
                regularExpression: Array(#"!^(.*)$!sip:\1@example.com!"#.utf8), replacement: .root)),
        #"100 10 "U" "E2U+sip" "!^(.*)$!sip:\\1@example.com!" ."#
    ),
    (.unknown(RecordType(rawValue: 65), [0, 1, 0xAB]), "\\# 3 0001AB"),
    (.unknown(RecordType(rawValue: 65_280), []), "\\# 0"),
]

/// A response with all of them, in every section.
let fullMessage: DNSMessage = {
    let query = DNSMessage(id: 4711, asking: .init(name: name("www.example.com"), type: .a), payloadSize: 1232)
    var message = DNSMessage(answering: query)
    message.isAuthoritative = true
    message.recursionAvailable = true
    message.payloadSize = 4096
    message.answers = samples.map { ResourceRecord(name: name("WWW.example.com"), timeToLive: 3600, data: $0.data) }
    message.authorities = samples.suffix(4).map { ResourceRecord(name: name("example.com"), timeToLive: 60, data: $0.data) }
    message.additionals = [ResourceRecord(name: .root, timeToLive: 1, data: samples[0].data)]
    return message
}()
