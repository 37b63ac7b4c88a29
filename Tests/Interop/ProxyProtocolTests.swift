import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

/// `--proxy-protocol` behind proxies that others wrote. Clients connect from 127.0.0.2, the proxies from 127.0.0.1; what
/// the server took for its peer shows in a message's Received field, and in whom it relays for.
@Suite(.timeLimit(.minutes(40))) struct ProxyProtocolTests {
    private func serve(_ kind: String, _ architecture: String, _ more: [String] = [], trusting: String = "127.0.0.1/32") throws -> ServerProcess {
        try ServerProcess(
            "reactor",
            ["serve", kind, "--listen", "127.0.0.1:0", "--architecture", architecture, "--proxy-protocol", trusting] + more)
    }

    private func relay(_ spool: TemporaryDirectory, _ architecture: String, to nextHop: SocketAddress, allowing: String) throws -> ServerProcess {
        try serve(
            "smtp", architecture,
            ["--spool", spool.path, "--next-hop", nextHop.description, "--hostname", "relay.test", "--allow", allowing])
    }

    private func curl(_ arguments: String..., input: String = "") throws -> CommandResult {
        try run("curl", ["-sS", "--max-time", "20"] + arguments, input: input)
    }

    @Test(arguments: architectures, Proxy.Kind.allCases)
    func behindAProxyTheClientIsThePeer(_ architecture: String, _ kind: Proxy.Kind) throws {
        let (spool, sink) = (try TemporaryDirectory(), try MailSink())
        let http = try serve("http", architecture)
        let echo = try serve("echo", architecture)
        let smtp = try relay(spool, architecture, to: sink.address, allowing: "127.0.0.2/32")
        let proxy = try Proxy(kind, for: [http, echo, smtp].map { $0.addresses[0] })

        #expect(try curl("http://\(proxy.addresses[0])/plaintext").output == "Hello, World!")
        let upload = String(repeating: "0123456789", count: 50_000)
        #expect(try curl("--data-binary", "@-", "http://\(proxy.addresses[0])/echo", input: upload).output == upload)
        let client = try TestClient(proxy.addresses[1])
        client.send("there and back")
        #expect(client.receive(count: 14) == "there and back")

        let message = "Subject: hello\r\n\r\nIt works.\r\n"
        let (from, to) = (["--mail-from", "a@example.org"], ["--mail-rcpt", "b@example.org", "--upload-file", "-"])
        let mail = ["-sS", "--max-time", "20", "smtp://\(proxy.addresses[2])"] + from + to
        let allowed = try run("curl", mail + ["--interface", "127.0.0.2"], input: message)
        #expect(allowed.status == 0, "\(allowed.errors)")
        #expect(try run("curl", mail, input: message).status != 0, "127.0.0.1 may not relay, and is the proxy's own")
        _ = sink.wait(for: 1)
        let received = try #require(sink.contents.first)
        #expect(received.contains("([127.0.0.2])\r\n\tby relay.test"), "\(received)")
        for server in [http, echo, smtp] {
            #expect(server.stop() == 0)
            #expect(!server.output.contains("connection refused"), "\(server.output)")
        }
    }

    @Test(arguments: architectures)
    func curlSendsAHeader(_ architecture: String) throws {
        let http = try serve("http", architecture)
        #expect(try curl("--haproxy-protocol", "http://\(http.addresses[0])/plaintext").output == "Hello, World!")
        #expect(http.stop() == 0)
    }

    /// Any address may be claimed by a trusted sender, in either version; nobody else is heard.
    @Test(arguments: architectures)
    func whatTheHeaderClaimsIsThePeer(_ architecture: String) throws {
        let (spool, sink) = (try TemporaryDirectory(), try MailSink())
        let smtp = try relay(spool, architecture, to: sink.address, allowing: "2001:db8::/32")
        func codes(_ header: [UInt8]) throws -> [Substring] {
            let client = try TestClient(smtp.addresses[0])
            client.send(header + Array("EHLO client.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nQUIT\r\n".utf8))
            return client.receiveToEnd().text.split(separator: "\r\n").filter { !$0.dropFirst(3).hasPrefix("-") }.map { $0.prefix(3) }
        }
        #expect(try codes(Array("PROXY TCP6 2001:db8::1 ::1 1 25\r\n".utf8)) == ["220", "250", "250", "250", "221"])
        #expect(try codes(Array("PROXY TCP6 2001:db9::1 ::1 1 25\r\n".utf8)) == ["220", "250", "250", "554", "221"])
        let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        let addresses = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 28) + [0, 1, 0, 25]
        #expect(try codes(signature + [0x21, 0x21, 0, 36] + addresses) == ["220", "250", "250", "250", "221"])
        #expect(try codes(signature + [0x20, 0x00, 0, 0]) == ["220", "250", "250", "554", "221"], "LOCAL: 127.0.0.1")
        #expect(smtp.stop() == 0)
    }

    @Test(arguments: architectures)
    func strangersAndWhatIsNoHeaderAreRefused(_ architecture: String) throws {
        let server = try serve("http", architecture, trusting: "127.0.0.2/32")
        let url = "http://\(server.addresses[0])/plaintext"
        for arguments in [[], ["--haproxy-protocol"], ["--interface", "127.0.0.2"]] {
            let result = try run("curl", ["-sS", "--max-time", "20", url] + arguments)
            #expect(result.status != 0 && result.status != 28 && result.output == "", "\(arguments): \(result)")
        }
        #expect(
            try curl("--haproxy-protocol", "--interface", "127.0.0.2", url).output == "Hello, World!", "the trusted go on")
        #expect(server.stop() == 0)
        let log = server.output
        #expect(log.split(separator: "\n").filter { $0.contains("not a trusted sender") }.count == 2, "\(log)")
        #expect(log.split(separator: "\n").filter { $0.contains("not a PROXY header: noHeader") }.count == 1, "\(log)")
    }

    @Test func aSenderThatSaysNothingIsGivenUp() throws {
        let server = try serve("echo", "reactor")
        let started = ContinuousClock.now
        let client = try TestClient(server.addresses[0])
        client.send("PROXY TCP4")
        #expect(client.receiveToEnd().text == "")
        let waited = ContinuousClock.now - started
        #expect(waited > .seconds(4) && waited < .seconds(15), "\(waited)")
        #expect(server.stop() == 0)
        #expect(server.output.contains("no PROXY header in time"))
    }

    @Test func peersOnUnixSocketsAreTrustedByName() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/socket"
        for (trusting, answer) in [("unix", "Hello, World!"), ("127.0.0.0/8", "")] {
            let server = try ServerProcess(
                "reactor", ["serve", "http", "--listen", "unix:\(path)", "--proxy-protocol", trusting])
            #expect(try curl("--haproxy-protocol", "--unix-socket", path, "http://any/plaintext").output == answer)
            #expect(server.stop() == 0)
        }
    }

    @Test func aMistakeIsSaidInOneLine() throws {
        let result = try reactor("serve", "echo", "--listen", "127.0.0.1:0", "--proxy-protocol", "everybody")
        #expect(result.status == 64)
        #expect(result.errors.hasPrefix("reactor: ") && result.errors.contains("10.0.0.0/8"), "\(result.errors)")
        for kind in ["http", "smtp", "rpc", "echo"] {
            #expect(try reactor("serve", kind, "--help").output.contains("--proxy-protocol <cidr>"))
        }
    }
}
