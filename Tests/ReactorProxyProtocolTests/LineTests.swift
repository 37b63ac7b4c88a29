import ConnectionHandling
import ReactorProxyProtocol
import Testing

/// Version 1 (section 2.1).
@Suite struct LineTests {
    private func parse(_ line: String) throws(ProxyViolation) -> ProxyHeader? {
        try ReactorProxyProtocolTests.parse(Array(line.utf8))
    }

    @Test(arguments: [
        ("TCP4 192.0.2.7 198.51.100.1 4711 25", "192.0.2.7:4711", "198.51.100.1:25"),
        ("TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255:65535", "255.255.255.255:65535"),
        ("TCP4 0.0.0.0 0.0.0.0 0 0", "0.0.0.0:0", "0.0.0.0:0"),
        ("TCP6 2001:db8::1 ::1 1 2", "[2001:db8::1]:1", "[::1]:2"),
        ("TCP6 2001:DB8:0:0:0:0:0:A ::FFFF:192.0.2.7 1 2", "[2001:db8::a]:1", "[::ffff:192.0.2.7]:2"),
    ])
    func addresses(_ line: String, _ source: String, _ destination: String) throws {
        let header = try parse("PROXY \(line)\r\nbehind")
        #expect(header == ProxyHeader(.init(source: address(source), destination: address(destination))))
    }

    @Test(arguments: ["", " ", " TCP4 x", " ffff::1 anything at all \u{7}"])
    func unknownNamesNobody(_ rest: String) throws {
        #expect(try parse("PROXY UNKNOWN\(rest)\r\n") == ProxyHeader(nil))
    }

    @Test func aLineMayHave107BytesAndNoMore() throws {
        let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 107 - 16) + "\r\n"
        #expect(longest.utf8.count == 107)
        #expect(try parse(longest) == ProxyHeader(nil))
        #expect(throws: ProxyViolation.tooLong) { try parse("PROXY UNKNOWN x" + longest.dropFirst(14)) }
        // CRLF is one Character.
        #expect(try parse(String(longest.dropLast())) == nil)
        #expect(throws: ProxyViolation.tooLong) { try parse(longest.dropLast() + "xx") }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", .noHeader), ("PROXX TCP4", .noHeader), ("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", .noHeader),
        ("PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", .noHeader), ("\0", .noHeader), (" PROXY", .noHeader),
        ("PROXY \r\n", .malformedLine), ("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", .malformedLine),
        ("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", .malformedLine), ("PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", .malformedLine),
        ("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", .malformedLine), ("PROXY unknown\r\n", .malformedLine),
        ("PROXY UNKNOWNX\r\n", .malformedLine), ("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", .malformedLine),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", .malformedLine), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", .malformedLine),
        ("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", .malformedLine), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", .malformedLine),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n", .malformedLine), ("PROXY TCP4 1.2.3.4\r1.2.3.4 1 2\r\n", .malformedLine),
        ("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", .malformedAddress), ("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", .malformedAddress),
        ("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", .malformedAddress), ("PROXY TCP4 ::1 ::1 1 2\r\n", .malformedAddress),
        ("PROXY TCP4 1.2.3.4 1.2.3.4\0x 1 2\r\n", .malformedAddress), ("PROXY TCP4 1.2.3.4 +1.2.3.4 1 2\r\n", .malformedAddress),
        ("PROXY TCP6 1.2.3.4 ::1 1 2\r\n", .malformedAddress), ("PROXY TCP6 ::1%eth0 ::1 1 2\r\n", .malformedAddress),
        ("PROXY TCP6 [::1] ::1 1 2\r\n", .malformedAddress), ("PROXY TCP6 ::1\0 ::1 1 2\r\n", .malformedAddress),
        ("PROXY TCP6 1::2::3 ::1 1 2\r\n", .malformedAddress), ("PROXY TCP6 12345::1 ::1 1 2\r\n", .malformedAddress),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", .malformedPort), ("PROXY TCP4 1.2.3.4 1.2.3.4 1 00\r\n", .malformedPort),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", .malformedPort), ("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", .malformedPort),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", .malformedPort), ("PROXY TCP4 1.2.3.4 1.2.3.4 1x 2\r\n", .malformedPort),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 99999999999999999999 2\r\n", .malformedPort),
    ] as [(String, ProxyViolation)])
    func whatIsNoLine(_ line: String, _ violation: ProxyViolation) {
        #expect(throws: violation) { try parse(line) }
    }

    @Test func aPartOfALineIsNotYetAHeader() throws {
        for count in 0..<lineHeader.count {
            #expect(try ReactorProxyProtocolTests.parse(Array(lineHeader[..<count])) == nil)
        }
        #expect(try ReactorProxyProtocolTests.parse(lineHeader) == .fromClient)
    }

    @Test(arguments: [
        (ProxyHeader.fromClient, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"),
        (
            ProxyHeader(.init(source: address("[2001:db8::1]:1"), destination: address("[fe80::1%1]:2"))),
            "PROXY TCP6 2001:db8::1 fe80::1 1 2\r\n"
        ),
        (
            ProxyHeader(.init(source: clientAddress, destination: address("[::1]:2"))),
            "PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 2\r\n"
        ),
        (ProxyHeader(.init(source: clientAddress, destination: listenerAddress, transport: .datagram)), "PROXY UNKNOWN\r\n"),
        (ProxyHeader(.init(source: .unix(path: "/a"), destination: .unix(path: "/b"))), "PROXY UNKNOWN\r\n"),
        (ProxyHeader(.init(source: clientAddress, destination: .unix(path: "/b"))), "PROXY UNKNOWN\r\n"),
        (ProxyHeader.local, "PROXY UNKNOWN\r\n"), (ProxyHeader(nil), "PROXY UNKNOWN\r\n"),
    ])
    func lines(_ header: ProxyHeader, _ line: String) throws {
        #expect(String(decoding: try header.bytes(.v1), as: UTF8.self) == line)
    }
}
