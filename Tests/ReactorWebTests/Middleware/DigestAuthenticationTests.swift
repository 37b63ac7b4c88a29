import ConnectionHandling
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

private func hash(_ algorithm: DigestAlgorithm, _ text: String) -> String {
    TextCode.hex(algorithm.digest(of: Array(text.utf8).span.bytes))
}

/// What a client does with a challenge.
private struct Client {
    var user = "Mufasa"
    var password = "Circle of Life"
    var realm = "api"
    var target = "/dir?x=1"
    var algorithm = "SHA-256"
    var nonce: String
    var count = "00000001"
    var clientNonce = "0a4f113b"
    var qop = "auth"

    var field: String {
        let digest: DigestAlgorithm = algorithm == "MD5" ? .md5 : .sha256
        let proof = hash(
            digest,
            "\(hash(digest, "\(user):\(realm):\(password)")):\(nonce):\(count):\(clientNonce):\(qop):\(hash(digest, "GET:\(target)"))")
        return "Authorization: Digest username=\"\(user)\", realm=\"\(realm)\", uri=\"\(target)\", algorithm=\(algorithm), "
            + "nonce=\"\(nonce)\", nc=\(count), cnonce=\"\(clientNonce)\", qop=\(qop), response=\"\(proof)\""
    }
}

@Suite struct DigestAuthenticationTests {
    private let connection: GuardedConnection

    init() throws {
        let digest = try DigestAuthentication(realm: "api") { user, algorithm in
            switch user {
            case "Mufasa": .password("Circle of Life")
            case "hashed": .digest(hash(algorithm.digest, "hashed:api:pw"))
            case "Jäs": .password("ü")
            default: nil
            }
        }
        connection = GuardedConnection(digest)
    }

    private func nonce() throws -> String {
        let challenge = try #require(connection.send().field("WWW-Authenticate"))
        return try #require(challenge.split(separator: "nonce=\"").last?.split(separator: "\"").first.map(String.init))
    }

    private func status(_ client: Client) -> String { connection.send([client.field], target: "/dir?x=1").status }

    /// RFC 7616 section 3.9.1, whose proofs are these.
    @Test func theRFCsExample() {
        let ha1 = hash(.sha256, "Mufasa:http-auth@example.org:Circle of Life")
        let ha2 = hash(.sha256, "GET:/dir/index.html")
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth"
        #expect(hash(.sha256, "\(ha1):\(nonce):\(ha2)") == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
    }

    @Test func theChallenge() {
        let answer = connection.send()
        #expect(answer.status == "401")
        let challenges = answer.fields("WWW-Authenticate")
        #expect(challenges.count == 2)
        #expect(challenges.first?.hasPrefix("Digest realm=\"api\", qop=\"auth\", algorithm=SHA-256, nonce=\"") == true)
        #expect(challenges.last?.contains("algorithm=MD5") == true)
        #expect(challenges.allSatisfy { !$0.contains("stale") })
    }

    @Test(arguments: ["SHA-256", "MD5"]) func whoKnowsThePasswordComesIn(_ algorithm: String) throws {
        var client = Client(algorithm: algorithm, nonce: try nonce())
        #expect(connection.send([client.field], target: "/dir?x=1").body == "hello Mufasa")
        client.count = "00000002"
        #expect(status(client) == "200")
        client = Client(user: "hashed", password: "pw", algorithm: algorithm, nonce: try nonce())
        #expect(status(client) == "200")
    }

    @Test func othersDoNot() throws {
        let nonce = try nonce()
        #expect(status(Client(password: "Circle of Lif", nonce: nonce)) == "401")
        #expect(status(Client(user: "nobody", password: "", nonce: nonce)) == "401")
        #expect(status(Client(realm: "other", nonce: nonce)) == "401")
        #expect(status(Client(nonce: "AAAA")) == "401")
        // The proof is good, but the nonce is none of this server's: a new one, and no new password.
        #expect(connection.send([Client(nonce: "AAAA").field], target: "/dir?x=1").field("WWW-Authenticate")?.contains("stale=true") == true)
        #expect(status(Client(target: "/dir", nonce: nonce)) == "400")
        #expect(status(Client(nonce: nonce, qop: "auth-int")) == "400")
        #expect(status(Client(algorithm: "SHA-512", nonce: nonce)) == "401")
        // None of these has used the count up.
        #expect(status(Client(nonce: nonce)) == "200")
    }

    @Test func whatWasOverheardIsWorthNothing() throws {
        let client = Client(nonce: try nonce())
        #expect(status(client) == "200")
        let again = connection.send([client.field], target: "/dir?x=1")
        #expect(again.status == "401")
        #expect(again.field("WWW-Authenticate")?.contains("stale=true") == true)
    }

    @Test func noncesGrowOld() throws {
        var client = Client(nonce: try nonce())
        connection.driver.advance(by: .seconds(60))
        #expect(status(client) == "200")
        for _ in 0..<4 {
            // Within what a connection may be silent.
            connection.driver.advance(by: .seconds(60))
            _ = connection.send()
        }
        client.count = "00000002"
        #expect(status(client) == "200")
        connection.driver.advance(by: .seconds(1))
        client.count = "00000003"
        let answer = connection.send([client.field], target: "/dir?x=1")
        #expect(answer.field("WWW-Authenticate")?.contains("stale=true") == true)
    }

    @Test func namesBeyondASCII() throws {
        let nonce = try nonce()
        let proof = hash(.sha256, "\(hash(.sha256, "Jäs:api:ü")):\(nonce):00000001:c:auth:\(hash(.sha256, "GET:/"))")
        let field = "Authorization: Digest username*=UTF-8''J%C3%A4s, realm=\"api\", uri=\"/\", algorithm=SHA-256, nonce=\"\(nonce)\", "
            + "nc=00000001, cnonce=\"c\", qop=auth, response=\"\(proof)\""
        #expect(connection.send([field]).body == "hello Jäs")
    }

    @Test func garbageIsRefused() throws {
        let good = Client(nonce: try nonce()).field
        for bad in [
            "Authorization: Digest x", "Authorization: Digest x=", "Authorization: Digest x=\"", good + ", nc=00000001", good + " x",
            good.replacing("nc=00000001", with: "nc=1"), good.replacing("nc=00000001", with: "nc=0000000g"),
            good.replacing("nc=00000001", with: "nc=+0000001"), good.replacing("cnonce=\"0a4f113b\"", with: "cnonce=\"\""),
            good.replacing("username=", with: "user="), good + ", username*=UTF-8''x", good + ", userhash=true",
            good.replacing("qop=auth, ", with: ""),
        ] {
            #expect(connection.send([bad], target: "/dir?x=1").status == "400", "\(bad)")
        }
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            var bytes = Array(good.utf8)
            for _ in 0..<3 {
                bytes[Int.random(in: 22..<bytes.count, using: &generator)] = UInt8.random(in: 0x20..<0x7F, using: &generator)
            }
            let answer = connection.send([String(decoding: bytes, as: UTF8.self)], target: "/dir?x=1")
            #expect(["400", "401"].contains(answer.status) || bytes == Array(good.utf8))
        }
    }
}

@Suite struct NonceTests {
    private let now = MonotonicTime(nanoseconds: 1_000_000_000_000)

    @Test func countsAreUsedOnceEach() throws {
        let nonces = try Nonces(lifetime: .seconds(60))
        let nonce = try #require(nonces.make(at: now))
        // Out of order, as a browser's connections send them.
        for count: UInt32 in [3, 1, 2, 70, 6, 7] { #expect(nonces.use(nonce, count: count, at: now), "\(count)") }
        for count: UInt32 in [0, 1, 2, 3, 5, 6, 7, 70] { #expect(!nonces.use(nonce, count: count, at: now), "\(count)") }
        #expect(nonces.use(nonce, count: .max, at: now))
        #expect(!nonces.use(nonce, count: .max, at: now))
        #expect(nonces.use(nonce, count: .max - 64, at: now))
        #expect(!nonces.use(nonce, count: .max - 65, at: now))
    }

    @Test func whatIsForgottenIsRefused() throws {
        let nonces = try Nonces(lifetime: .seconds(60), capacity: 2)
        let made = try (0..<4).map { try #require(nonces.make(at: now.advanced(by: .milliseconds($0)))) }
        let later = now.advanced(by: .seconds(1))
        for nonce in made[..<3] { #expect(nonces.use(nonce, count: 1, at: later)) }
        #expect(!nonces.use(made[0], count: 1, at: later))
        #expect(!nonces.use(made[0], count: 2, at: later))
        #expect(nonces.use(made[3], count: 1, at: later))
    }

    @Test func forgeriesAreRefused() throws {
        let nonces = try Nonces(lifetime: .seconds(60))
        let nonce = try #require(nonces.make(at: now))
        for index in nonce.indices {
            var forged = nonce
            forged.replaceSubrange(index...index, with: nonce[index] == "A" ? "B" : "A")
            #expect(!nonces.use(forged, count: 1, at: now))
        }
        #expect(!(try Nonces(lifetime: .seconds(60))).use(nonce, count: 1, at: now))
        #expect(nonces.use(nonce, count: 1, at: now.advanced(by: .seconds(60))))
        #expect(!nonces.use(nonce, count: 2, at: now.advanced(by: .seconds(61))))
    }
}
