import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

/// TLS as real clients see it: OpenSSL's, curl's and Python's.
@Suite(.timeLimit(.minutes(40))) struct TLSTests {
    private let certificates: Certificates

    init() throws {
        certificates = try Certificates()
        try certificates.makeAuthority()
        try certificates.issue("server", serial: 1_000)
    }

    private func serve(_ kind: String, _ architecture: String = "reactor", _ more: [String] = []) throws -> ServerProcess {
        try ServerProcess(
            "reactor",
            ["serve", kind, "--listen", "127.0.0.1:0", "--architecture", architecture] + more
                + ["--tls-cert", certificates.path("server.pem"), "--tls-key", certificates.path("server.key")])
    }

    private func curl(_ server: ServerProcess, _ arguments: [String], path: String = "/plaintext") throws -> CommandResult {
        let port = server.addresses[0].port ?? 0
        return try run(
            "curl",
            ["-sS", "--max-time", "20", "--cacert", certificates.authority] + arguments + ["https://localhost:\(port)\(path)"])
    }

    /// A request over openssl s_client, which says how the connection came about.
    private func sClient(_ server: ServerProcess, _ arguments: [String]) throws -> String {
        let result = try run(
            "openssl",
            ["s_client", "-connect", server.addresses[0].description, "-CAfile", certificates.authority]
                + ["-verify_return_error", "-servername", "localhost", "-ign_eof"] + arguments,
            input: "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", seconds: 20)
        return result.output + result.errors
    }

    @Test(arguments: architectures) func curlSpeaksToEveryArchitecture(_ architecture: String) throws {
        let files = try TemporaryDirectory()
        try files.write(String(repeating: "0123456789", count: 150_000), to: "large")
        let server = try serve("http", architecture, ["--root", files.path])
        #expect(server.output.contains("listening on https://"))
        #expect(try curl(server, []).output == "Hello, World!")
        #expect(try curl(server, ["-o", files.path + "/back"], path: "/large").status == 0)
        #expect(FileManager.default.contentsEqual(atPath: files.path + "/large", andPath: files.path + "/back"))
        let upload = String(repeating: "x", count: 900_000)
        try files.write(upload, to: "upload")
        #expect(try curl(server, ["--data-binary", "@\(files.path)/upload"], path: "/echo").output == upload)
        let plain = try run("curl", ["-sS", "--max-time", "10", "-w", "%{http_code}", "http://\(server.addresses[0])/"])
        #expect(plain.output == "This port speaks TLS: use https:// to talk to it.\n400")
        #expect(server.stop() == 0)
    }

    /// Tickets are good in every loop, thread and process, before and after the certificates are read anew.
    @Test(arguments: architectures, ["-tls1_2", "-tls1_3"]) func sessionsAreResumed(_ architecture: String, _ version: String) throws {
        let more = architecture == "reactor" ? ["--loops", "2"] : []
        let server = try serve("http", architecture, more)
        var session = certificates.path("session")
        #expect(try sClient(server, [version, "-sess_out", session]).contains("\nNew, TLSv1"))
        for round in 0..<4 {
            if round == 2 { server.signal(SIGHUP) }
            // TLS 1.3 gives a new ticket for each that is used (RFC 8446 appendix C.4); 1.2's may be used again.
            let next = session + "\(round)"
            let result = try sClient(server, [version, "-sess_in", session, "-sess_out", next])
            if version == "-tls1_3" { session = next }
            #expect(result.contains("\nReused, TLSv1") && result.contains("Hello, World!"), "round \(round): \(result)")
        }
        #expect(server.stop() == 0)
    }

    @Test func onlyWhatTheProfileHasIsSpoken() throws {
        let server = try serve("http")
        let result = try run("sslscan", ["--no-colour", "--no-heartbleed", server.addresses[0].description])
        let lines = result.output.split(separator: "\n").map(String.init)
        for version in ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"] {
            #expect(lines.contains { $0.hasPrefix(version) && $0.hasSuffix("disabled") }, "\(result.output)")
        }
        for version in ["TLSv1.2", "TLSv1.3"] {
            #expect(lines.contains { $0.hasPrefix(version) && $0.hasSuffix("enabled") }, "\(result.output)")
        }
        #expect(result.output.contains("Session renegotiation not supported"))
        let ciphers = lines.filter { $0.hasPrefix("Preferred") || $0.hasPrefix("Accepted") }
        #expect(ciphers.count >= 5)
        for line in ciphers { #expect(line.contains("GCM") || line.contains("CHACHA20"), "\(line)") }
    }

    @Test(arguments: ["reactor", "thread", "prefork"]) func pythonSeesACleanEnd(_ architecture: String) throws {
        let server = try serve("http", architecture)
        let result = try python(
            """
            import socket, ssl, sys
            context = ssl.create_default_context(cafile=sys.argv[2])
            context.set_alpn_protocols(["h2", "http/1.1"])
            raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
            # With ragged ends not suppressed, a stream without close_notify is an error.
            with context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False) as tls:
                print(tls.version(), tls.selected_alpn_protocol())
                tls.sendall(b"GET /plaintext HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
                answer = b""
                while True:
                    piece = tls.recv(4096)
                    if not piece: break
                    answer += piece
                print(answer.split(b"\\r\\n\\r\\n")[1].decode())
            """, "\(server.addresses[0].port ?? 0)", certificates.authority)
        #expect(result.output == "TLSv1.3 http/1.1\nHello, World!\n", "\(result.errors)")
    }

    /// The handshake and a request, each byte in a packet of its own.
    @Test(arguments: ["reactor", "thread"]) func recordsMayComeByteByByte(_ architecture: String) throws {
        let server = try serve("http", architecture)
        let result = try python(
            """
            import socket, ssl, sys
            context = ssl.create_default_context(cafile=sys.argv[2])
            raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
            def flush():
                for byte in outgoing.read(): raw.send(bytes([byte]))
            def drive(step):
                while True:
                    try:
                        result = step()
                        flush()
                        return result
                    except ssl.SSLWantReadError:
                        flush()
                        data = raw.recv(1)
                        incoming.write(data) if data else incoming.write_eof()
            drive(tls.do_handshake)
            drive(lambda: tls.write(b"GET /plaintext HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"))
            print(drive(lambda: tls.read(4096)).split(b"\\r\\n\\r\\n")[1].decode())
            """, "\(server.addresses[0].port ?? 0)", certificates.authority)
        #expect(result.output == "Hello, World!\n", "\(result.errors)")
    }

    @Test func clientsMustShowTheirCertificate() throws {
        try certificates.issue("client", for: "email:a@example.org", serial: 2_000, purpose: "clientAuth")
        let server = try serve("http", "reactor", ["--tls-client-ca", certificates.authority])
        let identity = ["--cert", certificates.path("client.pem"), "--key", certificates.path("client.key")]
        #expect(try curl(server, identity).output == "Hello, World!")
        #expect(try curl(server, []).status != 0)
        // For servers only.
        let wrong = ["--cert", certificates.path("server.pem"), "--key", certificates.path("server.key")]
        #expect(try curl(server, wrong).status != 0)
        _ = server.stop()
        #expect(server.output.contains("the peer's certificate is missing"))
        #expect(server.output.contains("the peer's certificate is for another purpose"))
    }

    /// SIGHUP: those who come get the new certificate, those who are there stay, and a broken one changes nothing.
    @Test(arguments: architectures) func certificatesAreReadAnew(_ architecture: String) throws {
        // More than one worker, so that one is free while the first connection is held.
        let server = try serve("http", architecture, architecture == "prefork" ? ["--workers", "3"] : [])
        try certificates.issue("fresh", serial: 4_000)
        let result = try python(
            """
            import os, shutil, signal, socket, ssl, sys, time
            port, ca, folder, pid, alone = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "iterative"
            def connect():
                raw = socket.create_connection(("127.0.0.1", port), timeout=10)
                return ssl.create_default_context(cafile=ca).wrap_socket(raw, server_hostname="localhost")
            def ask(tls):
                tls.sendall(b"GET /plaintext HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
                return tls.recv(4096).endswith(b"Hello, World!")
            def serial():
                with connect() as tls: return int(tls.getpeercert()["serialNumber"], 16)
            def reload(name):
                for kind in ("pem", "key"): shutil.copy(f"{folder}/{name}.{kind}", f"{folder}/server.{kind}")
                os.kill(pid, signal.SIGHUP)
            def settle(wanted):
                end = time.monotonic() + 10
                while serial() != wanted and time.monotonic() < end: time.sleep(0.02)
                return [serial() for _ in range(6)]
            for kind in ("pem", "key"): shutil.copy(f"{folder}/server.{kind}", f"{folder}/old.{kind}")
            held = None if alone else connect()
            print(serial(), alone or ask(held))
            reload("fresh")
            print(settle(4000), alone or ask(held))
            shutil.copy(f"{folder}/old.key", f"{folder}/fresh.key")
            reload("fresh")
            time.sleep(0.5)
            print(settle(4000), alone or ask(held))
            """, "\(server.addresses[0].port ?? 0)", certificates.authority, certificates.directory.path,
            "\(server.process.processIdentifier)", architecture)
        let all = "[4000, 4000, 4000, 4000, 4000, 4000] True"
        #expect(result.output == "1000 True\n\(all)\n\(all)\n", "\(result.errors) \(server.output)")
        #expect(server.output.contains("certificates read anew"))
        #expect(server.output.contains("the certificates stay as they were"))
        #expect(server.stop() == 0)
    }

    @Test func mailIsTakenUnderSTARTTLS() throws {
        let spool = try TemporaryDirectory()
        let server = try serve("smtp", "reactor", ["--spool", spool.path, "--next-hop", "127.0.0.1:1", "--hostname", "mx.test"])
        let result = try run(
            "swaks",
            ["--server", server.addresses[0].description, "--from", "a@example.org", "--to", "b@example.org", "--tls"]
                + ["--tls-verify", "--tls-ca-path", certificates.authority, "--tls-sni", "localhost", "--body", "hello"])
        #expect(result.status == 0, "\(result.output) \(result.errors)")
        #expect(result.output.contains("=== TLS started with cipher TLSv1.3"))
        let python = try python(
            """
            import smtplib, ssl, sys
            with smtplib.SMTP("localhost", int(sys.argv[1]), timeout=10) as client:
                client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
                print(client.has_extn("starttls"))
                client.sendmail("a@example.org", ["b@example.org"], "Subject: hi\\r\\n\\r\\nhello\\r\\n")
                print(client.has_extn("starttls"))
            """, "\(server.addresses[0].port ?? 0)", certificates.authority)
        // Not yet asked, then asked under TLS, where it is offered no more.
        #expect(python.output == "False\nFalse\n", "\(python.errors)")
        #expect(server.stop() == 0)
    }

    @Test func aNewcomerNeedsNoCertificate() throws {
        let server = try ServerProcess("reactor", ["serve", "rpc", "--listen", "127.0.0.1:0", "--tls-self-signed"])
        #expect(server.output.contains("made a certificate for localhost"))
        let answer = try run(
            "curl",
            ["-sSk", "-H", "Content-Type: application/json", "https://\(server.addresses[0])/rpc", "--data"]
                + [#"{"jsonrpc":"2.0","method":"add","params":[1,2],"id":1}"#])
        #expect(answer.output.contains(#""result":3"#), "\(answer.errors)")
    }

    @Test(arguments: [
        (["--tls-cert", "missing.pem", "--tls-key", "missing.key"], "missing.pem"),
        (["--tls-cert", "server.pem", "--tls-key", "other.key"], "other.key"),
        (["--tls-cert", "server.key", "--tls-key", "server.key"], "server.key"),
        (["--tls-cert", "server.pem"], "--tls-key"),
        (["--tls-client-ca", "ca.pem"], "--tls-cert"),
        (["--tls-self-signed", "--tls-cert", "server.pem", "--tls-key", "server.key"], "not both"),
    ]) func aBadConfigurationIsRefused(_ arguments: [String], _ named: String) throws {
        try certificates.issue("other", serial: 3_000)
        let paths = arguments.map { $0.hasPrefix("--") ? $0 : certificates.path($0) }
        let result = try run(
            ServerProcess.executable("reactor").path, ["serve", "http", "--listen", "127.0.0.1:0"] + paths, seconds: 10)
        #expect(result.status != 0 && result.status != 124)
        #expect(result.errors.hasPrefix("reactor: ") && result.errors.contains(named), "\(result.errors)")
    }

    /// Whatever is sent instead of a handshake, the next client is served.
    @Test(arguments: ["reactor", "thread-pool", "prefork"]) func garbageHarmsNobody(_ architecture: String) throws {
        let server = try serve("http", architecture)
        let result = try python(
            """
            import os, random, socket, sys
            seed = int.from_bytes(os.urandom(4), "big")
            print("seed", seed, file=sys.stderr)
            random.seed(seed)
            hello = bytes.fromhex("16030100a5010000a10303") + random.randbytes(160)
            def send(data, read=True):
                with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as client:
                    try:
                        client.sendall(data)
                        client.shutdown(socket.SHUT_WR)
                        while read and client.recv(65536): pass
                    except (ConnectionResetError, BrokenPipeError): pass
            for data in [b"", b"\\0" * 70000, b"\\x16\\x03\\x01\\xff\\xff", b"\\x80\\x2e\\x01\\x03\\x01", hello, b"SSH-2.0-x\\r\\n"]:
                send(data)
                send(data, read=False)
            for _ in range(60):
                cut = hello[:random.randrange(len(hello))] if random.random() < 0.5 else random.randbytes(random.randrange(300))
                send(cut, read=random.random() < 0.5)
            print("sent")
            """, "\(server.addresses[0].port ?? 0)")
        #expect(result.output == "sent\n", "\(result.errors)")
        #expect(try curl(server, []).output == "Hello, World!")
        #expect(server.stop() == 0)
    }

    /// Peers that stop in the middle of the handshake, or go: cut off after its ten seconds, and the others are served.
    @Test(arguments: architectures) func aHandshakeThatStallsIsCutOff(_ architecture: String) throws {
        let server = try serve("http", architecture, architecture == "prefork" ? ["--workers", "4"] : [])
        let result = try python(
            """
            import socket, ssl, sys, time
            address = ("127.0.0.1", int(sys.argv[1]))
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = ssl.create_default_context(cafile=sys.argv[2]).wrap_bio(incoming, outgoing, server_hostname="localhost")
            try: tls.do_handshake()
            except ssl.SSLWantReadError: pass
            hello = outgoing.read()
            gone = socket.create_connection(address)
            gone.sendall(hello)
            gone.close()
            began = time.monotonic()
            stalled = []
            for sent in [hello[:100], hello]:
                client = socket.create_connection(address, timeout=40)
                client.sendall(sent)
                stalled.append(client)
            def drain(client):
                try:
                    while client.recv(65536): pass
                except ConnectionResetError: pass
            for client in stalled: drain(client)
            took = time.monotonic() - began
            # One after the other where there is one to serve them.
            print("cut off" if 9 < took < 35 else took)
            """, "\(server.addresses[0].port ?? 0)", certificates.authority)
        #expect(result.output == "cut off\n", "\(result.errors)")
        #expect(try curl(server, []).output == "Hello, World!")
        #expect(server.stop() == 0)
        #expect(server.output.contains("the TLS handshake took too long"))
    }
}
