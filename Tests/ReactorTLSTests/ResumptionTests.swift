import COpenSSL
import ConnectionHandling
import ReactorTLS
import Synchronization
import Testing

/// Sessions taken up again (RFC 8446 section 2.2, RFC 5077).
@Suite struct ResumptionTests {
    /// A clock that moves when it is told.
    final class Clock: Sendable {
        private let seconds = Atomic<Int64>(1_700_000_000)
        var now: Int64 { seconds.load(ordering: .relaxed) }
        func advance(_ by: Int64) { seconds.add(by, ordering: .relaxed) }
    }

    private func server(
        _ version: TLSVersion, clock: Clock = Clock(), _ change: (inout TLSServerConfiguration) -> Void = { _ in }
    ) throws -> TLSServerContext {
        try TLSServerContext(serverConfiguration {
            $0.versions = version...version
            change(&$0)
        }, clock: { clock.now })
    }

    @Test(arguments: bothVersions, [Pair.Splitting.whole, .bytes])
    func aSecondConnectionResumesTheFirst(_ version: TLSVersion, _ splitting: Pair.Splitting) throws {
        let (client, server) = (try clientContext(), try server(version))
        let full = try join(client, server, splitting)
        let resumed = try join(client, server, splitting)
        #expect(full.isEstablished && !full.client.isResumed && !full.server.isResumed)
        #expect(resumed.isEstablished && resumed.client.isResumed && resumed.server.isResumed)
        #expect(resumed.carried < full.carried - 300, "no certificate is sent again")
        #expect(resumed.client.peerCertificate == full.client.peerCertificate)
        resumed.send(fromClient: [1, 2, 3])
        #expect(resumed.takeAtServer() == [1, 2, 3])
        // And from the resumed one, again.
        #expect(try join(client, server, splitting).client.isResumed)
    }

    @Test func sessionsAreKeptByNameAndKey() throws {
        let (client, server) = (try clientContext(), try server(.v1_2))
        _ = try join(client, server)
        #expect(!Pair(try client.makeSession(serverName: "localhost", cacheKey: "8443"), server.makeSession()).client.isResumed)
        #expect(try !join(client, server, name: "127.0.0.1").client.isResumed)
        #expect(try join(client, server).client.isResumed)
        #expect(try !join(try clientContext(), server).client.isResumed, "another context's")
    }

    @Test func aTicketOfTLS13IsUsedOnce() throws {
        let (client, server) = (try clientContext(), try server(.v1_3))
        _ = try join(client, server)
        // Two tickets came; a connection that takes one up and is broken off brings none back.
        for expected in [true, true, false] {
            let session = try client.makeSession(serverName: "localhost")
            let pair = Pair(session, server.makeSession(), beginning: false)
            pair.begin()
            pair.carry(toServer: true)
            #expect(pair.server.failure == nil)
            #expect(isAbbreviated(pair.server) == expected)
        }
    }

    @Test(arguments: [0, 1, 3]) func theCacheIsBounded(_ limit: Int) throws {
        let client = try clientContext {
            $0.cachedSessions = limit
            $0.acceptsAnyCertificate = true
        }
        let server = try server(.v1_2)
        for name in ["a", "b", "c", "d"] { _ = try join(client, server, name: name) }
        let resumed = try ["d", "c", "b", "a"].filter { name in
            let session = try client.makeSession(serverName: name)
            return SSL_get_session(session.ssl) != nil
        }
        #expect(resumed == Array(["d", "c", "b", "a"].prefix(limit)))
    }

    // MARK: The ratchet

    @Test(arguments: bothVersions) func ticketsAreGoodForTheirLifetimeAndNoLonger(_ version: TLSVersion) throws {
        // Issued at the very start and the very end of an epoch.
        for start in [Int64(0), 3599] {
            for (age, expected) in [(Int64(0), true), (3600, true), (4 * 3600, true), (5 * 3600 + 3600, false), (1_000_000, false)] {
                let clock = Clock()
                clock.advance(3600 - clock.now % 3600 + start)
                let (client, server) = (try clientContext(), try server(version, clock: clock))
                _ = try join(client, server)
                clock.advance(age)
                let again = try join(client, server)
                #expect(again.isEstablished)
                #expect(again.server.isResumed == expected, "after \(age) s, from second \(start) of an epoch")
                // What was handed out meanwhile is of the present epoch.
                #expect(try join(client, server).server.isResumed)
            }
        }
    }

    @Test func aTicketOfAnEarlierEpochIsReplaced() throws {
        let clock = Clock()
        let (client, server) = (try clientContext(), try server(.v1_2, clock: clock))
        _ = try join(client, server)
        let first = try #require(try ticket(of: client))
        _ = try join(client, server)
        #expect(try ticket(of: client) == first)
        clock.advance(3 * 3600)
        #expect(try join(client, server).server.isResumed)
        #expect(try ticket(of: client) != first)
    }

    /// Otherwise a client would prove who it is once, and be believed for as long as it keeps coming back.
    @Test(arguments: bothVersions) func noTicketMakesASessionLiveLonger(_ version: TLSVersion) throws {
        let clock = Clock()
        let (client, server) = (try clientContext(), try server(version, clock: clock))
        _ = try join(client, server)
        for expected in [true, true, true, true, false, true, true, true, true, false] {
            clock.advance(3600)
            let pair = try join(client, server)
            #expect(pair.isEstablished && pair.server.isResumed == expected)
        }
    }

    @Test(arguments: bothVersions) func aSessionEndsWithItsClientsCertificate(_ version: TLSVersion) throws {
        let clients = Authority("Clients")
        let server = try server(version) { $0.clientCertificates = .required(authorities: clients.source) }
        let client = try clientContext { $0.identity = clients.issue(until: 2, purpose: "clientAuth").identity }
        #expect(try join(client, server).isEstablished)
        #expect(try join(client, server).server.isResumed)
        let end = ContinuousClock.now + .seconds(20)
        var last = try join(client, server)
        while last.server.isResumed && ContinuousClock.now < end { last = try join(client, server) }
        #expect(last.server.failure?.kind == .certificate(.expired))
    }

    @Test func aClockThatIsSetBackChangesNothing() throws {
        let clock = Clock()
        let (client, server) = (try clientContext(), try server(.v1_2, clock: clock))
        _ = try join(client, server)
        clock.advance(-1_000_000)
        #expect(try join(client, server).server.isResumed)
    }

    @Test(arguments: bothVersions) func ticketsSurviveAReload(_ version: TLSVersion) throws {
        let (client, server) = (try clientContext(), try server(version))
        _ = try join(client, server)
        try server.reload()
        #expect(try join(client, server).server.isResumed)
    }

    @Test func anotherServersTicketsAreNotAccepted() throws {
        let client = try clientContext()
        _ = try join(client, try server(.v1_3))
        let other = try join(client, try server(.v1_3))
        #expect(other.isEstablished && !other.server.isResumed)
    }

    @Test(arguments: bothVersions) func ticketsCanBeSwitchedOff(_ version: TLSVersion) throws {
        let client = try clientContext()
        let server = try TLSServerContext(serverConfiguration {
            $0.versions = version...version
            $0.tickets.areIssued = false
        })
        for _ in 0..<2 {
            let pair = try join(client, server)
            #expect(pair.isEstablished && !pair.server.isResumed)
        }
    }

    /// Otherwise a client could come back by a session that was begun when nobody asked who it is.
    @Test(arguments: bothVersions) func aReloadThatChangesWhoIsBelievedEndsSessions(_ version: TLSVersion) throws {
        let directory = try TemporaryDirectory()
        let (old, new) = (Authority("Old"), Authority("New"))
        let path = try directory.write(old.own.certificatePEM, as: "ca.pem")
        let server = try server(version) { $0.clientCertificates = .required(authorities: .file(path)) }
        let client = try clientContext { $0.identity = old.issue(purpose: "clientAuth").identity }
        let first = try join(client, server)
        #expect(first.isEstablished)
        let resumed = try join(client, server)
        #expect(resumed.server.isResumed)
        #expect(resumed.server.peerCertificate == first.server.peerCertificate)
        try directory.write(new.own.certificatePEM, as: "ca.pem")
        try server.reload()
        let refused = try join(client, server)
        #expect(refused.server.failure?.kind == .certificate(.unknownIssuer))
    }

    @Test(arguments: [(30, 3600), (60, 3841), (3600, 0), (3600, 604_801)])
    func ticketOptionsHaveBounds(_ rotation: Int, _ lifetime: Int) throws {
        #expect { _ = try server(.v1_3) {
            $0.tickets.rotation = .seconds(rotation)
            $0.tickets.lifetime = .seconds(lifetime)
        } } throws: { ($0 as? TLSConfigurationError)?.kind == .invalidValue }
    }

    /// What a client would resume by.
    private func ticket(of client: TLSClientContext) throws -> [UInt8]? {
        let session = try client.makeSession(serverName: "localhost")
        guard let kept = SSL_get_session(session.ssl) else { return nil }
        var (bytes, count): (UnsafePointer<UInt8>?, Int) = (nil, 0)
        SSL_SESSION_get0_ticket(kept, &bytes, &count)
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    private func isAbbreviated(_ server: TLSSession) -> Bool { SSL_session_reused(server.ssl) == 1 }
}
