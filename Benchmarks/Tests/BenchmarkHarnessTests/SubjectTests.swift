import Glibc
import Testing

@testable import BenchmarkHarness

/// With the servers themselves, those that are there.
@Suite(.serialized, .timeLimit(.minutes(40))) struct SubjectTests {
    static let environment = Environment.ofThisPackage
    private static let services: [Service] = [.http, .shortHTTP, .block, .burn, .mix, .bytes, .echo, .rpc, .sink]

    /// Subjects are named, because a failed test shows its arguments.
    static let offers: [(String, Service)] = Subject.all.flatMap { subject in
        let isBuilt = !subject.isReactor || access(environment.executables.reactor, X_OK) == 0
        return isBuilt && subject.isInstalled(environment.executables) ? services.filter(subject.offers).map { (subject.name, $0) } : []
    }

    /// Its configuration is taken, it answers what it is asked before it is measured, serves, and ends when told to.
    @Test(arguments: offers)
    func servesWhatItOffers(_ name: String, _ service: Service) throws {
        let subject = try Subject.named(name)
        let server = try ServerProcess.start(subject, service, workers: 3, in: Self.environment)
        #expect(server.url.contains(":\(server.port)"))
        // Others are served beside, once they are there: as many as it was started for.
        if service != .shortHTTP, name != "iterative" {
            let herd = try ConnectionHerd(count: 3, port: server.port, service: service)
            herd.disperse()
        }
        try server.stop()
    }

    @Test func everyServiceHasAFloorWhereHandlersDoNothingElse() {
        for service in [Service.http, .shortHTTP, .bytes, .echo, .rpc, .sink] { #expect(Subject.floor.offers(service)) }
    }
}

/// What goes wrong is said, with what the server printed.
@Suite(.timeLimit(.minutes(40))) struct WrongSubjectTests {
    private func failure(_ subject: Subject, _ service: Service) -> String {
        do {
            try ServerProcess.start(subject, service, workers: 1, in: .ofThisPackage).stop()
            return "none"
        } catch { return "\(error)" }
    }

    private func floor(_ mode: String) -> Subject {
        Subject(name: "wrong", summary: "", command: { _, _, executables in [executables.floor, mode] })
    }

    private func python(_ script: String) -> Subject {
        Subject(name: "wrong", summary: "", command: { _, _, _ in ["/usr/bin/python3", "-c", script] }, hasExactFields: false)
    }

    /// Answers everything with a body, at once.
    private func answering(_ body: String, type: String = "text/plain") -> Subject {
        python(
            """
            from http.server import *
            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                def do_GET(self):
                    self.rfile.read(int(self.headers.get("Content-Length", 0)))
                    self.send_response(200)
                    self.send_header("Content-Type", "\(type)")
                    body = b'''\(body)'''
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                do_POST = do_GET
            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
            server.serve_forever()
            """)
    }

    @Test(arguments: [
        ("http", Service.block, "GET /block was answered HTTP/1.1 404 Not Found"),
        ("http", .mix, "GET /mix was answered HTTP/1.1 404"), ("rpc", .http, "HTTP/1.1 400 Bad Request"),
        ("http", .rpc, "the answer was HTTP/1.1 400"), ("rpc", .sink, "no answer"), ("smtp", .http, "behind \"220 floor.example ESMTP | 500 no such command"),
        ("smtp", .echo, "came back as"),
    ])
    func whatAnswersSomethingElseIsNamed(_ mode: String, _ service: Service, _ expected: String) {
        let failure = failure(floor(mode), service)
        #expect(failure.contains(expected) && failure.contains("it printed: listening on \(mode)://"), "\(failure)")
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0), arguments: [
        (Service.mix, "Hello, World?", "with the body \"Hello, World?\""), (.bytes, "1000000000000000", "the body was \"1000000000000000\""),
    ])
    func whatOnlyLooksRightIsNamed(_ service: Service, _ body: String, _ expected: String) {
        let failure = failure(answering(body), service)
        #expect(failure.contains(expected), "\(failure)")
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0), arguments: [
        #"{"jsonrpc":"2.0","result":20,"id":1}"#, #"{"jsonrpc":"2.0","result":19,"id":2}"#, #"{"result":19,"id":1}"#,
        #"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#, "19",
    ])
    func aWrongResultIsNamed(_ answer: String) {
        let failure = failure(answering(answer, type: "application/json"), .rpc)
        #expect(failure.contains("subtract of 42 and 23 with the id 1 was answered \"\(answer)\""), "\(failure)")
    }

    /// Where it is left out by servers that answer at once.
    @Test func workThatIsNotDoneIsNamed() throws {
        try ClientConnection.check("/block?ms=20", took: .milliseconds(20), atLeast: .milliseconds(20))
        #expect {
            try ClientConnection.check("/block?ms=20", took: .milliseconds(19), atLeast: .milliseconds(20))
        } throws: {
            "\($0)" == "GET /block?ms=20 was answered after 0.019 seconds in all: the work, 0.02 seconds, was not done"
        }
    }

    @Test func whatEndsAtOnceIsNamedWithItsLog() {
        let failure = failure(.shell("dead", "echo no such option >&2; exit 3"), .http)
        #expect(failure == "the server ended at once (status 3); it printed: no such option")
    }

    /// It lets the harness connect, says something, and ends.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0)) func whatDiesOfAQuestionIsNamedWithItsLog() {
        let failure = failure(
            python(
                """
                import socket, sys
                server = socket.create_server(("127.0.0.1", 0))
                print(f"listening on http://127.0.0.1:{server.getsockname()[1]}", flush=True)
                connection = server.accept()[0]
                connection.recv(100)
                print("out of ideas", flush=True)
                sys.exit(7)
                """), .http)
        #expect(failure.contains("out of ideas"), "\(failure)")
        #expect(failure.contains("the server died (status 7)") || failure.contains("closed the connection"), "\(failure)")
    }

    /// Each takes as long as is waited for it.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0), arguments: [true, false])
    func whatHangsIsNamedWithItsLog(_ listens: Bool) {
        let silent = python(
            """
            import socket, time
            server = socket.create_server(("127.0.0.1", 0))
            print(f"listening on http://127.0.0.1:{server.getsockname()[1]}", flush=True)
            time.sleep(60)
            """)
        let failure = failure(listens ? silent : .shell("hanging", "echo thinking; exec sleep 60"), .http)
        #expect(failure.hasPrefix(listens ? "no answer" : "the server was not listening after 10 s; it printed: thinking"), "\(failure)")
        #expect(failure.contains("it printed: "))
    }
}
