import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// The command line is a contract: what it prints where, and its exit statuses.
@Suite(.timeLimit(.minutes(40))) struct CommandLineTests {
    private func expectOneLine(_ result: CommandResult, mentions: String, status: Int32) {
        #expect(result.status == status)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("reactor: "), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        #expect(result.errors.contains(mentions), "\(result.errors)")
    }

    @Test func aPortInUseIsSaidInOneLine() throws {
        let server = try ServerProcess("reactor", ["serve", "echo", "--listen", "127.0.0.1:0"])
        let address = server.addresses[0].description
        for more in [[], ["--loops", "2"], ["--architecture", "prefork"]] as [[String]] {
            let result = try run(
                ServerProcess.executable("reactor").path, ["serve", "http", "--listen", address] + more, seconds: 10)
            expectOneLine(result, mentions: "choose another port", status: 1)
        }
        #expect(server.stop() == 0)
    }

    @Test func aPathInUseIsSaidInOneLine() throws {
        let directory = try TemporaryDirectory()
        let hint = "(choose another path, or remove this one if no server uses it)"
        try directory.write("", to: "file")
        expectOneLine(try reactor("serve", "http", "--listen", "unix:\(directory.path)/file"), mentions: hint, status: 1)

        let socket = "unix:\(directory.path)/socket"
        let server = try ServerProcess("reactor", ["serve", "echo", "--listen", socket])
        for architecture in ["reactor", "prefork"] {
            let result = try reactor("serve", "http", "--listen", socket, "--architecture", architecture)
            expectOneLine(result, mentions: hint, status: 1)
            #expect(!result.errors.contains("port"), "\(result.errors)")
        }
        #expect(server.stop() == 0)
    }

    // MARK: What an SMTP server calls itself

    @Test(arguments: [
        "x\r\n250 inj", "a b", "a..b", "a.", "-a", "a-", "a_b", "é.example", "[]", "[1.2.3]", "[::1]", "[IPv6:::1]x",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "aa",
    ])
    func whatIsNoHostnameIsRefused(_ name: String) throws {
        let result = try reactor(
            "serve", "smtp", "--listen", "127.0.0.1:0", "--spool", "/dev/null/spool", "--next-hop", "127.0.0.1:25",
            "--hostname=\(name)")
        expectOneLine(result, mentions: "domain name", status: 78)
    }

    @Test(arguments: [
        "MX-1.mail.Example", "[192.0.2.1]", "[IPv6:2001:db8::1]", String(repeating: "a", count: 63),
        String(repeating: "a.", count: 127) + "a",
    ])
    func aHostnameStandsInTheGreeting(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(
            "reactor",
            [
                "serve", "smtp", "--listen", "127.0.0.1:0", "--spool", directory.path + "/spool", "--next-hop",
                "127.0.0.1:25926", "--hostname", name,
            ])
        let client = try TestClient(server.addresses[0])
        #expect(client.receive(count: 5 + name.utf8.count) == "220 \(name) ")
        #expect(server.stop() == 0)
    }

    @Test func mistakesInTheArgumentsAreSaidInOneLine() throws {
        expectOneLine(try reactor("serve", "http", "--listen", "127.0.0.1:0", "--architecture", "magic"), mentions: "thread-pool", status: 64)
        expectOneLine(try reactor("serve", "http"), mentions: "--listen", status: 64)
        expectOneLine(try reactor("serve", "http", "--listen", "nowhere"), mentions: "host:port", status: 64)
        expectOneLine(try reactor("serve", "http", "--listen", "127.0.0.1:0", "--architecture", "thread", "--loops", "2"), mentions: "--loops", status: 64)
        for (architecture, option, value) in [
            ("prefork", "--connection-workers", "9"), ("reactor", "--connection-workers", "9"), ("thread", "--connection-workers", "0"),
            ("fork", "--connection-workers", "100001"), ("thread", "--workers", "9"), ("prefork", "--workers", "0"),
        ] {
            expectOneLine(
                try reactor("serve", "http", "--listen", "127.0.0.1:0", "--architecture", architecture, option, value),
                mentions: option, status: 64)
        }
        for (option, value) in [("--backend", "poll"), ("--offload", "2")] {
            expectOneLine(
                try reactor("serve", "http", "--listen", "127.0.0.1:0", "--architecture", "prefork", option, value),
                mentions: "\(option) is for --architecture reactor, not prefork", status: 64)
        }
        expectOneLine(try reactor("serve", "echo", "--listen", "127.0.0.1:0", "--backend", "kqueue"), mentions: "'epoll'", status: 64)
        for count in ["0", "1025", "many"] {
            expectOneLine(try reactor("serve", "http", "--listen", "127.0.0.1:0", "--offload", count), mentions: "--offload", status: 64)
        }
        expectOneLine(try reactor("serve", "http", "--listen", "127.0.0.1:0", "--root", "/dev/null/none"), mentions: "directory", status: 1)
        expectOneLine(
            try reactor("serve", "smtp", "--listen", "127.0.0.1:0", "--spool", "/dev/null/spool", "--next-hop", "127.0.0.1:25"),
            mentions: "give a directory that this user can write to", status: 1)
        expectOneLine(
            try reactor("serve", "smtp", "--listen", "127.0.0.1:0", "--spool", "/tmp/unused", "--next-hop", "nowhere"),
            mentions: "host:port", status: 78)
        expectOneLine(try reactor("queue", "list", "--spool", "/nonexistent/spool"), mentions: "/nonexistent/spool", status: 1)
        expectOneLine(try reactor("nonsense"), mentions: "nonsense", status: 64)
    }

    @Test func helpTeaches() throws {
        let queue = ["list", "show", "retry", "hold", "release", "delete", "stats"].map { ["queue", $0] }
        let commands = [[], ["serve", "http"], ["serve", "smtp"], ["serve", "sink"], ["mail"], ["mail", "send"], ["mail", "user"], ["queue"]] + queue
        for command in commands {
            let result = try run(ServerProcess.executable("reactor").path, command + ["--help"])
            #expect(result.status == 0, "\(command)")
            #expect(result.errors == "")
            #expect(result.output.contains("USAGE:"))
        }
    }

    @Test func theDemoServesEverythingInOneProcess() throws {
        let server = try ServerProcess(
            "reactor",
            [
                "serve", "demo", "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--sink",
                "127.0.0.1:25926", "--echo", "127.0.0.1:0",
            ], listeners: 5)
        #expect(try run("curl", ["-sS", "http://\(server.addresses[0])/plaintext"]).output == "Hello, World!")
        let client = try TestClient(server.addresses[4])
        client.send("there and back")
        #expect(client.receive(count: 14) == "there and back")
        let mail = try run(
            "curl",
            [
                "-sS", "smtp://\(server.addresses[2])", "--mail-from", "you@example.org", "--mail-rcpt", "me@example.org",
                "--upload-file", "-",
            ], input: "Subject: hello\r\n\r\nIt works.\r\n")
        #expect(mail.status == 0, "\(mail.errors)")
        for _ in 0..<500 where !server.output.contains("mail sink:") { usleep(10_000) }
        #expect(server.output.contains("from <you@example.org> for me@example.org"))
        #expect(server.stop() == 0)
    }
}
