import ConnectionHandling
import Foundation
import Glibc
import TestSupport

/// A TLS server that is not ours, as its own process on a free port.
final class TLSPeer: Sendable {
    let address: SocketAddress
    // Only started and signalled.
    private let processIdentifier: Int32
    private let directory: TemporaryDirectory

    enum Kind: String, CaseIterable {
        case nginx
        case openssl = "openssl s_server"
    }

    init(_ kind: Kind, certificate: String, key: String, more: [String] = []) throws {
        directory = try TemporaryDirectory()
        address = try freeAddress()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // Should this test be killed, the server ends nevertheless.
        process.arguments = ["timeout", "--kill-after=1", "60"]
        switch kind {
        case .openssl:
            process.arguments? += ["openssl", "s_server", "-accept", address.description, "-cert", certificate, "-key", key, "-www"] + more
        case .nginx:
            let configuration = directory.path + "/nginx.conf"
            try """
                daemon off; master_process off; pid \(directory.path)/pid; error_log stderr;
                events { worker_connections 64; }
                http {
                    access_log off;
                    client_body_temp_path \(directory.path)/a; proxy_temp_path \(directory.path)/b;
                    fastcgi_temp_path \(directory.path)/c; uwsgi_temp_path \(directory.path)/d; scgi_temp_path \(directory.path)/e;
                    server {
                        listen \(address) ssl; ssl_certificate \(certificate); ssl_certificate_key \(key);
                        location / { return 200 "from nginx\\n"; }
                    }
                }
                """.write(toFile: configuration, atomically: false, encoding: .utf8)
            process.arguments? += ["/usr/sbin/nginx", "-p", directory.path, "-e", "stderr", "-c", configuration]
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        processIdentifier = process.processIdentifier
        for _ in 0..<1_000 {
            if (try? TestClient(address)) != nil { return }
            usleep(10_000)
        }
        throw ServerProcess.Failure(description: "\(kind.rawValue) did not start")
    }

    deinit { kill(processIdentifier, SIGTERM) }
}
