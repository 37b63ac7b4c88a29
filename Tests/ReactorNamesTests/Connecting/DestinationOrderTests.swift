import ConnectionHandling
import Glibc
import ReactorTesting
import Testing

@testable import ReactorNames

/// RFC 6724 section 6, by its own examples (section 10.1 and 10.2) and a few more.
@Suite struct DestinationOrderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// `destination < source`, in the order wanted; `-` for no route.
        let wanted: [String]

        init(_ description: String, _ wanted: String...) {
            testDescription = description
            self.wanted = wanted
        }
    }

    static let cases: [Case] = [
        // Section 10.2
        Case("prefer matching scope", "2001:db8:1::1 < 2001:db8:1::2", "198.51.100.121 < 169.254.13.78"),
        Case("prefer matching scope, the other way", "198.51.100.121 < 198.51.100.117", "2001:db8:1::1 < fe80::1"),
        Case("prefer higher precedence", "2001:db8:1::1 < 2001:db8:1::2", "10.1.2.3 < 10.1.2.4"),
        Case("prefer smaller scope", "fe80::1 < fe80::2", "2001:db8:1::1 < 2001:db8:1::2"),
        Case("prefer matching label", "2002:c633:6401::1 < 2002:c633:6401::2", "2001:db8:1::1 < 2002:c633:6401::2"),
        Case("prefer higher precedence, of two that match", "2001:db8:1::1 < 2001:db8:1::2", "2002:c633:6401::1 < 2002:c633:6401::2"),
        // Rules one by one
        Case("avoid unusable destinations", "10.0.0.1 < 10.0.0.2", "2001:db8::1 < -"),
        Case("the loopback before all", "::1 < ::1", "127.0.0.1 < 127.0.0.1"),
        Case("IPv4 before unique local addresses", "10.0.0.1 < 10.0.0.2", "fd00::1 < fd00::2"),
        Case("unique local addresses where they match", "fd00::1 < fd00::2", "2001:db8::1 < fd00::2"),
        Case("IPv4 before 6to4", "198.51.100.1 < 198.51.100.2", "2002:c633:6401::1 < 2002:c633:6401::2"),
        Case("6to4 before Teredo", "2002:c633:6401::1 < 2002:c633:6401::2", "2001::1 < 2001::2"),
        Case("native before site-local and 6bone", "2001:db8::1 < 2001:db8::2", "fec0::1 < fec0::2"),
        Case("longest matching prefix", "2001:db8:1::1 < 2001:db8:1::9", "2001:db8:2::1 < 2001:db8:1::9", "2001:eee::1 < 2001:db8:1::9"),
        Case("an address mapped into IPv6 is an IPv4 one", "2001:db8::1 < 2001:db8::2", "::ffff:10.0.0.1 < ::ffff:10.0.0.2"),
    ]

    private func destination(_ text: String) throws -> Destination {
        let parts = text.split(separator: " < ").map(String.init)
        return Destination(
            try #require(SocketAddress(literalHost: parts[0], port: 80)), from: SocketAddress(literalHost: parts[1], port: 0))
    }

    /// From whatever order they come in.
    @Test(arguments: cases)
    func theOrderIsTheRFCs(_ item: Case) throws {
        let wanted = try item.wanted.map(destination)
        #expect(Destination.sorted(wanted) == wanted)
        #expect(Destination.sorted(wanted.reversed()) == wanted)
    }

    /// Rule 10, and rule 9 for IPv6 only: a server's order spreads its clients. Nor does the interface's half of an address say
    /// anything.
    @Test(arguments: [
        ["10.9.9.9 < 10.0.0.1", "10.0.0.2 < 10.0.0.1", "192.0.2.1 < 10.0.0.1"],
        ["2001:db8::ffff < 2001:db8::1", "2001:db8::2 < 2001:db8::1"],
        ["2001:db8::2 < -", "10.0.0.2 < -", "10.0.0.1 < -"],
    ])
    func whatNoRuleTellsApartStaysAsItWas(_ item: [String]) throws {
        let given = try item.map(destination)
        #expect(Destination.sorted(given) == given)
    }

    /// Sorting is by one order of all: wherever each stood before, what comes out is the same.
    @Test(arguments: 0..<10)
    func theOrderIsOne(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sources = ["2001:db8::9", "fe80::9", "fd00::9", "2002::9", "10.0.0.9", "169.254.0.9", "127.0.0.1", "-"]
        let targets = ["2001:db8::1", "2001:ee::1", "fe80::1", "fd00::1", "2002::1", "2001::1", "::1", "10.0.0.1", "169.254.0.1", "127.0.0.1"]
        let all = try targets.map { try destination("\($0) < \(sources.randomElement(using: &random) ?? "-")") }
        let ranks = all.map { DestinationRank($0, position: 0) }
        for left in ranks {
            for right in ranks {
                #expect([left < right, right < left, left == right].count { $0 } == 1)
                for third in ranks where left < right && right < third { #expect(left < third) }
            }
        }
    }

    @Test func theSystemSaysFromWhere() throws {
        #expect(SocketAddress.source(for: .ipv4(0x7F00_0002, port: 80))?.host == "127.0.0.1")
        #expect(SocketAddress.source(for: .ipv6(high: 0, low: 1, port: 80))?.host == "::1")
        // By an interface that is not there.
        #expect(SocketAddress.source(for: .ipv6(high: 0xFE80 << 48, low: 1, port: 80, scope: 999_999)) == nil)
        #expect(SocketAddress.source(for: .unix(path: "/nowhere")) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7"), ("[::1]", "[::1]:7"), ("fe80::1%1", "[fe80::1%1]:7"), ("[fe80::1%1]", "[fe80::1%1]:7"),
        ("localhost", nil), ("example.com", nil), ("", nil), ("127.1", nil), ("1.2.3.4.", nil), ("[127.0.0.1]", nil), ("[::1", nil),
        ("::1]", nil), ("*", nil), ("a:b", nil), ("unix:/x", nil), ("::1]:80", nil), ("::1%", nil), ("[]", nil), ("1.2.3.4:5", nil),
    ] as [(String, String?)])
    func literalsAreTakenAsTheyAre(_ host: String, _ address: String?) {
        #expect(SocketAddress(literalHost: host, port: 7).map { "\($0)" } == address)
    }
}
