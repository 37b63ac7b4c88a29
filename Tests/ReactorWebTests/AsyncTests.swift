import ConnectionHandling
import Glibc
import HTTPTestSupport
import HTTPTypes
import Reactor
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import ServerArchitectures
import Synchronization
import TestSupport
import Testing

/// What tasks did.
final class Notes: Sendable {
    private let notes = Mutex<[String]>([])
    func add(_ note: String) { notes.withLock { $0.append(note) } }
    var all: [String] { notes.withLock { $0 } }
}

private struct User: Codable, Equatable {
    let id: Int
    let name: String
}

private struct Unspeakable: Error { let secret = "secret" }

func site(_ notes: Notes = Notes()) -> Router {
    var router = Router()
    router.get("/text") { _ in "hello" }
    router.get("/users/{id}") { request in
        User(id: try request.parameter("id"), name: "Ann")
    }
    router.get("/maybe/{name}") { request -> String? in request.parameter("name") == "yes" ? "yes" : nil }
    router.get("/slow") { _ -> String in
        await Task.yield()
        try await Task.sleep(for: .milliseconds(2))
        return "slow"
    }
    router.post("/users") { request -> JSON<User> in JSON(try await request.decode(as: User.self), status: HTTPStatus(201)) }
    router.get("/status") { _ in HTTPStatus.noContent }
    router.get("/fail/{how}") { request -> Response in
        if request.parameter("how") == "known" { throw HTTPError(.forbidden, "secret", fields: [.wwwAuthenticate: "Basic"]) }
        throw Unspeakable()
    }
    router.put("/upload", .streamed(limit: 1 << 30)) { request -> String in
        var (pieces, bytes) = (0, 0)
        for try await piece in request.body { (pieces, bytes) = (pieces + 1, bytes + piece.count) }
        notes.add("\(pieces) pieces")
        return "\(bytes) \(request.body.trailers[.init("x-sum") ?? .te] ?? "-")"
    }
    router.put("/collect/{limit}", .streamed()) { request -> String in
        String(decoding: try await request.body.collect(upTo: try request.parameter("limit")), as: UTF8.self)
    }
    router.put("/early", .streamed()) { _ -> String in "not read" }
    router.put("/echo", .streamed(limit: 1 << 30)) { request in
        Response(contentType: "application/octet-stream", .stream { writer in
            for try await piece in request.body { try await writer.write(piece) }
            writer.trailers[.init("x-done") ?? .te] = "yes"
        })
    }
    router.get("/stream/{count}") { request -> Response in
        let count: Int = try request.parameter("count")
        return Response(contentType: "text/plain", .stream(length: count * 1_000) { writer in
            do {
                for _ in 0..<count { try await writer.write([UInt8](repeating: 120, count: 1_000)) }
                notes.add("written")
            } catch {
                notes.add("\(type(of: error))")
                throw error
            }
        })
    }
    router.get("/short") { _ in Response(contentType: "text/plain", .stream(length: 10) { try await $0.write("five!") }) }
    router.get("/long") { _ in Response(contentType: "text/plain", .stream(length: 3) { try await $0.write("five!") }) }
    router.get("/hang") { _ -> String in
        notes.add("hangs")
        do { try await Task.sleep(for: .seconds(600)) } catch { notes.add("cancelled") }
        return "late"
    }
    return router
}

@Suite(.timeLimit(.minutes(40))) struct AsyncTests {
    private func text(_ input: String, errors: ErrorHandler? = { _, _ in }) -> String {
        let driver = driver(site(), errors: errors)
        driver.receive(input)
        return driver.takeOutput()
    }

    @Test func valuesBecomeAnswers() {
        #expect(text(request("GET /text")) == answer("200 OK", "content-type: text/plain; charset=utf-8", body: "hello")
            || text(request("GET /text")) == answer("200 OK", "Content-Type: text/plain; charset=utf-8", body: "hello"))
        #expect(text(request("GET /status")) == answer("204 No Content"))
        #expect(text(request("GET /slow")).hasSuffix("\r\n\r\nslow"))
        #expect(text(request("GET /maybe/yes")).hasSuffix("\r\n\r\nyes"))
        #expect(text(request("GET /maybe/no")).hasPrefix("HTTP/1.1 404 "))
        let user = text(request("GET /users/7"))
        #expect(user.contains("ontent-Type: application/json\r\n") && user.contains("\"id\":7") && user.contains("\"name\":\"Ann\""))
        #expect(text(request("GET /users/x")).hasPrefix("HTTP/1.1 404 "))
        #expect(text(request("HEAD /text")).hasSuffix("Content-Length: 5\r\n\r\n"))
    }

    /// Room for an answer before this one is not news of the body.
    @Test func roomIsNotTheEndOfABody() {
        var router = Router()
        // Stays below the watermark; the next answer's fields lift the output above.
        let big = [UInt8](repeating: 120, count: ConnectionLimits.default.highWatermark - 120)
        router.get("/big") { _, response in response.send(.ok, contentType: "a", big.span.bytes) }
        router.put("/count", .streamed()) { request in
            Response(contentType: "text/plain", .stream { writer in
                var count = 0
                for try await piece in request.body { count += piece.count }
                try await writer.write("\(count) bytes")
            })
        }
        let driver = driver(router, window: 0)
        driver.receive(request("GET /big") + request("PUT /count", fields: "Content-Length: 10\r\n"))
        driver.setWindow(nil)
        driver.receive("0123456789")
        #expect((driver.takeOutput() as String).hasSuffix("8\r\n10 bytes\r\n0\r\n\r\n"))
    }

    @Test(arguments: [
        ("application/json", "{\"id\":1,\"name\":\"é\"}", "201"), ("Application/JSON; charset=utf-8", "{\"id\":1,\"name\":\"\"}", "201"),
        ("application/vnd.x+json", "{\"id\":1,\"name\":\"\"}", "201"), ("text/plain", "{\"id\":1,\"name\":\"\"}", "415"),
        ("", "{\"id\":1,\"name\":\"\"}", "415"), ("application/json", "{\"id\":1}", "400"), ("application/json", "", "400"),
        ("application/json", "{\"id\":1,\"name\":\"\"}}", "400"), ("application/json", "{\"id\":1e99,\"name\":\"\"}", "400"),
    ])
    func jsonIn(_ type: String, _ body: String, _ status: String) {
        let fields = (type.isEmpty ? "" : "Content-Type: \(type)\r\n") + "Content-Length: \(body.utf8.count)\r\n"
        #expect(text(request("POST /users", fields: fields) + body).hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test func errorsTellTheClientNothing() {
        let known = text(request("GET /fail/known"))
        #expect(known.hasPrefix("HTTP/1.1 403 ") && known.contains("WWW-Authenticate: Basic\r\n") && !known.contains("secret"))
        let heard = Notes()
        let unknown = text(request("GET /fail/unknown"), errors: { error, path in heard.add("\(path) \(error)") })
        #expect(unknown.hasPrefix("HTTP/1.1 500 ") && !unknown.contains("secret"))
        #expect(heard.all.count == 1 && heard.all[0].hasPrefix("/fail/unknown Unspeakable"))
    }

    @Test(arguments: HTTPTestSupport.Feeding.allCases)
    func streamedBodiesInAndOut(_ feeding: HTTPTestSupport.Feeding) {
        let driver = driver(site())
        let chunked = "Transfer-Encoding: chunked\r\n"
        driver.feed(request("PUT /upload", fields: "Content-Length: 10\r\n") + "0123456789", feeding)
        #expect(driver.takeOutput().hasSuffix("\r\n\r\n10 -"))
        driver.feed(request("PUT /upload", fields: chunked) + "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 9\r\n\r\n", feeding)
        #expect(driver.takeOutput().hasSuffix("\r\n\r\n7 9"))
        driver.feed(request("PUT /upload", fields: "Content-Length: 0\r\n") + request("PUT /upload"), feeding)
        #expect(driver.takeOutput().components("\r\n\r\n0 -") == 2)
        driver.feed(request("PUT /echo", fields: chunked) + "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n" + request("GET /text"), feeding)
        let echoed: String = driver.takeOutput()
        #expect(echoed.contains("Transfer-Encoding: chunked") && echoed.lowercased().contains("0\r\nx-done: yes\r\n\r\n"))
        #expect(echoed.hasSuffix("\r\n\r\nhello"))
        driver.feed(request("PUT /early", fields: "Content-Length: 10\r\n") + "0123456789" + request("GET /text"), feeding)
        let early: String = driver.takeOutput()
        #expect(early.contains("not read") && early.hasSuffix("\r\n\r\nhello"))
        #expect(driver.closed == nil)
    }

    /// At the limit, and one past it.
    @Test func collectingHasALimit() {
        for (limit, status) in [(10, "200"), (9, "413")] {
            let output = text(request("PUT /collect/\(limit)", fields: "Content-Length: 10\r\n") + "0123456789")
            #expect(output.hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    /// The task waits while the client takes nothing, and goes on when it does.
    @Test func aStreamWaitsForItsClient() {
        let notes = Notes()
        let driver = driver(site(notes), window: 0)
        driver.receive(request("GET /stream/1000"))
        #expect(notes.all.isEmpty && driver.closed == nil)
        driver.setWindow(nil)
        let output: [UInt8] = driver.takeOutput()
        #expect(output.count > 1_000_000 && notes.all == ["written"])
    }

    /// What is not as long as it said is cut off: it must not look whole.
    @Test(arguments: ["/short", "/long"])
    func aStreamIsAsLongAsItSaid(_ path: String) {
        let driver = driver(site(), errors: { _, _ in })
        driver.receive(request("GET \(path)"))
        #expect(driver.closed == .aborted)
    }

    /// A client that goes away ends the task that answers it.
    @Test func aClientThatGoesEndsTheTask() {
        let notes = Notes()
        let driver = driver(site(notes), window: 0)
        driver.receive(request("GET /stream/1000"))
        driver.reset()
        #expect(notes.all == ["CancellationError"])
    }

    @Test func toHEADNoBodyIsMade() {
        let notes = Notes()
        let driver = driver(site(notes))
        driver.receive(request("HEAD /stream/5"))
        #expect(driver.takeOutput().hasSuffix("Content-Length: 5000\r\n\r\n"))
        #expect(notes.all.isEmpty && driver.closed == nil)
    }

    // MARK: With sockets

    @Test(arguments: [Architecture.reactor, .thread, .threadPool, .iterative])
    func onEveryArchitecture(_ architecture: Architecture) throws {
        let notes = Notes()
        let application = RoutedApplication(site(notes), errors: { _, _ in })
        var options = ServerOptions()
        options.architecture = architecture
        options.workers = 2
        let server = try Server(options, endpoints: [Endpoint(.loopback(port: 0)) { HTTPServerHandler(application: application) }])
        let ended = Notes()
        try startThread {
            try? server.run()
            ended.add("ended")
        }
        defer {
            server.stop()
            for _ in 0..<5_000 where ended.all.isEmpty { usleep(1_000) }
        }
        let client = try TestClient(server.addresses[0])
        for _ in 0..<3 {
            client.send(request("GET /slow") + request("GET /text") + request("GET /slow"))
            #expect(client.receiveAnswer().hasSuffix("slow"))
            #expect(client.receiveAnswer().hasSuffix("hello"))
            #expect(client.receiveAnswer().hasSuffix("slow"))
        }
        // More than sockets hold, both ways at once.
        let megabytes = 8
        client.send(request("PUT /upload", fields: "Content-Length: \(megabytes << 20)\r\n"))
        client.send([UInt8](repeating: 7, count: megabytes << 20))
        #expect(client.receiveAnswer().hasSuffix("\(megabytes << 20) -"))
        client.send(request("GET /stream/8000"))
        #expect(client.receiveAnswer().utf8.count > 8_000_000)
        client.send(request("GET /text", fields: "Connection: close\r\n"))
        #expect(client.receiveToEnd().text.hasSuffix("hello"))
    }

    /// A client that takes nothing of its answer is reset, its task is ended, and nobody else notices.
    @Test(arguments: [Architecture.reactor, .thread])
    func aReaderThatStops(_ architecture: Architecture) throws {
        let notes = Notes()
        let application = RoutedApplication(site(notes), errors: { _, _ in })
        var options = ServerOptions()
        options.architecture = architecture
        var limits = ConnectionLimits()
        limits.writeStall = .milliseconds(300)
        let endpoint = Endpoint(.loopback(port: 0), limits: limits) { HTTPServerHandler(application: application) }
        let server = try Server(options, endpoints: [endpoint])
        let ended = Notes()
        try startThread {
            try? server.run()
            ended.add("ended")
        }
        defer {
            server.stop()
            for _ in 0..<5_000 where ended.all.isEmpty { usleep(1_000) }
        }
        let slow = try TestClient(server.addresses[0], receiveBuffer: 4_096)
        slow.send(request("GET /stream/20000"))
        for _ in 0..<10_000 where notes.all.isEmpty { usleep(1_000) }
        #expect(notes.all == ["CancellationError"])
        let (text, isReset) = slow.receiveToEnd()
        #expect(text.hasPrefix("HTTP/1.1 200 ") && text.utf8.count < 20_000_000 && isReset)
        let other = try TestClient(server.addresses[0])
        other.send(request("GET /text", fields: "Connection: close\r\n"))
        #expect(other.receiveToEnd().text.hasSuffix("hello"))
    }

    /// A loop that ends cuts its tasks off, and none is left behind.
    @Test func aLoopThatEndsCancelsItsTasks() throws {
        let loop = try EventLoop()
        let notes = Notes()
        let application = RoutedApplication(site(notes), errors: { _, _ in })
        let listener = try loop.listen(on: .loopback(port: 0)) { HTTPServerHandler(application: application) }
        let client = try TestClient(listener.address)
        client.send(request("GET /hang"))
        loop.run { !notes.all.isEmpty }
        loop.close()
        for _ in 0..<5_000 where notes.all.count < 2 { usleep(1_000) }
        #expect(notes.all == ["hangs", "cancelled"])
    }

    /// A handler returns while a task that it left behind waits for more of the body: its answer is not lost.
    @Test func aTaskThatIsLeftBehindHoldsNothingUp() throws {
        let loop = try EventLoop()
        let (notes, answers) = (Notes(), Notes())
        // On the loop, all of it: other tests may hold Swift's own threads for long.
        let handle = loop.handle
        var router = Router()
        router.put("/left", .streamed()) { request -> String in
            Task(executorPreference: handle) {
                notes.add("reads")
                do { for try await _ in request.body {} } catch { notes.add("\(type(of: error))") }
            }
            // More than run in a turn of the loop.
            for _ in 0..<1_000 { await Task.yield() }
            notes.add("returns")
            return "left"
        }
        let application = RoutedApplication(router, errors: { _, _ in })
        let listener = try loop.listen(on: .loopback(port: 0)) { HTTPServerHandler(application: application) }
        let address = listener.address
        try startThread {
            guard let client = try? TestClient(address) else { return answers.add("none") }
            client.send(request("PUT /left", fields: "Content-Length: 4\r\n") + "ab")
            while !notes.all.contains("returns") { usleep(1_000) }
            client.send("cd")
            answers.add(client.receiveAnswer())
        }
        let began = ContinuousClock.now
        loop.run { !answers.all.isEmpty || ContinuousClock.now - began > .seconds(60) }
        #expect(answers.all.first?.hasSuffix("left") == true)
        loop.run { notes.all.count > 2 || ContinuousClock.now - began > .seconds(60) }
        #expect(notes.all == ["reads", "returns", "CancellationError"])
    }

    /// Many pipelined requests whose tasks suspend or not are answered in order, without growing the stack.
    @Test func manyPipelinedRequests() throws {
        let loop = try EventLoop()
        let application = RoutedApplication(site(), errors: { _, _ in })
        let listener = try loop.listen(on: .loopback(port: 0)) { HTTPServerHandler(application: application) }
        let address = listener.address
        let answers = Notes()
        try startThread {
            guard let client = try? TestClient(address) else { return answers.add("none") }
            let count = 5_000
            client.send(String(repeating: request("GET /text"), count: count))
            for _ in 0..<count where !client.receiveAnswer().hasSuffix("hello") { return answers.add("wrong") }
            answers.add("right")
        }
        loop.run { !answers.all.isEmpty }
        #expect(answers.all == ["right"])
    }
}

extension TestClient {
    /// One answer with a Content-Length.
    func receiveAnswer() -> String {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            let line = receiveLine()
            if line.isEmpty { return head }
            head += line
        }
        guard let length = head.split(separator: "\r\n").first(where: { $0.hasPrefix("Content-Length: ") })?.dropFirst(16) else { return head }
        return head + receive(count: Int(length) ?? 0)
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
