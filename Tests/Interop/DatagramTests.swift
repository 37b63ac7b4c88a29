import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

/// `serve echo` and `serve time` over UDP and Unix datagrams, with socat and Python at the other end.
@Suite(.timeLimit(.minutes(40))) struct DatagramTests {
    private static let architectures = ["reactor", "thread", "thread-pool", "fork", "prefork", "iterative"]

    @Test(arguments: architectures)
    func echoAnswersOnEveryKindOfAddress(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/echo"
        let server = try ServerProcess(
            "reactor",
            [
                "serve", "echo", "--architecture", architecture, "--listen", "127.0.0.1:0", "--listen", "udp:127.0.0.1:0",
                "--listen", "udp:[::1]:0", "--listen", "unix-dgram:\(path)",
            ], listeners: 4)
        let addresses = server.addresses
        #expect(server.output.contains("listening on echo://127.0.0.1:"))
        #expect(server.output.contains("listening on echo+udp://127.0.0.1:"))
        #expect(server.output.contains("listening on echo+udp://[::1]:"))
        #expect(server.output.contains("listening on echo+unix-dgram://unix:\(path)"))
        for target in [
            "TCP4:\(addresses[0])", "UDP4:\(addresses[1])", "UDP6:\(addresses[2])",
            "UNIX-SENDTO:\(path),bind=\(directory.path)/client",
        ] {
            // A connection ends with the server's end of it; for a datagram's answer, socat waits that long in any case.
            let patience = target.hasPrefix("TCP") ? "-t20" : "-t0.6"
            let result = try run("socat", [patience, "-", target], input: "hello \(target)")
            #expect(result.output == "hello \(target)", "\(result.errors)")
        }
        #expect(server.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: architectures)
    func timeIsThatOfTheSystem(_ architecture: String) throws {
        let server = try ServerProcess(
            "reactor",
            ["serve", "time", "--architecture", architecture, "--listen", "127.0.0.1:0", "--listen", "udp:127.0.0.1:0"],
            listeners: 2)
        let program = """
            import socket, struct, sys, time
            tcp = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.settimeout(10)
            udp.sendto(b"", ("127.0.0.1", int(sys.argv[2])))
            answers = [tcp.recv(8), udp.recv(8)]
            assert tcp.recv(8) == b"", "the server closes"
            for answer in answers:
                seconds, = struct.unpack("!I", answer)
                assert abs(seconds - 2208988800 - time.time()) < 3, seconds
            print("in time")
            """
        let result = try python(program, "\(server.addresses[0].port ?? 0)", "\(server.addresses[1].port ?? 0)")
        #expect(result.output == "in time\n", "\(result.errors)")
        #expect(server.stop() == 0)
    }

    /// Two echo servers that are made to talk to each other stop at once; see `mayAnswer`.
    @Test(arguments: ["echo", "time"])
    func noReflectionLoops(_ command: String) throws {
        let server = try ServerProcess("reactor", ["serve", command, "--listen", "udp:0.0.0.0:0"])
        let program = """
            import socket, sys
            port = int(sys.argv[1])
            def answers(host, bind):
                client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                try:
                    client.bind(bind)
                except PermissionError:
                    return False
                client.settimeout(0.3)
                client.sendto(b"hello", (host, port))
                try:
                    return len(client.recv(10)) > 0
                except TimeoutError:
                    return False
            print(answers("127.0.0.1", ("127.0.0.1", 0)), answers("127.0.0.2", ("127.0.0.1", 0)))
            print(answers("127.0.0.1", ("127.0.0.9", 7)), answers("127.255.255.255", ("127.0.0.1", 0)))
            """
        let result = try python(program, "\(server.addresses[0].port ?? 0)")
        #expect(result.output == "True True\nFalse False\n", "\(result.errors)")
        #expect(server.stop() == 0)
    }

    @Test func aServerOnTheSamePortIsNotAnswered() throws {
        let server = try ServerProcess("reactor", ["serve", "echo", "--listen", "udp:127.0.0.1:0"])
        let port = server.addresses[0].port ?? 0
        // Its twin on another address of this machine.
        let twin = try ServerProcess("reactor", ["serve", "echo", "--listen", "udp:127.0.0.2:\(port)"])
        #expect(twin.stop() == 0)
        let program = """
            import socket, sys
            port = int(sys.argv[1])
            forged = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            forged.bind(("127.0.0.2", port))
            forged.settimeout(0.3)
            forged.sendto(b"hello", ("127.0.0.1", port))
            try:
                print(forged.recv(10))
            except TimeoutError:
                print("silence")
            """
        #expect(try python(program, "\(port)").output == "silence\n")
        #expect(server.stop() == 0)
    }

    /// Sockets that another program has bound: what is told with a datagram is turned on, and their path stays.
    @Test(arguments: architectures)
    func socketsHandedOverAreServed(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let program = """
            import os, socket, subprocess, sys
            directory = sys.argv[2]
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("0.0.0.0", 0))
            unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            unix.bind(directory + "/echo")
            server = subprocess.Popen(
                [sys.argv[1], "serve", "echo", "--listen", "fd:%d" % udp.fileno(), "--listen", "fd:%d" % unix.fileno()] + sys.argv[3:],
                pass_fds=(udp.fileno(), unix.fileno()), stderr=subprocess.PIPE, text=True)
            print(server.stderr.readline().split("://")[0], server.stderr.readline().split("://")[0])
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            client.settimeout(5)
            # Connected, it hears only the address that it asks.
            client.connect(("127.0.0.2", udp.getsockname()[1]))
            client.send(b"hello")
            print(client.recv(10))
            local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            local.settimeout(5)
            local.bind(directory + "/client")
            local.sendto(b"hello", directory + "/echo")
            print(local.recv(10))
            server.terminate()
            print(server.wait(10), os.path.exists(directory + "/echo"))
            """
        let result = try python(
            program, ServerProcess.executable("reactor").path, directory.path, "--architecture", architecture)
        #expect(
            result.output == "listening on echo+udp listening on echo+unix-dgram\nb'hello'\nb'hello'\n0 True\n", "\(result.errors)")
    }

    @Test func aBatchOfOneServesAsWell() throws {
        let server = try ServerProcess("reactor", ["serve", "echo", "--listen", "udp:127.0.0.1:0", "--datagram-batch", "1"])
        let client = try TestDatagramClient(server.addresses[0])
        for number in 0..<100 { client.send("\(number)") }
        for number in 0..<100 { #expect(client.receive() == "\(number)") }
        #expect(server.stop() == 0)
    }

    @Test(arguments: [
        (["http", "--listen", "udp:127.0.0.1:0"], "serve http needs connections"),
        (["rpc", "--listen", "unix-dgram:/tmp/none"], "serve rpc needs connections"),
        (
            ["smtp", "--listen", "udp:127.0.0.1:0", "--spool", "/nonexistent/spool", "--next-hop", "127.0.0.1:25"],
            "serve smtp needs connections"
        ),
        (["echo", "--listen", "udp:nowhere"], "host:port"), (["echo", "--listen", "udp:unix:/tmp/none"], "host:port"),
        (["echo", "--listen", "unix-dgram:"], "unix:/path"),
        (["echo", "--listen", "udp:127.0.0.1:0", "--datagram-batch", "0"], "from 1 to 64"),
        (["echo", "--listen", "udp:127.0.0.1:0", "--datagram-batch", "65"], "from 1 to 64"),
    ])
    func mistakesAreSaidInOneLine(_ arguments: [String], _ hint: String) throws {
        let result = try run(ServerProcess.executable("reactor").path, ["serve"] + arguments, seconds: 10)
        #expect(result.status == 64)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("reactor: ") && result.errors.contains(hint), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    @Test func addressesInUseAreSaidInOneLine() throws {
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(
            "reactor", ["serve", "echo", "--listen", "udp:127.0.0.1:0", "--listen", "unix-dgram:\(directory.path)/echo"],
            listeners: 2)
        for (address, hint) in [
            ("udp:\(server.addresses[0])", "choose another port"), ("unix-dgram:\(directory.path)/echo", "choose another path"),
        ] {
            for more in [[], ["--loops", "2"], ["--architecture", "prefork"]] {
                let result = try run(ServerProcess.executable("reactor").path, ["serve", "time", "--listen", address] + more, seconds: 10)
                #expect(result.status == 1 && result.errors.contains(hint), "\(result.errors)")
            }
        }
        #expect(server.stop() == 0)
    }
}
