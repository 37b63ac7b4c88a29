import ConnectionHandling
import ReactorTLS
import ReactorTesting
import Testing

/// Contexts serve many threads at a time.
@Suite struct SharingTests {
    @Test func threadsShareContextsWhileTheyAreReloaded() async throws {
        let directory = try TemporaryDirectory()
        let certificate = try directory.write(Shared.localhost.certificatePEM, as: "cert.pem")
        let key = try directory.write(Shared.localhost.keyPEM, as: "key.pem")
        let server = try TLSServerContext(serverConfiguration([TLSIdentity(certificateFile: certificate, keyFile: key)]) {
            $0.applicationProtocols = ["h2"]
            $0.keyLogFile = "\(directory.path)/keys"
        })
        let client = try clientContext {
            $0.applicationProtocols = ["h2"]
            $0.cachedSessions = 3
        }
        let resumed = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var resumed = 0
                    for round in 0..<40 {
                        if task == 0 { try server.reload() }
                        let session = try client.makeSession(serverName: "localhost", cacheKey: "\(round % 5)")
                        let pair = Pair(session, server.makeSession(), .random(UInt64(task * 100 + round)))
                        pair.send(fromClient: [UInt8](repeating: 7, count: 20_000))
                        #expect(pair.takeAtServer().count == 20_000)
                        #expect(pair.isEstablished)
                        if pair.server.isResumed { resumed += 1 }
                    }
                    return resumed
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(resumed > 0)
    }
}
