import ConnectionHandling
import ReactorProxyProtocol
import ReactorTesting
import Testing

/// Headers damaged at random: nothing traps, and the outcome does not depend on how they are split.
@Suite struct MutationTests {
    private static let headers: [[UInt8]] = {
        var header = ProxyHeader.fromClient
        header.tlvs = [
            .checksum, TLV(.authority, "example.org"), TLV(.uniqueID, [1, 2, 3]),
            TLV(.ssl, [1, 0, 0, 0, 0, 0x21, 0, 7] + Array("TLSv1.3".utf8)),
        ]
        let plain = ProxyHeader(header.endpoints, tlvs: Array(header.tlvs.dropFirst()))
        let unix = ProxyHeader(.init(source: .unix(path: "/a"), destination: .unix(path: "\0b")))
        let line = Array("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.7 4711 25\r\n".utf8)
        return [try? header.bytes(), try? plain.bytes(), try? unix.bytes(), line, lineHeader].compactMap { $0 }
    }()

    private func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes[index] = Array(" \r\n0:.\u{0}".utf8).randomElement(using: &random) ?? 0
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
            default: if bytes.count > 1 { bytes.remove(at: index) }
            }
        }
        return Bool.random(using: &random) ? bytes : Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &random)))
    }

    @Test(arguments: [UInt64](1...40) + [UInt64.random(in: 1_000...UInt64.max)])
    func damagedHeaders(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        #expect(Self.headers.count == 5)
        let proxies = ProxyProtocol(trusting: CIDR.loopback)
        for header in Self.headers {
            for _ in 0..<20 {
                let input = damaged(header, &random) + Array("behind".utf8)
                let outcomes = splits(of: input, seed: random.next()).map { pieces in
                    let log = Log()
                    let driver = TestDriver(ProxyProtocolHandler(proxies) { _ in Inner(log: log) })
                    for piece in pieces { driver.receive(Array(piece)) }
                    return "\(driver.closed.map { "\($0)" } ?? "open") \(log.take().first ?? "") \(driver.takeOutput() as String)"
                }
                #expect(Set(outcomes).count == 1, "seed \(seed): \(input) \(Set(outcomes))")
            }
        }
    }

    @Test(arguments: [UInt64](1...20) + [UInt64.random(in: 1_000...UInt64.max)])
    func whatIsReadCanBeWrittenAndReadAgain(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var read = 0
        for _ in 0..<500 {
            let bytes = damaged(Self.headers[Int.random(in: 1..<5, using: &random)], &random)
            guard let header = try? parse(bytes) else { continue }
            read += 1
            for version in [ProxyHeader.Version.v1, .v2] {
                guard let written = try? header.bytes(version) else { continue }
                let again = try parse(written, limit: 65_551)
                if version == .v2, header.tlvs.allSatisfy({ $0.kind != .crc32c }) { #expect(again == header, "seed \(seed)") }
            }
        }
        #expect(read > 10)
    }
}
