import Foundation
import TestSupport
import Testing

/// Sockets that a service manager holds: handed over as systemd does (sd_listen_fds(3)), by a manager in Python.
@Suite(.timeLimit(.minutes(40))) struct ActivationTests {
    private static let manager = """
        import os, signal, socket, struct, sys, time
        reactor, architecture, directory = sys.argv[1:4]
        path = directory + "/activated"
        tcp, unix, udp = socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind(("127.0.0.1", 0)); tcp.listen(16)
        unix.bind(path); unix.listen(16)
        udp.bind(("127.0.0.1", 0))
        sockets = [tcp, unix, udp]

        def start(listen):
            child = os.fork()
            if child == 0:
                # Past 3 to 5, then down to them, so that none overwrites another.
                high = [os.dup2(each.fileno(), 100 + number) for number, each in enumerate(sockets)]
                for number, each in enumerate(high): os.dup2(each, 3 + number)
                os.closerange(6, 200)
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="3", LISTEN_FDNAMES="web:local:datagrams")
                os.execv(reactor, [reactor, "serve", "echo", "--architecture", architecture] + listen)
            return child

        def stop(child):
            os.kill(child, signal.SIGTERM)
            assert os.waitpid(child, 0)[1] == 0

        def echoes(connection):
            connection.settimeout(20)
            connection.sendall(b"hello")
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(100), b""))
            assert answer == b"hello", answer

        def over_unix():
            connection = socket.socket(socket.AF_UNIX); connection.connect(path)
            return connection

        # Connected before anybody serves: they wait.
        waiting = [socket.create_connection(tcp.getsockname()), over_unix()]
        child = start(["--listen", "systemd"])
        for connection in waiting: echoes(connection)
        client = socket.socket(type=socket.SOCK_DGRAM); client.settimeout(20)
        client.sendto(b"datagram", udp.getsockname())
        assert client.recv(100) == b"datagram"
        stop(child)
        # The sockets are the manager's: they outlive the service, and so does the path.
        assert os.path.exists(path)
        waiting = [socket.create_connection(tcp.getsockname()), over_unix()]
        child = start(["--listen", "systemd:web", "--listen", "fd:4"])
        for connection in waiting: echoes(connection)
        stop(child)
        print("done")
        """

    @Test(arguments: architectures)
    func socketsAreHandedOver(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let result = try python(Self.manager, ServerProcess.executable("reactor").path, architecture, directory.path)
        #expect(result.output == "done\n", "\(result.errors)")
    }

    @Test func systemdsOwnToolHandsThemOver() throws {
        // Not everywhere: the manager above does the same.
        let tool = "/usr/bin/systemd-socket-activate"
        guard FileManager.default.isExecutableFile(atPath: tool) else { return }
        let directory = try TemporaryDirectory()
        let result = try python(
            """
            import socket, subprocess, sys, time
            tool, reactor, path = sys.argv[1:4]
            manager = subprocess.Popen([tool, "-l", path, "--fdname=web", reactor, "serve", "http", "--listen", "systemd:web"])
            for _ in range(1000):
                try:
                    connection = socket.socket(socket.AF_UNIX); connection.settimeout(20); connection.connect(path); break
                except OSError: time.sleep(0.01)
            connection.sendall(b"GET /plaintext HTTP/1.0\\r\\n\\r\\n")
            answer = b"".join(iter(lambda: connection.recv(1000), b""))
            manager.terminate()
            assert answer.endswith(b"Hello, World!"), answer
            assert manager.wait() == 0
            print("done")
            """, tool, ServerProcess.executable("reactor").path, directory.path + "/activated")
        #expect(result.output == "done\n", "\(result.errors)")
    }

    @Test(arguments: [
        (["--listen", "systemd"], "handed over no socket"),
        (["--listen", "fd:0"], "no socket to listen on"),
        (["--listen", "fd:x"], "is not an address"),
    ])
    func whatIsNotThereIsSaid(_ arguments: [String], _ words: String) throws {
        let result = try run(ServerProcess.executable("reactor").path, ["serve", "echo"] + arguments)
        #expect(result.status == 64 && result.errors.contains(words), "\(result.status): \(result.errors)")
    }
}
