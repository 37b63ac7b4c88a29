import ConnectionHandling
import Foundation
import Glibc
import ReactorTLS
import ReactorTesting
import ReactorWire
import Testing

/// What ten thousand handshakes leave behind: nothing.
@Suite(.serialized, .timeLimit(.minutes(40))) struct LeakTests {
    /// Bytes of memory that the process has in use.
    private var resident: Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }

    /// Others run meanwhile, so the growth that counts is the least of several rounds.
    private func growth(rounds: Int, _ body: () throws -> Void) rethrows -> Int {
        try body()
        var least = Int.max
        for _ in 0..<rounds {
            let before = resident
            try body()
            least = min(least, resident - before)
        }
        // A sanitizer keeps what is freed; it looks for leaks itself.
        return isSanitized ? 0 : least
    }

    private var isSanitized: Bool { dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil }

    @Test func handshakesWholeAndBrokenOffLeaveNothing() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let server = try TLSServerContext(serverConfiguration())
        let strict = try TLSServerContext(serverConfiguration { $0.clientCertificates = .required(authorities: Shared.root.source) })
        let client = try clientContext()
        let wrong = try clientContext { $0.trust = .authorities(Authority("Other").source) }
        let count = 1000
        let left = try growth(rounds: 9) {
            for index in 0..<count {
                let pair = Pair(
                    try (index % 8 == 1 ? wrong : client).makeSession(serverName: "localhost"),
                    (index % 8 == 3 ? strict : server).makeSession(), beginning: false)
                pair.begin()
                if index % 2 == 0 {
                    pair.carry()
                    pair.send(fromClient: [1, 2, 3])
                    continue
                }
                // Broken off: damaged, or cut at some point of some flight.
                var flights = Int.random(in: 0..<3, using: &random)
                let (place, damages) = (Double.random(in: 0..<1, using: &random), Bool.random(using: &random))
                pair.tamper = { _, flight in
                    let index = Int(place * Double(flight.count))
                    if flights == 0 && damages { flight[index] ^= 1 }
                    if flights == 0 && !damages { flight.removeSubrange(index...) }
                    flights -= 1
                }
                pair.carry()
            }
        }
        // The smallest thing of OpenSSL's that could be forgotten is larger.
        #expect(left < 200 * count, "seed \(seed): \(left) bytes for \(count) connections")
    }

    @Test func contextsAndReloadsLeaveNothing() throws {
        let identity = Shared.root.issue(purpose: "clientAuth").identity
        let left = try growth(rounds: 3) {
            for _ in 0..<30 {
                let server = try TLSServerContext(serverConfiguration {
                    $0.clientCertificates = .optional(authorities: Shared.root.source)
                    $0.applicationProtocols = ["h2"]
                })
                try server.reload()
                #expect(try join(try clientContext { $0.identity = identity }, server).isEstablished)
            }
        }
        #expect(left < 30 * 10_000, "\(left) bytes")
    }

    /// What an idle connection costs a server, beside its socket.
    @Test func anIdleSessionHoldsNoBuffers() throws {
        let (server, client) = (try TLSServerContext(serverConfiguration()), try clientContext { $0.cachedSessions = 0 })
        var kept: [TLSSession] = []
        kept.reserveCapacity(400)
        func open() throws {
            let pair = try join(client, server)
            pair.send(fromClient: [UInt8](repeating: 1, count: 16_384))
            pair.send(fromServer: [UInt8](repeating: 1, count: 16_384))
            #expect(pair.takeAtServer().count == 16_384)
            pair.server.wire.removeAll()
            kept.append(pair.server)
        }
        let least = try growth(rounds: 4) { for _ in 0..<100 { try open() } }
        // OpenSSL's record buffers alone would be 33 KiB.
        #expect(least / 100 < 20_000, "\(least / 100) bytes each")
    }
}
