import ConnectionHandling
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1:80", SocketAddress.ipv4(0x7F00_0001, port: 80)),
        ("localhost:1", .ipv4(0x7F00_0001, port: 1)),
        ("*:65535", .ipv4(0, port: 65_535)),
        ("[::1]:80", .ipv6(high: 0, low: 1, port: 80)),
        ("[fe80::1%lo]:80", .ipv6(high: 0xFE80 << 48, low: 1, port: 80, scope: 1)),
        ("[fe80::1%7]:80", .ipv6(high: 0xFE80 << 48, low: 1, port: 80, scope: 7)),
        ("unix:/run/x.sock", .unix(path: "/run/x.sock")),
        ("unix:@name", .unix(path: "\0name")),
        ("unix:./@name", .unix(path: "./@name")),
    ])
    func reads(_ text: String, _ address: SocketAddress) throws {
        let parsed = try SocketAddress(parsing: text)
        #expect(parsed == address)
        // What it prints is read back as the same, and so is what the system hands back.
        #expect(try SocketAddress(parsing: parsed.description) == address)
    }

    @Test(arguments: [
        "", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:+80", "127.0.0.1:65536", "256.0.0.1:80", "example.org:80",
        "[::1]", "[::1%]:80", "[::1%nosuchinterface]:80", "[::g]:80", "::1:80", "unix:", "unix:@", "unix:a\0b", "127.0.0.1\0:80", "[::1\0]:80", "[fe80::1%lo\0]:80",
        "unix:/" + String(repeating: "x", count: 107), "unix:@" + String(repeating: "x", count: 108),
    ])
    func refuses(_ text: String) {
        #expect(throws: SocketAddressError.self) { try SocketAddress(parsing: text) }
    }

    @Test func takesTheLongestUnixNames() throws {
        #expect(try SocketAddress(parsing: "unix:/" + String(repeating: "x", count: 106)).isUnix)
        #expect(try SocketAddress(parsing: "unix:@" + String(repeating: "x", count: 107)).isAbstract)
    }

    @Test func aMappedAddressIsTheIPv4AddressThatItIs() throws {
        #expect(try SocketAddress(parsing: "[::ffff:192.0.2.1]:9").unmapped.description == "192.0.2.1:9")
        #expect(try SocketAddress(parsing: "[::1]:9").unmapped.description == "[::1]:9")
    }
}
