import ConnectionHandling
import Foundation
import Glibc
import TestSupport

/// nginx or haproxy in front of servers, as its own process on free ports.
final class Proxy: Sendable {
    enum Kind: String, CaseIterable {
        case nginx, haproxyV1 = "haproxy send-proxy", haproxyV2 = "haproxy send-proxy-v2"
    }

    /// Where it listens, one for each server behind it.
    let addresses: [SocketAddress]
    // Only started and signalled.
    private let processIdentifier: Int32
    private let directory: TemporaryDirectory

    convenience init(_ kind: Kind, for servers: [SocketAddress]) throws {
        try self.init("\(kind)", for: servers) { pairs, directory in
            switch kind {
            case .nginx: Program.nginx(Self.nginx(pairs, directory), in: directory)
            case .haproxyV1: Program.haproxy(Self.haproxy(pairs, "send-proxy"), in: directory)
            case .haproxyV2: Program.haproxy(Self.haproxy(pairs, "send-proxy-v2 proxy-v2-options crc32c,unique-id"), in: directory)
            }
        }
    }

    /// A program with its configuration, which lies in `proxy.conf`.
    struct Program {
        let configuration: String
        let arguments: [String]

        static func nginx(_ configuration: String, in directory: String) -> Program {
            Program(
                configuration: configuration,
                arguments: ["/usr/sbin/nginx", "-p", directory, "-e", "stderr", "-c", directory + "/proxy.conf"])
        }

        static func haproxy(_ configuration: String, in directory: String) -> Program {
            Program(configuration: configuration, arguments: ["/usr/sbin/haproxy", "-db", "-f", directory + "/proxy.conf"])
        }
    }

    /// - Parameter program: what to run, for pairs of where it listens and who is behind it, in that directory.
    init(
        _ name: String, for servers: [SocketAddress],
        program: (_ pairs: [(SocketAddress, SocketAddress)], _ directory: String) -> Program
    ) throws {
        directory = try TemporaryDirectory()
        addresses = try servers.map { _ in try freeAddress() }
        let configuration = directory.path + "/proxy.conf"
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // Should this test be killed, the proxy ends nevertheless.
        process.arguments = ["timeout", "--kill-after=1", "120"]
        let program = program(Array(zip(addresses, servers)), directory.path)
        try program.configuration.write(toFile: configuration, atomically: false, encoding: .utf8)
        process.arguments? += program.arguments
        let log = directory.path + "/log"
        try "".write(toFile: log, atomically: false, encoding: .utf8)
        process.standardError = FileHandle(forWritingAtPath: log)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        processIdentifier = process.processIdentifier
        for _ in 0..<500 {
            if !process.isRunning || addresses.allSatisfy(Self.accepts) { break }
            usleep(10_000)
        }
        guard process.isRunning, addresses.allSatisfy(Self.accepts) else {
            kill(-process.processIdentifier, SIGKILL)
            let errors = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw ProxyFailure(description: "\(name) did not start: \(errors)")
        }
    }

    /// All of its group, which timeout(1) leads. SIGTERM may be blocked: programs inherit the mask of this test's thread.
    deinit { kill(-processIdentifier, SIGKILL) }

    /// By the kernel's list: a connection would go on to the server behind.
    private static func accepts(_ address: SocketAddress) -> Bool {
        // Foundation takes a file for empty whose size is said to be 0.
        let descriptor = open("/proc/net/tcp", O_RDONLY)
        defer { close(descriptor) }
        var (sockets, chunk) = ("", [UInt8](repeating: 0, count: 65_536))
        while case let count = read(descriptor, &chunk, chunk.count), count > 0 {
            sockets += String(decoding: chunk[..<count], as: UTF8.self)
        }
        let port = String(format: ":%04X 00000000:0000 0A", Int(address.port ?? 0))
        return sockets.contains(port)
    }

    private static func nginx(_ pairs: [(SocketAddress, SocketAddress)], _ directory: String) -> String {
        let module = "/usr/lib/nginx/modules/ngx_stream_module.so"
        let load = FileManager.default.fileExists(atPath: module) ? "load_module \(module);" : ""
        let servers = pairs.map { "server { listen \($0); proxy_pass \($1); }" }.joined(separator: "\n")
        return """
            \(load)
            daemon off; worker_processes 1; pid \(directory)/pid; error_log stderr;
            events { worker_connections 64; }
            stream { proxy_protocol on; \(servers) }
            """
    }

    private static func haproxy(_ pairs: [(SocketAddress, SocketAddress)], _ option: String) -> String {
        let servers = pairs.enumerated().map { index, pair in
            """
            listen l\(index)
              bind \(pair.0)
              unique-id-format %{+X}o\\ %pid-%rt
              server s \(pair.1) \(option)

            """
        }
        return """
            global
              maxconn 64
            defaults
              mode tcp
              timeout connect 5s
              timeout client 20s
              timeout server 20s
            \(servers.joined())
            """
    }
}

/// An address that nobody listens on: of a socket that was bound and closed.
func freeAddress() throws -> SocketAddress {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    let bound = SocketAddress.loopback(port: 0).withSystemAddress { bind(descriptor, $0, $1) }
    guard bound == 0, let address = SocketAddress.local(of: descriptor) else { throw ProxyFailure(description: "no free port") }
    return address
}

private struct ProxyFailure: Error, CustomStringConvertible {
    let description: String
}
