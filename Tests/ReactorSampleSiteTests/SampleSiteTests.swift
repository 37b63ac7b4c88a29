import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import Testing

@testable import ReactorSampleSite

@Suite struct SampleSiteTests {
    @Test(arguments: Feeding.allCases)
    func theFixedPages(_ feeding: Feeding) throws {
        let visitor = try Visitor()
        #expect(visitor.ask("GET /plaintext", feeding).text == answer("200 OK", "Server: reactor", "Content-Type: text/plain", body: "Hello, World!"))
        let json = answer("200 OK", "Server: reactor", "Content-Type: application/json", body: #"{"message":"Hello, World!"}"#)
        #expect(visitor.ask("GET /json", feeding).text == json)
        #expect(visitor.ask("GET /plaintext-async", feeding).body == "Hello, World!")
        #expect(visitor.ask("GET /none", feeding).status == "404 Not Found")
        #expect(visitor.ask("POST /plaintext", body: "", feeding).field("Allow")?.contains("GET") == true)
    }

    @Test(arguments: Feeding.allCases)
    func echo(_ feeding: Feeding) throws {
        let visitor = try Visitor()
        let echoed = visitor.ask("POST /echo", fields: ["Content-Type: text/x-mine"], body: "hello", feeding)
        #expect(echoed.body == "hello" && echoed.field("Content-Type") == "text/x-mine")
        visitor.driver.feed(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n", feeding)
        #expect(Answer(visitor.driver.takeOutput()).body == "hello!")
    }

    /// The digest is that of `printf 'hello!' | sha256sum`.
    @Test(arguments: Feeding.allCases)
    func inspectTellsAllOfARequest(_ feeding: Feeding) throws {
        let visitor = try Visitor()
        visitor.driver.feed(
            "PURGE /inspect?a=%20b HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two: \"2\"\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\n\r\n", feeding)
        let seen = Answer(visitor.driver.takeOutput())
        #expect(seen.code == 200)
        let digest = "ce06092fb948d9ffac7d1a376e404b26b7575bcc11ee05a4615fef4fec3a308b"
        #expect(
            seen.body == #"{"body":{"length":6,"sha256":"\#(digest)"},"#
                + #""fields":[{"name":"Host","value":"a"},{"name":"X-Two","value":"1"},{"name":"x-two","value":"\"2\""},"#
                + #"{"name":"Transfer-Encoding","value":"chunked"}],"method":"PURGE","peer":"127.0.0.1:40000","#
                + #""target":"/inspect?a=%20b","trailers":[{"name":"X-Trailer","value":"t"}],"version":"HTTP/1.1"}"#)
        // Without a body nothing is waited for.
        #expect(visitor.ask("GET /inspect", feeding).body.contains(#""length":0"#))
    }

    @Test(arguments: Feeding.allCases)
    func uploadsAreDigested(_ feeding: Feeding) throws {
        let visitor = try Visitor()
        let fields = ["Content-Type: multipart/form-data; boundary=x"]
        let first = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello!\r\n"
        let second = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a \\\"b\\\".txt\"\r\nContent-Type: text/plain\r\n\r\n\r\n"
        let taken = visitor.ask("POST /upload", fields: fields, body: first + second + "--x--\r\n", feeding)
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(
            taken.body == #"[{"name":"note","sha256":"ce06092fb948d9ffac7d1a376e404b26b7575bcc11ee05a4615fef4fec3a308b","size":6},"#
                + #"{"contentType":"text/plain","filename":"a \"b\".txt","name":"f","sha256":"\#(empty)","size":0}]"#)
        #expect(try Visitor().ask("POST /upload", fields: fields, body: first + "--x", feeding).code == 400)
        #expect(try Visitor().ask("POST /upload", fields: ["Content-Type: text/plain"], body: "x", feeding).code == 415)
        #expect(try Visitor().ask("POST /upload", fields: fields, feeding).code == 400)
    }

    // MARK: Streams

    @Test func aStreamIsMadeAsItIsTaken() throws {
        let visitor = try Visitor(window: 10_000)
        let count = 1_000_000
        visitor.driver.receive("GET /stream?bytes=\(count) HTTP/1.1\r\nHost: a\r\n\r\n")
        var taken = [UInt8]()
        var rounds = 0
        while true {
            let output: [UInt8] = visitor.driver.takeOutput()
            if output.isEmpty { break }
            taken += output
            rounds += 1
            visitor.driver.setWindow(10_000)
        }
        let text = String(decoding: taken, as: UTF8.self)
        #expect(Answer(text).field("Content-Length") == String(count))
        #expect(Answer(text).body.utf8.count == count)
        #expect(Answer(text).body.hasPrefix("The reactor writes only as fast as its reader reads: 0123456789\n"))
        #expect(rounds >= 100)
        #expect(visitor.ask("GET /plaintext").code == 200)
    }

    @Test(arguments: [
        ("/stream?bytes=0", 200), ("/stream?bytes=1073741825", 400), ("/stream?bytes=-1", 400), ("/stream?bytes=", 400),
        ("/block?ms=0", 200), ("/block?ms=1001", 400), ("/block?ms=-1", 400), ("/block", 200), ("/burn?ms=0", 200),
        ("/burn?ms=1001", 400), ("/burn?ms=", 400), ("/burn", 200), ("/mix", 200), ("/mix?ms=7", 200),
        ("/bytes?n=0", 200), ("/bytes?n=1048576", 200), ("/bytes?n=1048577", 400), ("/bytes?n=x", 400),
        ("/slow?ms=0", 200), ("/slow?ms=10001", 400), ("/slow?ms=x", 400),
        ("/sse?count=0", 400), ("/sse?count=1001", 400), ("/sse?count=1&ms=9", 400), ("/sse?count=1&ms=10001", 400),
        ("/status/200", 200), ("/status/418", 418), ("/status/599", 599), ("/status/199", 400), ("/status/600", 400),
        ("/status/+20", 400), ("/status/", 404), ("/status/0200", 400), ("/status?code=503", 503), ("/status", 400),
    ])
    func bounds(_ target: String, _ code: Int) throws {
        #expect(try Visitor().ask("GET \(target)").code == code)
    }

    @Test(arguments: [204, 205, 304]) func aStatusWithoutABody(_ code: Int) throws {
        let visitor = try Visitor()
        let empty = visitor.ask("GET /status/\(code)")
        #expect(empty.code == code && empty.body.isEmpty && empty.field("Content-Type") == nil)
        #expect(visitor.ask("GET /plaintext").code == 200)
    }

    @Test func eventsCome() throws {
        let visitor = try Visitor()
        visitor.driver.receive("GET /sse?count=3&ms=10 HTTP/1.0\r\nHost: a\r\n\r\n")
        let events = Answer(visitor.driver.takeOutput())
        #expect(events.field("Content-Type") == "text/event-stream")
        #expect(events.body == (1...3).map { "event: tick\nid: \($0)\ndata: event \($0) of 3\n\n" }.joined())
    }

    @Test func lateAnswers() throws {
        let began = ContinuousClock.now
        #expect(try Visitor().ask("GET /slow?ms=30").body == #"{"milliseconds":30}"#)
        #expect(ContinuousClock.now - began >= .milliseconds(30))
    }
}
