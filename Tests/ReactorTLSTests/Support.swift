import COpenSSL
import ConnectionHandling
import Foundation
import ReactorTLS
import Testing

/// What most tests share: one root, and a server for localhost.
enum Shared {
    static let root = Authority()
    static let localhost = root.issue(["localhost"], addresses: ["127.0.0.1", "::1"])
}

func serverConfiguration(
    _ identities: [TLSIdentity] = [Shared.localhost.identity], _ change: (inout TLSServerConfiguration) -> Void = { _ in }
) -> TLSServerConfiguration {
    var configuration = TLSServerConfiguration(identities: identities)
    change(&configuration)
    return configuration
}

func clientContext(
    trusting root: Authority = Shared.root, _ change: (inout TLSClientConfiguration) -> Void = { _ in }
) throws -> TLSClientContext {
    var configuration = TLSClientConfiguration()
    configuration.trust = .authorities(root.source)
    change(&configuration)
    return try TLSClientContext(configuration)
}

/// Shakes hands.
func join(
    _ client: TLSClientContext, _ server: TLSServerContext, name: String = "localhost", _ splitting: Pair.Splitting = .whole
) throws -> Pair {
    Pair(try client.makeSession(serverName: name), server.makeSession(), splitting)
}

/// A directory that goes when its owner does.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "reactor-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

let bothVersions = [TLSVersion.v1_2, .v1_3]

// MARK: What only a test has a session do

/// A client that can check these signatures only.
func restrictSignatures(of session: TLSSession, to list: String) { copenssl_set_signatures(session.ssl, list) }
