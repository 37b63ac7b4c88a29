import ConnectionHandling
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import Testing

private let post = "POST /echo HTTP/1.1\r\nHost: a\r\n"
private let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

/// What is refused, with what, and that the connection ends there.
@Suite struct ViolationTests {
    static let bad: [String] = [
        // The request line.
        "\0", "\u{16}\u{3}\u{1}\u{2}\0", "\n", "\r\n\r\n", "\r\r", " GET / HTTP/1.1\r\n", "GET\r\n", "GET /\r\n", "GET / \r\n",
        "GET  / HTTP/1.1\r\n", "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET\t/ HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n",
        "GET / http/1.1\r\n", "GET / HTTP/1\r\n", "GET / HTTP/1.\r\n", "GET / HTTP/11\r\n", "GET / HTTP/1.10\r\n", "GET / HTTP/a.1\r\n",
        "GET / HTTP/1.1\n", "GET / HTTP/1.1\rX", "GET a HTTP/1.1\r\n", "GET * HTTP/1.1\r\n", "GET /#f HTTP/1.1\r\n",
        "GET /\u{e9} HTTP/1.1\r\n", "GET /\u{7f} HTTP/1.1\r\n", "GET http:///a HTTP/1.1\r\n", "GET http://a@b/ HTTP/1.1\r\n",
        "GET ftp://a/ HTTP/1.1\r\n",
        // Fields.
        "GET / HTTP/1.1\r\nHost : a\r\n", "GET / HTTP/1.1\r\n Host: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n", "GET / HTTP/1.1\r\nHost\r\n", "GET / HTTP/1.1\r\n: a\r\n", "GET / HTTP/1.1\r\nA@: b\r\n",
        "GET / HTTP/1.1\r\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\rb: c\r\n", "GET / HTTP/1.1\r\nA: b\0\r\n", "GET / HTTP/1.1\r\nA: \u{1b}\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\r\n\rX", "GET / HTTP/1.1\r\nA\u{e9}: b\r\n",
        // Host.
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n",
        // Lengths, and the ways in which requests are smuggled.
        post + "Content-Length: -1\r\n\r\n", post + "Content-Length: +1\r\n\r\n", post + "Content-Length: 1,1\r\n\r\n",
        post + "Content-Length: 0x1\r\n\r\n", post + "Content-Length:\r\n\r\n", post + "Content-Length: 1 1\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        post + "Transfer-Encoding: chunked, identity\r\n\r\n", post + "Transfer-Encoding: chunked, chunked\r\n\r\n",
        post + "Transfer-Encoding:\r\n\r\n", post + "Transfer-Encoding : chunked\r\n\r\n", post + "Transfer-Encoding: \u{b}chunked\r\n\r\n",
        post + "X: y\nTransfer-Encoding: chunked\r\n\r\n", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        // The chunked coding.
        chunked + "\r\n", chunked + "x\r\n", chunked + "-1\r\n", chunked + " 1\r\n", chunked + "1\n", chunked + "1\rx", chunked + "0x1\r\n",
        chunked + "1 \r\n", chunked + "1 x\r\n", chunked + "1;\n", chunked + "1;\0", chunked + "1\r\nab\r\n", chunked + "1\r\na\n", chunked + "1\r\na\rb",
        chunked + "0\r\n\n", chunked + "0\r\n\rx", chunked + "0\r\n a: b\r\n", chunked + "0\r\na: b\n", chunked + "0\r\na\0",
        chunked + "0\r\na\r\n\r\n", chunked + "0\r\na b: c\r\n", chunked + "0\r\n: b\r\n", chunked + "0\r\na : b\r\n", chunked + "0\r\na: \u{1b}",
    ]

    @Test(arguments: bad, Feeding.allCases)
    func isRefused(_ input: String, _ feeding: Feeding) {
        check(input, refusal("400 Bad Request"), feeding)
    }

    @Test(arguments: [
        ("GET / HTTP/2.0\r\n", "505 HTTP Version Not Supported"), ("PRI * HTTP/2.0\r\n", "505 HTTP Version Not Supported"),
        ("GET / HTTP/0.9\r\n", "505 HTTP Version Not Supported"),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "501 Not Implemented"),
        (post + "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"), (post + "Transfer-Encoding: xchunked\r\n\r\n", "501 Not Implemented"),
        (post + "Transfer-Encoding: gzip, chunked\r\n\r\n", "501 Not Implemented"),
        (post + "Expect: a miracle\r\n\r\n", "417 Expectation Failed"),
        (post + "Content-Length: 9223372036854775807\r\n\r\n", "413 Content Too Large"),
        (post + "Content-Length: 99999999999999999999999999\r\n\r\n", "413 Content Too Large"),
        (chunked + "7fffffffffffffff\r\n", "413 Content Too Large"), (chunked + "ffffffffffffffffffffffff\r\n", "413 Content Too Large"),
    ], Feeding.allCases)
    func isRefusedWithAStatusOfItsOwn(_ input: (String, String), _ feeding: Feeding) {
        check(input.0, refusal(input.1), feeding)
    }

    /// A client that reads no body behind the answer to HEAD would take one for the next answer.
    @Test(arguments: [
        ("HEAD / HTTP/1.1\r\n\r\n", "400 Bad Request"), ("\r\nHEAD / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("HEAD / HTTP/1.1\r\nHost: a\n", "400 Bad Request"), ("HEAD / \r\n", "400 Bad Request"), ("HEAD \0", "400 Bad Request"),
        ("HEAD / HTTP/2.0\r\n", "505 HTTP Version Not Supported"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n", "417 Expectation Failed"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", "413 Content Too Large"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400 Bad Request"),
        ("HEAD /" + String(repeating: "a", count: 8 * 1024), "414 URI Too Long"),
        ("HEAD / HTTP/1.1\r\nA: " + String(repeating: "a", count: 32 * 1024), "431 Request Header Fields Too Large"),
    ], Feeding.allCases)
    func toHEADTheRefusalHasNoBody(_ input: (String, String), _ feeding: Feeding) {
        check(input.0, refusalToHEAD(input.1), feeding)
        check("HEAD /plaintext HTTP/1.1\r\nHost: a\r\n\r\nGET\r\n", hello.dropLast(13) + refusal("400 Bad Request"), feeding)
    }

    @Test(arguments: ["HEAD\0", "\rXHEAD / HTTP/1.1\r\n", "HEAD\r\n", "HEAD\t/ HTTP/1.1\r\n", "HEADS /\r\n", "head /\r\n", "\r\n\r\nHEAD / HTTP/1.1\r\n"],
        Feeding.allCases)
    func whatIsNotHEADIsToldWhy(_ input: String, _ feeding: Feeding) {
        check(input, refusal("400 Bad Request"), feeding)
    }

    @Test(arguments: ["HEAD ", "HEAD / HTTP/1.1\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na"], Feeding.allCases)
    func toHEADThatComesTooLateThereIsNoBody(_ input: String, _ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.feed(input, feeding)
        driver.advance(by: .seconds(60))
        let output: String = driver.takeOutput()
        #expect(output.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(output.hasSuffix("Content-Length: 20\r\nConnection: close\r\n\r\n"))
        #expect(driver.closed == .finished)
    }

    @Test(arguments: Feeding.allCases)
    func whatCameBeforeIsAnswered(_ feeding: Feeding) {
        check("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\nGET\r\n", hello + refusal("400 Bad Request"), feeding)
    }

    private func check(_ input: String, _ expected: String, _ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.feed(input + "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", feeding)
        #expect(driver.takeOutput() == expected)
        #expect(driver.closed == .finished)
    }

    // MARK: Limits

    private static func small() -> HTTPLimits {
        var limits = HTTPLimits()
        limits.requestLine = 40
        limits.head = 200
        limits.fields = 3
        limits.body = 10
        limits.chunkLine = 8
        limits.chunkOverhead = 22
        return limits
    }

    private static func pad(_ prefix: String, _ suffix: String, to length: Int, with fill: String = "x") -> String {
        prefix + String(repeating: fill, count: length - prefix.utf8.count - suffix.utf8.count) + suffix
    }

    static let limits: [(String, String, String)] = [
        (
            "request line", pad("GET /", " HTTP/1.1", to: 40) + "\r\nHost: a\r\n\r\n",
            pad("GET /", " HTTP/1.1", to: 41) + "\r\nHost: a\r\n\r\n"
        ),
        (
            "head", pad("GET / HTTP/1.1\r\nHost: a\r\nA: ", "\r\n\r\n", to: 200),
            pad("GET / HTTP/1.1\r\nHost: a\r\nA: ", "\r\n\r\n", to: 201)
        ),
        (
            "fields", "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\nE: f\r\n\r\n"
        ),
        (
            "body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789a"
        ),
        ("chunked body", chunked + "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n", chunked + "4\r\n0123\r\n7\r\n456789a\r\n0\r\n\r\n"),
        ("chunk line", chunked + "1;2345\r\na\r\n0\r\n\r\n", chunked + "1;23456\r\na\r\n0\r\n\r\n"),
        ("trailer", chunked + "0\r\nA: b45\r\n\r\n", chunked + "0\r\nA: b456\r\n\r\n"),
        (
            "trailers", chunked + "1\r\na\r\n0\r\n" + "A:\r\nB:\r\nA:\r\n" + "\r\n",
            chunked + "1\r\na\r\n0\r\n" + "A:\r\nB:\r\nA:\r\nC:\r\n" + "\r\n"
        ),
        ("overhead", chunked + "1;2\r\na\r\n0\r\n" + "A:b45\r\nA:b45\r\nA:\r\n" + "\r\n", chunked + "1;2\r\na\r\n0\r\n" + "A:b45\r\nA:b45\r\nA:b\r\n" + "\r\n"),
    ]
    static let answers = [
        "request line": "414 URI Too Long", "head": "431 Request Header Fields Too Large",
        "fields": "431 Request Header Fields Too Large", "body": "413 Content Too Large", "chunked body": "413 Content Too Large",
        "trailers": "431 Request Header Fields Too Large",
        "chunk line": "400 Bad Request", "trailer": "400 Bad Request", "overhead": "400 Bad Request",
    ]

    @Test(arguments: limits, Feeding.allCases)
    func atTheLimitAndOnePast(_ limit: (String, String, String), _ feeding: Feeding) throws {
        let within = TestDriver(HTTPServerHandler(application: Probe(), limits: Self.small()))
        within.feed(limit.1, feeding)
        #expect((within.takeOutput() as String).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(within.wantsInput)

        let past = TestDriver(HTTPServerHandler(application: Probe(), limits: Self.small()))
        past.feed(limit.2, feeding)
        #expect(past.takeOutput() == refusal(try #require(Self.answers[limit.0])))
        #expect(past.closed == .finished)
    }

    @Test(arguments: ["x", "GET / HTTP/1.1\r\nHost: a\r\nA: ", "GET / HTTP/1.1\r\n", chunked, chunked + "1;", chunked + "0\r\nA:"])
    func endlessInputIsCutShort(_ start: String) {
        let driver = TestDriver(HTTPServerHandler(application: Probe()))
        driver.receive(start)
        let fill = start.hasSuffix("HTTP/1.1\r\n") ? "A: b\r\n" : start == chunked ? "1\r\na\r\n" : "xxxxxxx"
        var sent = 0
        while driver.closed == nil, sent < 10_000_000 {
            driver.receive(String(repeating: fill, count: 1_000))
            sent += 1_000 * fill.utf8.count
        }
        #expect(driver.closed == .finished)
        #expect((driver.takeOutput() as String).hasPrefix("HTTP/1.1 4"))
    }

    @Test func garbageNeverTrapsAndAlwaysEnds() {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("GETPOS /HTTP1.\r\n\r\n:;,0aF chunkedTransfer-Encoding\t\0\u{e9}".utf8)
        for _ in 0..<2_000 {
            let driver = TestDriver(HTTPServerHandler(application: Probe()))
            var input = Array([chunked, "GET / HTTP/1.1\r\n", "", post].randomElement(using: &generator)?.utf8 ?? "".utf8)
            for _ in 0..<Int.random(in: 0...200, using: &generator) {
                input.append(alphabet.randomElement(using: &generator) ?? 0)
            }
            driver.feed(input, .randomly)
            driver.advance(by: .seconds(300))
            #expect(driver.closed == .finished)
        }
    }

    /// Requests with a few bytes changed, added or lost: whatever is answered, it is the same however they arrive.
    @Test func theAnswerNeverDependsOnTheSplits() {
        var generator = SeededGenerator(seed: seed)
        let bad = Self.bad + Self.bad.map { "HEAD" + $0.drop { $0 != " " } }
        let seeds = RequestTests.requests.map { Array($0.0.utf8) } + bad.map { Array($0.utf8) }
        let bytes = Array("\r\n :;,0123456789abcdefHT\t\0/".utf8)
        for round in 0..<3_000 {
            var input: [UInt8] = []
            for _ in 0..<3 { input += seeds.randomElement(using: &generator) ?? [] }
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let place = Int.random(in: 0..<input.count, using: &generator)
                let byte = bytes.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: input[place] = byte
                case 1: input.insert(byte, at: place)
                default: input.remove(at: place)
                }
            }
            let outputs = [Feeding.whole, round % 10 == 0 ? .byteByByte : .randomly].map { feeding -> String in
                let driver = TestDriver(HTTPServerHandler(application: Probe(), limits: Self.small()))
                driver.feed(input, feeding)
                driver.advance(by: .seconds(300))
                #expect(driver.closed == .finished)
                return driver.takeOutput()
            }
            #expect(outputs[0] == outputs[1], "round \(round): \(String(decoding: input, as: UTF8.self).debugDescription)")
        }
    }
}
