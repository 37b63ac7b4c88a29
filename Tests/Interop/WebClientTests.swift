import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// The site of `reactor serve http`, as clients of many kinds use it.
@Suite(.timeLimit(.minutes(40))) struct WebClientTests {
    private static let some = ["reactor", "thread", "prefork"]

    private func serve(_ architecture: String, _ more: [String] = []) throws -> ServerProcess {
        try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--architecture", architecture] + more)
    }

    /// A file that no coding makes shorter, and its SHA-256.
    private func file(_ count: Int, in directory: TemporaryDirectory, _ name: String = "file.bin") throws -> (path: String, digest: String) {
        let path = directory.path + "/" + name
        var generator = SystemRandomNumberGenerator()
        try Data((0..<count / 8).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }).write(to: URL(filePath: path))
        return (path, String(try run("sha256sum", [path]).output.prefix(64)))
    }

    @Test(arguments: some)
    func curl(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let (path, digest) = try file(3_000_000, in: directory)
        let server = try serve(architecture, ["--root", directory.path, "--listing"])
        let base = "http://\(server.addresses[0])"
        func curl(_ target: String, _ arguments: String...) throws -> String {
            let result = try run("curl", ["-sS", "--max-time", "60"] + arguments + [base + target])
            #expect(result.status == 0, "\(target): \(result.errors)")
            return result.output
        }
        #expect(try curl("/upload", "-F", "a=b", "-F", "file=@\(path)").contains(digest))
        #expect(try curl("/upload", "-F", "file=@\(path)", "-H", "Transfer-Encoding: chunked").contains(digest))
        #expect(try curl("/inspect", "-T", path, "-H", "Expect: 100-continue").contains(digest))
        // Without waiting for what is refused: the length tells.
        #expect(try curl("/echo", "--data-binary", "@\(path)", "-o", "/dev/null", "-w", "%{http_code}") == "413")
        let copy = directory.path + "/copy"
        _ = try curl("/file.bin", "-o", copy)
        #expect(try run("cmp", [path, copy]).status == 0)
        _ = try curl("/file.bin", "-o", copy, "-r", "1000000-1999999", "-w", "%{http_code}")
        #expect(try run("cmp", ["-n", "1000000", "-i", "1000000:0", path, copy]).status == 0)
        let tag = try curl("/file.bin", "-I", "-o", "/dev/null", "-w", "%header{etag}")
        #expect(try curl("/file.bin", "-H", "If-None-Match: \(tag)", "-w", "%{http_code}") == "304")
        #expect(try curl("/", "-I").contains("HTTP/1.1 200 OK"))
        #expect(try curl("/site.js", "--compressed") == curl("/site.js"))
        #expect(try curl("/site.js", "--compressed", "-o", "/dev/null", "-w", "%header{content-encoding}") != "")
        #expect(try curl("/plaintext", "--http1.0") == "Hello, World!")
        #expect(try curl("/stream?bytes=5000000", "-o", "/dev/null", "-w", "%{size_download}") == "5000000")
        #expect(try curl("/sse?count=3&ms=20").contains("data: event 3 of 3"))
        #expect(try curl("/status/404", "-H", "Accept: application/json", "-w", "%{content_type}").contains("json"))
        #expect(server.stop() == 0)
    }

    @Test(arguments: ["reactor", "thread"])
    func curlSignsInAndOut(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let server = try serve(architecture)
        let jar = directory.path + "/jar"
        func curl(_ target: String, _ arguments: String...) throws -> String {
            try run("curl", ["-sSL", "--max-time", "30", "-b", jar, "-c", jar] + arguments + ["http://\(server.addresses[0])\(target)"]).output
        }
        #expect(try curl("/login", "-d", "name=Ada&password=reactor").contains("Hello, Ada"))
        #expect(try curl("/login").contains("Hello, Ada"))
        #expect(try curl("/logout", "-d", "").contains("name=\"password\""))
        #expect(try curl("/login").contains("name=\"password\""))
        #expect(server.stop() == 0)
    }

    @Test(arguments: some)
    func wget(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let (path, _) = try file(1_000_000, in: directory)
        let server = try serve(architecture, ["--root", directory.path])
        let base = "http://\(server.addresses[0])"
        let partial = directory.path + "/partial"
        try Data(contentsOf: URL(filePath: path)).prefix(300_000).write(to: URL(filePath: partial))
        let options = ["-q", "--tries=1", "--timeout=30"]
        #expect(try run("wget", options + ["-c", "-O", partial, base + "/file.bin"]).status == 0)
        #expect(try run("cmp", [path, partial]).status == 0)
        #expect(try run("wget", options + ["-O", "-", "--post-data=hello", base + "/echo"]).output == "hello")
        #expect(try run("wget", options + ["--spider", base + "/missing"]).status == 8)
        #expect(server.stop() == 0)
    }

    @Test(arguments: some)
    func pythonRequests(_ architecture: String) throws {
        let server = try serve(architecture)
        // Debian's Python, which has the library.
        let result = try run(
            "/usr/bin/python3",
            [
                "-c",
                """
                import hashlib, io, requests, sys
                base, architecture = sys.argv[1:]
                site = requests.Session()
                for index in range(20):
                    answer = site.get(base + "/json", timeout=30)
                    assert answer.json() == {"message": "Hello, World!"}, answer.text
                content = bytes(range(256)) * 5000
                parts = site.post(base + "/upload", files=[("f", ("a \\u00e9.bin", io.BytesIO(content))), ("g", ("empty", b""))], timeout=30).json()
                assert parts[0]["sha256"] == hashlib.sha256(content).hexdigest() and parts[0]["size"] == len(content), parts
                assert parts[0]["filename"] == "a \\u00e9.bin" and parts[1]["size"] == 0, parts
                seen = site.put(base + "/inspect?a=b", data=(content[at:at + 1000] for at in range(0, len(content), 1000)), timeout=30).json()
                assert seen["method"] == "PUT" and seen["body"]["length"] == len(content), seen
                page = site.get(base + "/", timeout=30)
                assert page.headers["Content-Encoding"] in ("gzip", "br", "zstd") and "Listening on" in page.text, page.headers
                with site.get(base + "/stream?bytes=3000000", stream=True, timeout=30) as answer:
                    assert sum(len(piece) for piece in answer.iter_content(65536)) == 3000000
                site.post(base + "/cookies", data={"name": "colour", "value": "blue"}, timeout=30)
                assert site.get(base + "/cookies", timeout=30).json() == {"cookies": [{"name": "colour", "value": "blue"}]}
                if architecture != "prefork":
                    assert "Hello, Ada" in site.post(base + "/login", data={"name": "Ada", "password": "reactor"}, timeout=30).text
                print("done")
                """, "http://\(server.addresses[0])", architecture,
            ])
        #expect(result.output == "done\n", "\(result.errors)")
        #expect(server.stop() == 0)
    }

    // MARK: Load

    @Test(arguments: some) func apacheBench(_ architecture: String) throws {
        let server = try serve(architecture)
        let result = try run("ab", ["-q", "-k", "-n", "2000", "-c", "16", "http://\(server.addresses[0])/plaintext"])
        let lines = result.output.split(separator: "\n")
        func value(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ":") }.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
        #expect(value("Complete requests") == "2000" && value("Failed requests") == "0", "\(result.output)\(result.errors)")
        #expect(value("Keep-Alive requests") == "2000" && value("Non-2xx responses") == nil)
        #expect(server.stop() == 0)
    }

    @Test(arguments: some) func h2load(_ architecture: String) throws {
        let server = try serve(architecture)
        let result = try run("h2load", ["--h1", "-n", "2000", "-c", "16", "-m", "4", "http://\(server.addresses[0])/plaintext"])
        #expect(result.output.contains("2000 done, 2000 succeeded, 0 failed, 0 errored"), "\(result.output)\(result.errors)")
        #expect(result.output.contains("status codes: 2000 2xx"))
        #expect(server.stop() == 0)
    }

    @Test(arguments: some) func wrk(_ architecture: String) throws {
        let server = try serve(architecture)
        let result = try run("wrk", ["-t", "1", "-c", "16", "-d", "1", "http://\(server.addresses[0])/plaintext"])
        #expect(result.status == 0 && result.output.contains("requests in"), "\(result.output)\(result.errors)")
        #expect(!result.output.contains("Socket errors") && !result.output.contains("Non-2xx"), "\(result.output)")
        #expect(server.stop() == 0)
    }

    // MARK: Logs

    @Test(arguments: architectures) func theAccessLogHasEveryRequest(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let log = directory.path + "/access.log"
        let server = try serve(architecture, ["--access-log", log, "--log-format", "json"])
        for index in 0..<5 {
            _ = try run("curl", ["-sS", "--max-time", "10", "http://\(server.addresses[0])/status/20\(index)"])
        }
        #expect(server.stop() == 0)
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        let statuses = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary }.compactMap { $0?["status"] as? Int }
        #expect(statuses.sorted() == [200, 201, 202, 203, 204], "\(lines)")
    }

    // MARK: Behind nginx

    /// As docs/guides/behind-nginx.md has it.
    ///
    /// - Parameter authority: of the servers' certificates, if they speak TLS.
    private static func nginx(
        _ pairs: [(listen: SocketAddress, server: SocketAddress)], _ directory: String, trusting authority: String? = nil
    ) -> Proxy.Program {
        let scheme = authority == nil ? "http" : "https"
        let trust = authority.map {
            "proxy_ssl_trusted_certificate \($0); proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2 TLSv1.3;"
        }
        let sites = pairs.enumerated().map { index, pair in
            """
            upstream site\(index) { server \(pair.server); keepalive 32; }
            server {
                listen \(pair.listen);
                location / {
                    proxy_pass \(scheme)://site\(index); \(trust ?? "")
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_set_header Host $host;
                    proxy_set_header X-Forwarded-For $remote_addr;
                    proxy_set_header X-Request-Id $request_id;
                    client_max_body_size 1g;
                    proxy_request_buffering off;
                }
            }
            """
        }
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory)/\($0);" }.joined(separator: " ")
        return .nginx(
            """
            daemon off; worker_processes 1; pid \(directory)/pid; error_log stderr;
            events { worker_connections 64; }
            http { access_log off; \(places) \(sites.joined(separator: "\n")) }
            """, in: directory)
    }

    @Test(arguments: some) func behindNginx(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let (path, digest) = try file(3_000_000, in: directory)
        let server = try serve(architecture, ["--root", directory.path])
        let proxy = try Proxy("nginx", for: server.addresses) { Self.nginx($0.map { (listen: $0.0, server: $0.1) }, $1) }
        let base = "http://\(proxy.addresses[0])"
        func curl(_ targets: [String], _ arguments: String...) throws -> String {
            try run("curl", ["-sS", "--max-time", "60"] + arguments + targets.map { base + $0 }).output
        }
        // Nginx keeps its connections: 50 requests of 50 clients need few.
        for _ in 0..<50 { #expect(try curl(["/plaintext"]) == "Hello, World!") }
        if architecture != "prefork" {
            let page = try run("curl", ["-sS", "http://\(server.addresses[0])/"]).output
            let marker = try #require(page.firstRange(of: "id=\"total-connections\">"))
            let connections = try #require(Int(page[marker.upperBound...].prefix { $0.isNumber }))
            #expect(connections <= 5, "\(connections) connections")
        }
        #expect(try curl(["/upload"], "-F", "file=@\(path)").contains(digest))
        let chunked = try curl(["/inspect"], "-T", path, "-H", "Transfer-Encoding: chunked")
        #expect(chunked.contains(digest) && chunked.contains(#""name":"Transfer-Encoding","value":"chunked""#))
        #expect(try curl(["/file.bin"], "-r", "0-99", "-o", "/dev/null", "-w", "%{http_code} %{size_download}") == "206 100")
        let tag = try curl(["/file.bin"], "-I", "-o", "/dev/null", "-w", "%header{etag}")
        #expect(try curl(["/file.bin"], "-H", "If-None-Match: \(tag)", "-w", "%{http_code}") == "304")
        #expect(try curl(["/stream?bytes=5000000"], "-o", "/dev/null", "-w", "%{size_download}") == "5000000")
        #expect(try curl(["/site.js"], "--compressed") == curl(["/site.js"]))
        try expectFirstEventEarly(proxy)
    }

    /// The first event comes while the second is ten seconds away.
    private func expectFirstEventEarly(_ proxy: Proxy) throws {
        let events = try TestClient(proxy.addresses[0])
        let began = ContinuousClock.now
        events.send("GET /sse?count=2&ms=10000 HTTP/1.1\r\nHost: a\r\n\r\n")
        var line = events.receiveLine()
        while !line.isEmpty && !line.hasPrefix("data: ") { line = events.receiveLine() }
        #expect(line.hasPrefix("data: event 1 of 2") && ContinuousClock.now - began < .seconds(9))
    }

    @Test(arguments: some) func behindNginxOverTLS(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let (path, digest) = try file(3_000_000, in: directory)
        let (ours, others) = (try Certificates(), try Certificates())
        try ours.makeAuthority()
        try ours.issue("server", serial: 1_000)
        try others.makeAuthority()
        let server = try serve(
            architecture, ["--root", directory.path, "--tls-cert", ours.path("server.pem"), "--tls-key", ours.path("server.key")])
        func proxy(trusting authority: String) throws -> Proxy {
            try Proxy("nginx", for: server.addresses) { Self.nginx($0.map { (listen: $0.0, server: $0.1) }, $1, trusting: authority) }
        }
        let front = try proxy(trusting: ours.authority)
        func curl(_ target: String, _ arguments: String..., through proxy: Proxy? = nil) throws -> String {
            try run("curl", ["-sS", "--max-time", "60"] + arguments + ["http://\((proxy ?? front).addresses[0])" + target]).output
        }
        for _ in 0..<20 { #expect(try curl("/plaintext") == "Hello, World!") }
        #expect(try curl("/upload", "-F", "file=@\(path)").contains(digest))
        #expect(try curl("/inspect", "-T", path, "-H", "Transfer-Encoding: chunked").contains(digest))
        #expect(try curl("/file.bin", "-o", directory.path + "/back") == "")
        #expect(FileManager.default.contentsEqual(atPath: path, andPath: directory.path + "/back"))
        #expect(try curl("/file.bin", "-r", "0-99", "-o", "/dev/null", "-w", "%{http_code} %{size_download}") == "206 100")
        #expect(try curl("/stream?bytes=5000000", "-o", "/dev/null", "-w", "%{size_download}") == "5000000")
        try expectFirstEventEarly(front)
        // It is TLS that nginx speaks, and with whom it should.
        let wary = try proxy(trusting: others.authority)
        #expect(try curl("/plaintext", "-o", "/dev/null", "-w", "%{http_code}", through: wary) == "502")
        #expect(server.stop() == 0)
    }
}
