import ConnectionHandling
import Foundation
import TestSupport
import Testing

let architectures = ["reactor", "thread", "thread-pool", "fork", "prefork", "iterative"]

/// `reactor serve http` and `serve rpc` as real clients see them.
@Suite(.timeLimit(.minutes(40))) struct HTTPTests {
    private func serve(_ kind: String, _ architecture: String, _ more: [String] = []) throws -> ServerProcess {
        try ServerProcess("reactor", ["serve", kind, "--listen", "127.0.0.1:0", "--architecture", architecture] + more)
    }

    @Test(arguments: architectures)
    func curlGetsWhatTheSiteOffers(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("<p>hello</p>", to: "page.html")
        let server = try serve("http", architecture, ["--root", directory.path])
        let base = "http://\(server.addresses[0])"
        func curl(_ arguments: String..., path: String) throws -> String {
            try run("curl", ["-sS", "--max-time", "10"] + arguments + [base + path]).output
        }
        #expect(try curl(path: "/plaintext") == "Hello, World!")
        #expect(try curl(path: "/json") == #"{"message":"Hello, World!"}"#)
        #expect(try curl("--data", "some words", path: "/echo") == "some words")
        #expect(try curl("-H", "Transfer-Encoding: chunked", "--data", "in chunks", path: "/echo") == "in chunks")
        #expect(try curl(path: "/page.html") == "<p>hello</p>")
        let format = ["-o", "/dev/null", "-w", "%{http_code} %{content_type}"]
        #expect(try curl(format[0], format[1], format[2], format[3], path: "/plaintext") == "200 text/plain")
        #expect(try curl(format[0], format[1], format[2], format[3], path: "/missing").hasPrefix("404 "))
        #expect(try curl(format[0], format[1], format[2], format[3], "-I", path: "/plaintext") == "200 text/plain")
        #expect(try curl(format[0], format[1], format[2], format[3], "-d", "x", path: "/plaintext").hasPrefix("405 "))
        let large = directory.path + "/large"
        try String(repeating: "x", count: 1_048_577).write(toFile: large, atomically: false, encoding: .utf8)
        #expect(
            try curl(format[0], format[1], format[2], format[3], "--data-binary", "@\(large)", path: "/echo").hasPrefix("413 "))
        #expect(try curl("--path-as-is", path: "/../../etc/passwd").contains("root:") == false)
        #expect(server.stop() == 0)
    }

    @Test(arguments: architectures)
    func pythonKeepsAConnectionAlive(_ architecture: String) throws {
        let server = try serve("http", architecture)
        let port = try #require(server.addresses[0].port)
        let result = try python(
            """
            import http.client, sys
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
            for index in range(50):
                connection.request("POST", "/echo", body=iter([b"chunk ", str(index).encode()]), encode_chunked=True,
                                   headers={"Transfer-Encoding": "chunked"})
                response = connection.getresponse()
                assert response.status == 200, response.status
                body = response.read()
                assert body == b"chunk %d" % index, body
                connection.request("HEAD", "/json")
                response = connection.getresponse()
                assert response.read() == b"" and response.headers["Content-Length"] == "27"
            print("done")
            """, String(port))
        #expect(result.output == "done\n", "\(result.errors)")
        #expect(server.stop() == 0)
    }

    @Test(arguments: architectures)
    func pipelinedRequestsAreAnsweredInOrder(_ architecture: String) throws {
        let server = try serve("http", architecture)
        let client = try TestClient(server.addresses[0])
        var expected = 0
        for index in 0..<200 {
            let body = "number \(index)"
            client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n\r\n\(body)")
            expected += 1
        }
        client.send("GET /plaintext HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        let text = client.receiveToEnd().text
        let positions = (0..<expected).compactMap { text.range(of: "\r\n\r\nnumber \($0)HTTP/1.1")?.lowerBound }
        #expect(positions.count == expected)
        #expect(positions == positions.sorted())
        #expect(text.hasSuffix("Hello, World!"))
        #expect(server.stop() == 0)
    }

    /// Garbage, oversized, truncated and endless input: the protocol's own error, a closed connection, and nobody else
    /// notices.
    @Test(arguments: architectures)
    func badInputIsRefusedAndHarmsNobodyElse(_ architecture: String) throws {
        let server = try serve("http", architecture)
        let long = String(repeating: "a", count: 40_000)
        let cases: [(input: String, status: String)] = [
            ("\u{1}\u{2}\u{3}garbage\r\n\r\n", "400"),
            ("GET\r\n", "400"),
            ("GET / HTTP/1.1\r\n\r\n", "400"),
            ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", "505"),
            ("GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", "414"),
            ("GET / HTTP/1.1\r\nHost: a\r\nCookie: \(long)\r\n\r\n", "431"),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", "413"),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        ]
        for (input, status) in cases {
            let client = try TestClient(server.addresses[0])
            client.send(input)
            let (text, reset) = client.receiveToEnd()
            #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(input.prefix(40)): \(text.prefix(60))")
            #expect(!reset)
        }
        do {
            let truncated = try TestClient(server.addresses[0])
            truncated.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123")
            truncated.endOutput()
            #expect(!truncated.receiveToEnd().text.hasPrefix("HTTP/1.1 200"))
        }
        do {
            let endless = try TestClient(server.addresses[0])
            let block = [UInt8](repeating: 0x41, count: 65_536)
            for _ in 0..<200 where !endless.send(block) { break }
            _ = endless.receiveToEnd()
        }
        #expect(server.process.isRunning)
        #expect(try run("curl", ["-sS", "http://\(server.addresses[0])/plaintext"]).output == "Hello, World!")
        #expect(server.stop() == 0)
    }

    @Test(arguments: architectures)
    func jsonRPCAnswersCurl(_ architecture: String) throws {
        let server = try serve("rpc", architecture)
        func call(_ body: String) throws -> String {
            try run(
                "curl",
                [
                    "-sS", "--max-time", "10", "-w", "%{http_code}", "-H", "Content-Type: application/json", "--data", body,
                    "http://\(server.addresses[0])/rpc",
                ]
            ).output
        }
        func result(_ body: String) throws -> NSDictionary? {
            let text = try call(body)
            #expect(text.hasSuffix("200"))
            return try JSONSerialization.jsonObject(with: Data(text.dropLast(3).utf8)) as? NSDictionary
        }
        #expect(
            try result(#"{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}"#)
                == ["jsonrpc": "2.0", "result": 19, "id": 1])
        #expect(
            try result(#"{"jsonrpc":"2.0","method":"subtract","params":{"subtrahend":23,"minuend":42},"id":"x"}"#)
                == ["jsonrpc": "2.0", "result": 19, "id": "x"])
        #expect(try result(#"{"jsonrpc":"2.0","method":"sleep","params":[0.05],"id":2}"#)?["id"] as? Int == 2)
        #expect(try call(#"{"jsonrpc":"2.0","method":"echo","params":["to nobody"]}"#) == "204")
        let missing = try result(#"{"jsonrpc":"2.0","method":"nosuch","id":3}"#)
        #expect((missing?["error"] as? NSDictionary)?["code"] as? Int == -32601)
        let unparsed = try result("{not json")
        #expect((unparsed?["error"] as? NSDictionary)?["code"] as? Int == -32700)
        let batch = try call(
            #"[{"jsonrpc":"2.0","method":"add","params":[1,2],"id":1},{"jsonrpc":"2.0","method":"add","params":[3,4],"id":2}]"#)
        let answers = try JSONSerialization.jsonObject(with: Data(batch.dropLast(3).utf8)) as? [NSDictionary]
        #expect(answers?.compactMap { $0["result"] as? Int } == [3, 7])
        #expect(server.stop() == 0)
    }

    /// What is in flight when the server is told to stop is answered; then it exits with 0.
    @Test(arguments: architectures)
    func stoppingLetsWhatIsInFlightEnd(_ architecture: String) throws {
        let server = try serve("rpc", architecture)
        let client = try TestClient(server.addresses[0])
        let body = #"{"jsonrpc":"2.0","method":"sleep","params":[0.5],"id":7}"#
        client.send("POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        usleep(150_000)
        server.signal(SIGTERM)
        let text = client.receiveToEnd().text
        #expect(text.hasPrefix("HTTP/1.1 200 "), "\(text)")
        #expect(text.contains(#""id":7"#))
        #expect(server.waitForExit() == 0)
    }

    @Test func aUnixSocketServes() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/http.sock"
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "unix:\(path)", "--listen", "[::1]:0"], listeners: 2)
        #expect(server.output.contains("listening on http://unix:\(path)"))
        #expect(try run("curl", ["-sS", "--unix-socket", path, "http://any/plaintext"]).output == "Hello, World!")
        #expect(try run("curl", ["-sS", "http://\(server.addresses[1])/plaintext"]).output == "Hello, World!")
        #expect(server.stop() == 0)
        // One that was killed leaves its path behind; the next one takes it over.
        let killed = try ServerProcess("reactor", ["serve", "http", "--listen", "unix:\(path)"])
        killed.signal(SIGKILL)
        _ = killed.waitForExit()
        let next = try ServerProcess("reactor", ["serve", "http", "--listen", "unix:\(path)"])
        #expect(next.stop() == 0)
    }
}
