import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// What the benchmarks ask of the sample servers, as real clients see it.
@Suite(.timeLimit(.minutes(40))) struct WorkloadTests {
    /// Those that this libev has, and this kernel grants, beside epoll.
    static let backends = ["poll", "select", "linuxaio", "io_uring"].filter { backend in
        let server = try? ServerProcess("reactor", ["serve", "echo", "--listen", "127.0.0.1:0", "--backend", backend])
        return server?.stop() == 0
    }

    static let kinds = architectures.map { ["--architecture", $0] } + backends.map { ["--backend", $0] }
        + [["--offload", "2"], ["--offload", "2", "--loops", "2"]]

    private func curl(_ server: ServerProcess, _ path: String) throws -> String {
        try run("curl", ["-sS", "--max-time", "20", "http://\(server.addresses[0])\(path)"]).output
    }

    @Test(arguments: kinds)
    func handlersThatBlockAndBurn(_ options: [String]) throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"] + options)
        for path in ["/block?ms=20", "/burn?ms=20"] {
            let began = ContinuousClock.now
            #expect(try curl(server, path) == "Hello, World!")
            #expect(ContinuousClock.now - began >= .milliseconds(20))
        }
        // Three times through the mix, on one connection.
        let result = try run("curl", ["-sS", "--max-time", "20", "http://\(server.addresses[0])/mix?[1-30]"])
        #expect(result.output == String(repeating: "Hello, World!", count: 30), "\(result.errors)")
        let body = try curl(server, "/bytes?n=65536")
        #expect(body.utf8.count == 65_536 && body.hasSuffix("10000000000003ff" + String(repeating: ".", count: 47) + "\n"))
        #expect(server.stop() == 0)
    }

    /// While one connection waits for what blocks, its loop answers another. A busy machine may take longer for that than the
    /// work does: then it is tried again.
    @Test func whatIsOffloadedLeavesTheLoopToOthers() throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--loops", "1", "--offload", "1"])
        var wasAnsweredMeanwhile = false
        for _ in 0..<20 where !wasAnsweredMeanwhile {
            let blocked = try TestClient(server.addresses[0])
            blocked.send("GET /block?ms=1000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(try curl(server, "/plaintext") == "Hello, World!")
            wasAnsweredMeanwhile = !blocked.hasInput
            #expect(blocked.receiveToEnd().text.hasSuffix("Hello, World!"))
        }
        #expect(wasAnsweredMeanwhile)
        #expect(server.stop() == 0)
    }

    /// More connections than the C library's fd_set has room for.
    @Test(arguments: backends)
    func manyConnectionsOnEveryBackend(_ backend: String) throws {
        let server = try ServerProcess("reactor", ["serve", "echo", "--listen", "127.0.0.1:0", "--backend", backend])
        let result = try python(
            """
            import resource, socket, sys
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30,
                                                source_address=("127.0.0.%d" % (2 + index % 4), 0)) for index in range(1500)]
            for index, client in enumerate(clients):
                client.sendall(b"%4d" % index)
            for index, client in enumerate(clients):
                answer = b""
                while len(answer) < 4:
                    answer += client.recv(4)
                assert answer == b"%4d" % index, answer
            print("done")
            """, String(try #require(server.addresses[0].port)))
        #expect(result.output == "done\n", "\(result.errors)")
        #expect(server.stop() == 0)
    }

    @Test(arguments: architectures)
    func theSinkTakesMailAndKeepsNone(_ architecture: String) throws {
        let server = try ServerProcess("reactor", ["serve", "sink", "--listen", "127.0.0.1:0", "--print", "--architecture", architecture])
        let result = try python(
            """
            import smtplib, sys
            with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=20) as client:
                for index in range(30):
                    assert client.sendmail("a@example.org", ["b@example.org", "c@example.org"], b".\\r\\n..\\r\\nx\\r\\n") == {}
                client.sendmail("a@example.org", ["large@example.org"], (b"x" * 70 + b"\\r\\n") * 30_000)
            print("done")
            """, String(try #require(server.addresses[0].port)))
        #expect(result.output == "done\n", "\(result.errors)")
        for _ in 0..<500 where !server.output.contains("large@example.org") { usleep(10_000) }
        #expect(server.output.contains("from <a@example.org> for large@example.org"))
        let taken = server.output.split(separator: "\n").count { $0.hasPrefix("mail sink: ") && $0.hasSuffix("for b@example.org, c@example.org") }
        #expect(taken == 30, "\(server.output)")
        #expect(server.stop() == 0)
    }
}
