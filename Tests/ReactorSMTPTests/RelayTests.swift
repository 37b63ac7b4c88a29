import ConnectionHandling
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import Testing

@Suite struct RelayTests {
    @Test("networks", arguments: [
        ("10.0.0.0/8", "10.255.255.255:1", true), ("10.0.0.0/8", "11.0.0.0:1", false),
        ("10.0.0.0/8", "9.255.255.255:1", false), ("10.1.2.3/8", "10.9.9.9:1", true),
        ("192.168.1.1", "192.168.1.1:1", true), ("192.168.1.1", "192.168.1.2:1", false),
        ("192.168.1.0/31", "192.168.1.1:1", true), ("192.168.1.0/31", "192.168.1.2:1", false),
        ("0.0.0.0/0", "1.2.3.4:1", true), ("0.0.0.0/0", "[::1]:1", false),
        ("::1/128", "[::1]:1", true), ("::1", "[::2]:1", false), ("::/0", "[2001:db8::1]:1", true),
        ("::/0", "1.2.3.4:1", false), ("2001:db8::/32", "[2001:db8:ffff::1]:1", true),
        ("2001:db8::/32", "[2001:db9::1]:1", false), ("2001:db8::/65", "[2001:db8:0:0:7fff::1]:1", true),
        ("2001:db8::/65", "[2001:db8:0:0:8000::1]:1", false),
        ("10.0.0.0/8", "[::ffff:10.1.2.3]:1", true), ("10.0.0.0/8", "[::ffff:11.1.2.3]:1", false),
        ("::/0", "[::ffff:11.1.2.3]:1", false), ("::ffff:10.0.0.0/104", "10.1.1.1:1", true),
        ("::ffff:10.0.0.0/104", "[::ffff:11.1.1.1]:1", false), ("0.0.0.0/0", "unix:/x", false),
    ])
    func networks(_ network: String, _ peer: String, _ inside: Bool) throws {
        #expect(try CIDR(parsing: network).contains(SocketAddress(parsing: peer)) == inside)
    }

    @Test("not networks", arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::1/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0/8", "10.0.0.0/8/8",
        "localhost", "::1/99999999999999999999", "10.0.0.0 /8", "[::1]/128",
    ])
    func notNetworks(_ text: String) {
        #expect(throws: CIDRError.self) { try CIDR(parsing: text) }
    }

    @Test("a network's text", arguments: [
        ("10.1.2.3/8", "10.0.0.0/8"), ("::1", "::1/128"), ("2001:db8::5/32", "2001:db8::/32"), ("1.2.3.4", "1.2.3.4/32"),
    ])
    func text(_ given: String, _ shown: String) throws {
        #expect(try CIDR(parsing: given).description == shown)
    }

    @Test("who may relay by default", arguments: [
        ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true),
        ("unix:/x", true), ("10.0.0.1:1", false), ("[2001:db8::1]:1", false), ("[::ffff:10.0.0.1]:1", false),
        ("[::2]:1", false), ("128.0.0.1:1", false),
    ])
    func byDefault(_ peer: String, _ allowed: Bool) throws {
        let session = Session.greeted(peer: try SocketAddress(parsing: peer))
        let codes = session.codes("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<postmaster>\r\n")
        #expect(codes == ["250 2.1.0", allowed ? "250 2.1.5" : "554 5.7.1", "250 2.1.5"])
    }

    @Test func nobodyElseRelaysByTricks() {
        let session = Session.greeted(peer: .ipv4(0x0A00_0001, port: 9))
        session.exchange("MAIL FROM:<a@a.test>\r\n")
        for path in ["<@here.test:b@b.test>", "<\"b@b.test\"@[127.0.0.1]>", "<b%b.test@mx.test>", "<b@[127.0.0.1]>"] {
            #expect(session.codes("RCPT TO:\(path)\r\n") == ["554 5.7.1"], "\(path)")
        }
        #expect(session.codes("DATA\r\n") == ["554 5.5.1"])
    }

    /// What we take for a domain of ours may be a route to anybody, for the server we give it to.
    @Test("local parts that may be routes", arguments: ["b%b.test", "b.test!b", "\"b@b.test\"", "\"b\\@b.test\"", "\"b%b.test\"", "%"])
    func routedRecipients(_ localPart: String) {
        let command = "RCPT TO:<\(localPart)@mx.test>\r\n"
        func code(_ peer: SocketAddress, _ relay: RelayPolicy) -> [String] {
            let session = Session.greeted(peer: peer, relay: relay)
            return session.codes("MAIL FROM:<a@a.test>\r\n" + command)
        }
        let stranger = SocketAddress.ipv4(0x0A00_0001, port: 9)
        var relay = RelayPolicy(allowed: CIDR.loopback, domains: ["mx.test"])
        #expect(code(stranger, relay) == ["250 2.1.0", "554 5.7.1"])
        #expect(code(.loopback(port: 9), relay) == ["250 2.1.0", "250 2.1.5"])
        relay.allowsRoutedRecipients = true
        #expect(code(stranger, relay) == ["250 2.1.0", "250 2.1.5"])
    }

    /// To whoever reads characters, `@` and a mark are one: an address has neither in other words.
    @Test("marks that belong to a sign", arguments: [
        "<\"x@maildir:/tmp/x\"@\u{301}.b.test>", "<x@\u{301}.b.test>", "<x@a.\u{301}.b.test>", "<x@\u{200D}a.b.test>", "<x.\u{301}@b.test>",
        "<\"x\u{301}\"\u{301}@b.test>", "<x!\u{1F3FB}@b.test>",
    ])
    func marks(_ path: String) {
        let session = Session.greeted(peer: .ipv4(0x0A00_0001, port: 9), relay: RelayPolicy(allowed: [], domains: [".b.test", "b.test"]))
        #expect(session.codes("MAIL FROM:<a@a.test> SMTPUTF8\r\nRCPT TO:\(path)\r\n") == ["250 2.1.0", "501 5.1.3"])
        #expect(session.codes("RCPT TO:<e\u{301}@e\u{301}.b.test>\r\n") == ["250 2.1.5"], "a letter may have one")
    }

    @Test func anAllowedNetwork() throws {
        let relay = RelayPolicy(allowed: [try CIDR(parsing: "10.0.0.0/8")])
        let inside = Session.greeted(peer: .ipv4(0x0A00_0001, port: 9), relay: relay)
        #expect(inside.codes("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n") == ["250 2.1.0", "250 2.1.5"])
        let outside = Session.greeted(relay: relay)
        #expect(outside.codes("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n") == ["250 2.1.0", "554 5.7.1"])
    }
}

@Suite struct MailPathTests {
    private func mailbox(_ path: String) -> String? {
        let bytes = Array(path.utf8)
        guard let parsed = try? MailPath.parse(bytes.span.bytes, from: 0), parsed.end == bytes.count else { return nil }
        return String(decoding: bytes[parsed.mailbox], as: UTF8.self)
    }

    @Test("paths", arguments: [
        ("<a@b>", "a@b"), ("<>", ""), ("<Postmaster>", "Postmaster"), ("<a.b.c@d.e>", "a.b.c@d.e"),
        ("<!#$%&'*+-/=?^_`{|}~@x.test>", "!#$%&'*+-/=?^_`{|}~@x.test"), ("<\"\"@x.test>", "\"\"@x.test"),
        ("<\"a b>@\\\"\\\\\"@x.test>", "\"a b>@\\\"\\\\\"@x.test"), ("<@a,@b.c:d@e>", "d@e"), ("<@[1.2.3.4]:d@e>", "d@e"),
        ("<a@[1.2.3.4]>", "a@[1.2.3.4]"), ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        ("<a@[ipv6:::1]>", "a@[ipv6:::1]"), ("<a@[tag:content]>", "a@[tag:content]"), ("<a@1-2.x--y>", "a@1-2.x--y"),
    ])
    func accepted(_ path: String, _ expected: String) { #expect(mailbox(path) == expected) }

    @Test("not paths", arguments: [
        "", "<", ">", "a@b", "<a@b", "a@b>", "<a@b>>", "<a b@c>", "<.a@b>", "<a.@b>", "<a..b@c>", "<a@>", "<@b>", "<a@.b>",
        "<a@b.>", "<a@b..c>", "<a@-b>", "<a@b->", "<a@b_c>", "<a>", "<\"postmaster\">", "<\"a@b>", "<\"a\\\"@b>",
        "<\"a\u{1}\"@b>", "<a@[1.2.3]>", "<a@[1.2.3.256]>", "<a@[IPv6:1.2.3.4]>", "<a@[]>", "<a@[1.2.3.4>", "<a@[:x]>",
        "<a@[tag:]>", "<@a:>", "<@a,b:c@d>", "<@a,:c@d>", "<@a c@d>", "<a\r\n@b>", "<a\u{0}@b>", "<a@b\u{0}>", "< a@b>",
    ])
    func refused(_ path: String) { #expect(mailbox(path) == nil) }

    @Test func lengths() {
        func path(_ local: Int, _ label: Int = 1, _ labels: Int = 1) -> String {
            "<" + String(repeating: "l", count: local) + "@"
                + Array(repeating: String(repeating: "d", count: label), count: labels).joined(separator: ".") + ">"
        }
        #expect(mailbox(path(64)) != nil)
        #expect(mailbox(path(65)) == nil)
        #expect(mailbox(path(1, 63)) != nil)
        #expect(mailbox(path(1, 64)) == nil)
        // 256 in all, brackets included: 1 for each, 1 for "a", 1 for "@", 252 of domain.
        let domain = String(repeating: "d.", count: 125)
        #expect(mailbox("<a@\(domain)dd>") != nil)
        #expect(mailbox("<a@\(domain)ddd>") == nil)
        #expect(mailbox("<@r:a@\(domain)dd>") == nil, "the route counts")
    }
}
