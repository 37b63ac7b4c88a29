import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// The sample servers over TCP, Unix-domain paths and abstract names, with curl and socat.
@Suite(.timeLimit(.minutes(40))) struct UnixSocketTests {
    private static let message = String(repeating: "there and back again\n", count: 20_000)

    /// A server on all three, and how socat reaches each.
    private struct Listening {
        let directory: TemporaryDirectory
        let server: ServerProcess
        let path: String
        let name: String

        init(_ kind: String, _ architecture: String) throws {
            directory = try TemporaryDirectory()
            path = directory.path + "/socket"
            name = "reactor-test-\(UUID().uuidString)"
            server = try ServerProcess(
                "reactor",
                [
                    "serve", kind, "--architecture", architecture, "--listen", "127.0.0.1:0", "--listen", "unix:\(path)",
                    "--listen", "unix:@\(name)",
                ], listeners: 3)
        }

        var socatAddresses: [String] {
            ["TCP:\(server.addresses[0])", "UNIX-CONNECT:\(path)", "ABSTRACT-CONNECT:\(name)"]
        }
    }

    @Test(arguments: architectures)
    func curlOverUnixSockets(_ architecture: String) throws {
        let listening = try Listening("http", architecture)
        let upload = Self.message
        for place in [["--unix-socket", listening.path], ["--abstract-unix-socket", listening.name]] {
            let common = ["-sS", "--max-time", "20"] + place
            #expect(try run("curl", common + ["http://any/plaintext"]).output == "Hello, World!")
            let echoed = try run("curl", common + ["--data-binary", "@-", "http://any/echo"], input: upload)
            #expect(echoed.output == upload, "\(echoed.errors)")
        }
        #expect(listening.server.output.contains("listening on http://unix:@\(listening.name)"))
        #expect(listening.server.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: listening.path), "the path goes with its server")
    }

    @Test(arguments: architectures)
    func socatOverEveryKindOfSocket(_ architecture: String) throws {
        let echo = try Listening("echo", architecture)
        for address in echo.socatAddresses {
            let result = try run("socat", ["-t", "20", "-", address], input: Self.message)
            #expect(result.status == 0 && result.output == Self.message, "\(address): \(result.errors)")
        }
        #expect(echo.server.stop() == 0)

        let http = try Listening("http", architecture)
        let request = "GET /plaintext HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n"
        for address in http.socatAddresses {
            let result = try run("socat", ["-t", "20", "-", address], input: request)
            #expect(result.output.hasPrefix("HTTP/1.1 200 ") && result.output.hasSuffix("Hello, World!"), "\(address)")
        }
        #expect(http.server.stop() == 0)
    }
}
