import ConnectionHandling
import ReactorProxyProtocol
import ReactorTesting
import Testing

/// Version 2 (section 2.2).
@Suite struct BinaryTests {
    private static func unixAddresses(_ source: String, _ destination: String) -> [UInt8] {
        [source, destination].flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: 108 - $0.utf8.count) }
    }

    @Test(arguments: [
        (UInt8(0x11), ProxyHeader.Transport.stream), (0x12, .datagram),
    ])
    func ipv4(_ family: UInt8, _ transport: ProxyHeader.Transport) throws {
        let header = try parse(binary(0x21, family, binaryAddresses) + Array("behind".utf8))
        #expect(
            header == ProxyHeader(.init(source: clientAddress, destination: listenerAddress, transport: transport)))
    }

    @Test func ipv6() throws {
        let bytes = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 0, count: 15)
            + [1, 0x12, 0x67, 0, 25]
        let header = try parse(binary(0x21, 0x21, bytes))
        #expect(header == ProxyHeader(.init(source: address("[2001:db8::7]:4711"), destination: address("[::1]:25"))))
    }

    @Test func unix() throws {
        let longest = "/" + String(repeating: "x", count: 107)
        for (source, destination) in [("/run/a", "\0abstract\0x"), (longest, ""), ("", longest)] {
            let header = try parse(binary(0x21, 0x31, Self.unixAddresses(source, destination)))
            #expect(header == ProxyHeader(.init(source: .unix(path: source), destination: .unix(path: destination))))
        }
    }

    /// Everything behind LOCAL is skipped, whatever it is; UNSPEC's addresses are not believed.
    @Test func localAndUnspecifiedNameNobody() throws {
        for rest in [[], binaryAddresses, [UInt8](repeating: 0xFF, count: 300)] {
            #expect(try parse(binary(0x20, 0x00, rest)) == .local)
            #expect(try parse(binary(0x20, 0x11, rest)) == .local)
            #expect(try parse(binary(0x20, 0xFF, rest)) == .local)
            for family in [0x00, 0x01, 0x02, 0x10, 0x20, 0x30] as [UInt8] {
                #expect(try parse(binary(0x21, family, rest)) == ProxyHeader(nil))
            }
            let bytes = binary(0x21, 0x00, rest) + [1, 2, 3]
            #expect(try ProxyHeader.parse(bytes.span.bytes)?.length == 16 + rest.count)
        }
    }

    @Test(arguments: [
        (binary(0x11, 0x11, binaryAddresses), .unknownVersion(1)), (binary(0x31, 0x11, binaryAddresses), .unknownVersion(3)),
        (binary(0x01, 0x11, binaryAddresses), .unknownVersion(0)), (binary(0x22, 0x11, binaryAddresses), .unknownCommand(2)),
        (binary(0x2F, 0x11, binaryAddresses), .unknownCommand(15)), (binary(0x21, 0x41, binaryAddresses), .unknownFamily(0x41)),
        (binary(0x21, 0xF1, binaryAddresses), .unknownFamily(0xF1)), (binary(0x21, 0x13, binaryAddresses), .unknownFamily(0x13)),
        (binary(0x21, 0x03, []), .unknownFamily(0x03)), (binary(0x21, 0x11, []), .truncatedAddresses),
        (binary(0x21, 0x11, Array(binaryAddresses.dropLast())), .truncatedAddresses),
        (binary(0x21, 0x11, length: 11, binaryAddresses), .truncatedAddresses),
        (binary(0x21, 0x21, binaryAddresses), .truncatedAddresses),
        (binary(0x21, 0x21, [UInt8](repeating: 0, count: 35)), .truncatedAddresses),
        (binary(0x21, 0x31, [UInt8](repeating: 0, count: 215)), .truncatedAddresses),
        (binary(0x21, 0x11, length: 13, binaryAddresses + [1]), .truncatedTLV),
        (binary(0x21, 0x11, binaryAddresses + [0x04, 0]), .truncatedTLV),
        (binary(0x21, 0x11, binaryAddresses + [0x04, 0, 1]), .truncatedTLV),
        (binary(0x21, 0x11, binaryAddresses + [0x04, 0xFF, 0xFF, 1]), .truncatedTLV),
        (binary(0x21, 0x11, binaryAddresses + [0x04, 0, 0, 0x04]), .truncatedTLV),
        (binary(0x21, 0x11, binaryAddresses + [0x03, 0, 3, 1, 2, 3]), .malformedTLV(.crc32c)),
        (binary(0x21, 0x11, binaryAddresses + [0x03, 0, 4, 1, 2, 3, 4]), .wrongChecksum),
        (binary(0x21, 0x11, binaryAddresses + [0x02, 0, 1, 0xFF]), .malformedTLV(.authority)),
        (binary(0x21, 0x11, binaryAddresses + [0x30, 0, 1, 0xFF]), .malformedTLV(.networkNamespace)),
        (binary(0x21, 0x11, binaryAddresses + [0x05, 0, 129] + [UInt8](repeating: 1, count: 129)), .malformedTLV(.uniqueID)),
        (binary(0x21, 0x11, binaryAddresses + [0x20, 0, 4, 1, 0, 0, 0]), .malformedTLV(.ssl)),
        (binary(0x21, 0x11, binaryAddresses + [0x20, 0, 8, 1, 0, 0, 0, 0, 0x21, 0, 1]), .malformedTLV(.ssl)),
        ([0x0D, 0x0A, 0x0D, 0x0A, 0x0D], .noHeader), ([0x0D, 0x50], .noHeader),
    ] as [([UInt8], ProxyViolation)])
    func whatIsNoHeader(_ bytes: [UInt8], _ violation: ProxyViolation) {
        #expect(throws: violation) { try parse(bytes) }
    }

    /// What is wrong is known as soon as it has come: nobody waits for the rest of it.
    @Test func aLengthPastTheLimitIsRefusedAtOnce() throws {
        #expect(throws: ProxyViolation.tooLong) { try parse(binary(0x21, 0x11, length: 0xFFFF, [])) }
        #expect(throws: ProxyViolation.tooLong) { try parse(binary(0x20, 0x00, length: 4096 - 15, [])) }
        #expect(try parse(binary(0x20, 0x00, length: 4096 - 16, [])) == nil)
        #expect(try parse(binary(0x20, 0x00, [UInt8](repeating: 0, count: 4096 - 16))) == .local)
        #expect(throws: ProxyViolation.unknownFamily(0x41)) { try parse(Array(binary(0x21, 0x41, []).prefix(14))) }
        #expect(throws: ProxyViolation.unknownVersion(1)) { try parse(Array(binary(0x11, 0x11, []).prefix(13))) }
    }

    @Test func aPartOfAHeaderIsNotYetAHeader() throws {
        var header = ProxyHeader.fromClient
        header.tlvs = [.checksum, TLV(.authority, "example.org")]
        let bytes = try header.bytes()
        for count in 0..<bytes.count { #expect(try parse(Array(bytes[..<count])) == nil) }
        #expect(try parse(bytes)?.endpoints == header.endpoints)
    }

    // MARK: TLVs

    @Test func tlvsAreKeptAndTheKnownOnesNamed() throws {
        let ssl = ProxyHeader.SSL(
            client: [.tls, .certificateOnConnection], verify: 7,
            tlvs: [
                TLV(.sslVersion, "TLSv1.3"), TLV(.sslCommonName, "exämple"), TLV(.sslCipher, "AES"),
                TLV(.sslSignatureAlgorithm, "RSA-SHA256"), TLV(.sslKeyAlgorithm, "RSA2048"),
            ])
        var header = ProxyHeader.fromClient
        header.tlvs = [
            TLV(.alpn, "h2"), TLV(.authority, "example.org"), TLV(.noop, [0, 0]), TLV(.uniqueID, [1, 2]), try .ssl(ssl),
            TLV(.networkNamespace, "blue"), TLV(TLV.Kind(rawValue: 0xE7), [9]), TLV(.authority, "second"),
        ]
        let read = try #require(try parse(try header.bytes()))
        #expect(read == header)
        #expect(read.alpn == Array("h2".utf8))
        #expect(read.authority == "example.org")
        #expect(read.uniqueID == [1, 2])
        #expect(read.networkNamespace == "blue")
        #expect(read.ssl == ssl)
        #expect(read.ssl?.version == "TLSv1.3")
        #expect(read.ssl?.commonName == "exämple")
        #expect(read.ssl?.cipher == "AES")
        #expect(read.ssl?.signatureAlgorithm == "RSA-SHA256")
        #expect(read.ssl?.keyAlgorithm == "RSA2048")
        #expect(ProxyHeader.fromClient.ssl == nil)
    }

    /// Against a header whose checksum was computed elsewhere, by another implementation of CRC32C.
    @Test func theChecksumIsVerified() throws {
        var header = ProxyHeader.fromClient
        header.tlvs = [TLV(.noop, []), .checksum, TLV(.alpn, "h2")]
        let bytes = try header.bytes()
        let known: [UInt8] = [0x9C, 0x75, 0xAC, 0x8C]
        #expect(Array(bytes[34..<38]) == known)
        let read = try #require(try parse(bytes))
        #expect(read.tlvs[1].value == known)
        #expect(try read.bytes() == bytes, "what was read is written as it was")
        // All but the byte that says that this is a checksum.
        for index in 14..<bytes.count where index != 31 {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                #expect(throws: ProxyViolation.self) {
                    if try parse(damaged) == nil { throw ProxyViolation.tooLong }  // A longer length: it waits for more.
                }
            }
        }
        header.tlvs = [.checksum, .checksum]
        #expect(try parse(header.bytes())?.tlvs.count == 1)
        let two = try ProxyHeader.fromClient.bytes() + TLV.checksum.wire + TLV.checksum.wire
        #expect(throws: ProxyViolation.self) { try parse(two.withLength) }
    }

    // MARK: Writing

    @Test(arguments: [
        ProxyHeader.fromClient, .local, ProxyHeader(nil),
        ProxyHeader(.init(source: address("[2001:db8::1]:1"), destination: address("[::1]:2"), transport: .datagram)),
        ProxyHeader(.init(source: .unix(path: "/a"), destination: .unix(path: "\0b"))),
        ProxyHeader(.init(source: .unix(path: ""), destination: .unix(path: "\0" + String(repeating: "x", count: 107)))),
    ])
    func whatIsWrittenIsReadBack(_ header: ProxyHeader) throws {
        #expect(try parse(try header.bytes()) == header)
    }

    @Test func mixedFamilies() throws {
        let mixed = ProxyHeader(.init(source: clientAddress, destination: address("[::1]:2")))
        #expect(
            try parse(try mixed.bytes())
                == ProxyHeader(.init(source: address("[::ffff:192.0.2.7]:4711"), destination: address("[::1]:2"))))
        let impossible = ProxyHeader(.init(source: clientAddress, destination: .unix(path: "/a")))
        #expect(try parse(try impossible.bytes()) == ProxyHeader(nil))
    }

    @Test func whatCannotBeSaidIsNotWritten() {
        func header(_ tlvs: [TLV]) -> ProxyHeader { ProxyHeader(ProxyHeader.fromClient.endpoints, tlvs: tlvs) }
        #expect(throws: ProxyHeaderError.tooLong) { try header([TLV(.alpn, [UInt8](repeating: 0, count: 65_536))]).bytes() }
        let most = 65_535 - 12 - 3
        #expect(throws: Never.self) { try header([TLV(.alpn, [UInt8](repeating: 0, count: most))]).bytes() }
        #expect(throws: ProxyHeaderError.tooLong) { try header([TLV(.alpn, [UInt8](repeating: 0, count: most + 1))]).bytes() }
        #expect(throws: ProxyHeaderError.malformedTLV(.uniqueID)) {
            try header([TLV(.uniqueID, [UInt8](repeating: 0, count: 129))]).bytes()
        }
        let long = SocketAddress.unix(path: String(repeating: "x", count: 109))
        #expect(throws: ProxyHeaderError.tooLong) { try ProxyHeader(.init(source: long, destination: long)).bytes() }
    }
}

extension TLV {
    fileprivate var wire: [UInt8] { [kind.rawValue, UInt8(value.count >> 8), UInt8(value.count & 255)] + value }
}

extension [UInt8] {
    /// With the length that the bytes have.
    fileprivate var withLength: [UInt8] {
        var bytes = self
        bytes[14] = UInt8((count - 16) >> 8)
        bytes[15] = UInt8((count - 16) & 255)
        return bytes
    }
}
