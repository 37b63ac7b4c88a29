import ConnectionHandling
import Foundation
import HTTPTestSupport
import HTTPTypes
import ReactorContentCodings
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import TestSupport
import Testing

/// Text that compresses, of that many bytes.
func page(_ count: Int) -> String {
    String((0..<count / 20 + 1).map { "<p>line \(String(1_000_000 + $0 * 7919))</p>\n" }.joined().prefix(count))
}

/// Answers as the query says, behind middleware as a router calls it.
private struct CompressedSite: HTTPApplication {
    var options = CompressionOptions()

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        let chain = MiddlewareChain([Compression(options)])
        response.chain = chain
        if !chain.received(request, with: &response) { return }
        let words = (request.query?.text ?? "").replacingOccurrences(of: "~", with: " ").split(separator: "&").map(String.init)
        let length = words.first.flatMap { Int($0) } ?? 5000
        response.begin(HTTPStatus(words.contains("206") ? 206 : words.contains("304") ? 304 : words.contains("404") ? 404 : 200))
        for word in words.dropFirst() where word.contains(":") {
            let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            switch parts[0] {
            case "type": response.field("Content-Type", parts[1])
            case "etag": response.field("ETag", "\"\(parts[1])\"")
            case "coding": response.field("Content-Encoding", parts[1])
            case "vary": response.field("Vary", parts[1])
            case "cache": response.field("Cache-Control", parts[1])
            default: response.field("Accept-Ranges", parts[1])
            }
        }
        if words.contains("304") { return response.end() }
        let body = Array(page(length).utf8)
        if request.method == .get || request.method == .head { return response.end(body.span.bytes) }
        response.startBody(length: nil)
        response.write(body.span.bytes)
    }

    /// What is posted is said again at once.
    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery { .streamed() }
    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) { response.write(body) }
    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) { response.end() }
}

@Suite struct CompressionTests {
    /// The fields, in lower case, and the body.
    private func get(
        _ query: String, accept: String? = "gzip", method: String = "GET", options: CompressionOptions = CompressionOptions()
    ) -> (status: String, fields: [String: String], body: [UInt8]) {
        let driver = TestDriver(HTTPServerHandler(application: CompressedSite(options: options)))
        let field = accept.map { "Accept-Encoding: \($0)\r\n" } ?? ""
        driver.receive("\(method) /?\(query.replacingOccurrences(of: " ", with: "~")) HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
        return split(driver.takeOutput())
    }

    private func split(_ output: [UInt8]) -> (status: String, fields: [String: String], body: [UInt8]) {
        var end = 0
        while end + 4 < output.count, output[end..<end + 4] != [13, 10, 13, 10] { end += 1 }
        let lines = String(decoding: output[..<end], as: UTF8.self).split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let name = parts[0].lowercased()
            fields[name] = (fields[name].map { $0 + ", " } ?? "") + parts[1].dropFirst()
        }
        return (lines.first.map(String.init) ?? "", fields, Array(output[(end + 4)...]))
    }

    private func decode(_ coding: ContentCoding, _ bytes: [UInt8]) throws -> String {
        var decoder = try ContentDecoder(coding)
        var output = ByteQueue()
        _ = try decoder.decode(bytes.span.bytes, into: &output)
        try decoder.finish()
        return output.bytes.text
    }

    @Test(arguments: [
        ("gzip", ContentCoding.gzip), ("gzip, deflate, br, zstd", .zstd), ("gzip, br", .br), ("br;q=0.5, gzip;q=0.8", .gzip), ("*", .zstd),
        ("identity;q=0.1, gzip;q=0.2", .gzip),
    ])
    func theCodingThatIsWanted(_ accept: String, _ coding: ContentCoding) throws {
        let (_, fields, body) = get("5000&type:text/html; charset=utf-8&etag:x&ranges:bytes", accept: accept)
        #expect(fields["content-encoding"] == "\(coding.name)")
        #expect(fields["vary"] == "Accept-Encoding")
        #expect(fields["etag"] == "W/\"x\"")
        #expect(fields["accept-ranges"] == nil)
        #expect(fields["content-length"] == "\(body.count)" && body.count < 2500)
        #expect(try decode(coding, body) == page(5000))
    }

    @Test(arguments: ["", "identity", "gzip;q=0", "deflate", "compress", "gzip;q=0.5, identity"])
    func noCodingIsWanted(_ accept: String) {
        let (_, fields, body) = get("5000&type:text/html&etag:x", accept: accept)
        #expect(fields["content-encoding"] == nil && fields["etag"] == "\"x\"")
        // Another client would have got it encoded.
        #expect(fields["vary"] == "Accept-Encoding")
        #expect(body == Array(page(5000).utf8))
    }

    @Test(arguments: [
        "5000&type:image/png", "5000", "5000&type:text/html&coding:br", "5000&type:text/html&cache:public, no-transform",
        "5000&type:text/html&206", "1023&type:text/html", "1048577&type:text/html",
    ])
    func whatIsLeftAsItIs(_ query: String) {
        let (_, fields, body) = get(query)
        #expect(fields["vary"] == nil)
        #expect(fields["content-encoding"] == (query.contains("coding:br") ? "br" : nil))
        #expect(body.count == Int(query.split(separator: "&")[0]))
    }

    @Test(arguments: [
        "1024&type:text/html", "1048576&type:text/html", "5000&type:Text/Markdown;x=y", "5000&type:application/problem+json",
        "5000&type:image/svg+xml", "5000&type:application/json", "5000&type:text/html&404",
    ])
    func whatIsEncoded(_ query: String) { #expect(get(query).fields["content-encoding"] == "gzip") }

    @Test(arguments: ["text", "texts/html", "application/jsonp", "+json", "json", "x/y+jsons", ""]) func typesThatOnlyLookAlike(_ type: String) {
        let isPattern = type == "+json"
        #expect((get("5000&type:\(type)").fields["content-encoding"] == "gzip") == isPattern)
    }

    @Test func nothingIsEncodedWithoutABody() {
        let (status, fields, body) = get("0&type:text/html&etag:x&304")
        #expect(status == "HTTP/1.1 304 Not Modified" && fields["content-encoding"] == nil && fields["etag"] == "\"x\"" && body.isEmpty)
        let head = get("5000&type:text/html", method: "HEAD")
        #expect(head.body.isEmpty && head.fields["content-encoding"] == "gzip")
    }

    @Test func withoutAcceptEncoding() {
        let (_, fields, _) = get("5000&type:text/html", accept: nil)
        #expect(fields["vary"] == nil && fields["content-encoding"] == nil)
    }

    @Test(arguments: [
        ("Accept-Encoding", "Accept-Encoding"), ("Origin,accept-encoding", "Origin,accept-encoding"), ("*", "*"), ("Accept", "Accept, Accept-Encoding"),
        ("X-Accept-Encoding", "X-Accept-Encoding, Accept-Encoding"), ("", ", Accept-Encoding"),
    ])
    func whatVariesIsSaidOnce(_ vary: String, _ expected: String) {
        for accept in ["gzip", "identity"] {
            #expect(get("5000&type:text/html&vary:\(vary)", accept: accept).fields["vary"] == expected, "\(accept)")
        }
    }

    /// A file that becomes shorter while it is sent: the answer is cut off, and nobody traps.
    @Test func aFileThatEndsEarly() throws {
        struct Shrunk: HTTPApplication {
            let file: OpenFile
            mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
                let chain = MiddlewareChain([Compression()])
                response.chain = chain
                if !chain.received(request, with: &response) { return }
                response.begin(.ok)
                response.field("Content-Type", "text/html")
                response.startBody(length: 50_000)
                response.write(file, count: 50_000)
                response.write(file, count: 0)
                response.write("</html>".utf8.span.bytes)
                response.end()
            }
        }
        let driver = TestDriver(HTTPServerHandler(application: Shrunk(file: try temporaryFile([UInt8](repeating: 120, count: 40_000)))))
        driver.receive("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        #expect(driver.closed == .aborted)
    }

    @Test func theOptionsCount() {
        var options = CompressionOptions()
        options.codings = [.br]
        options.shortest = 10
        options.longest = 20
        options.mediaTypes = ["a/b"]
        func coding(_ query: String) -> String? { get(query, accept: "gzip, br", options: options).fields["content-encoding"] }
        #expect(coding("9&type:a/b") == nil && coding("10&type:a/b") == "br" && coding("20&type:a/b") == "br")
        #expect(coding("21&type:a/b") == nil && coding("15&type:text/html") == nil)
    }

    /// What was written can be read before there is more.
    @Test(arguments: ContentCoding.allCases, ["text/html", "text/event-stream"])
    func streamsAreFlushed(_ coding: ContentCoding, _ type: String) throws {
        var options = CompressionOptions()
        options.codings = ContentCoding.allCases
        let driver = TestDriver(HTTPServerHandler(application: CompressedSite(options: options)))
        driver.receive("POST /?3000&type:\(type) HTTP/1.1\r\nHost: a\r\nAccept-Encoding: \(coding.name)\r\nContent-Length: 7\r\n\r\n")
        let (_, fields, first) = split(driver.takeOutput())
        #expect(fields["transfer-encoding"] == "chunked" && fields["content-encoding"] == "\(coding.name)")
        var decoder = try ContentDecoder(coding)
        var output = ByteQueue()
        _ = try decoder.decode(unchunked(first).span.bytes, into: &output)
        #expect(output.bytes.text == page(3000))
        driver.receive("the e")
        _ = try decoder.decode(unchunked(driver.takeOutput()).span.bytes, into: &output)
        #expect(output.bytes.text == page(3000) + "the e")
        driver.receive("nd")
        _ = try decoder.decode(unchunked(driver.takeOutput()).span.bytes, into: &output)
        try decoder.finish()
        #expect(output.bytes.text == page(3000) + "the end")
    }

    private func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 13), let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), count > 0 {
            body += rest[(end + 2)..<(end + 2 + count)]
            rest = rest[(end + 4 + count)...]
        }
        return body
    }

    @Test func filesAreEncoded() throws {
        struct Files: HTTPApplication {
            var files: StaticFiles
            mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
                let chain = MiddlewareChain([Compression()])
                response.chain = chain
                if chain.received(request, with: &response) { files.respond(to: request, with: &response) }
            }
        }
        let site = try FileSite()
        for length in [5_000, 50_000] {
            try site.write(page(length), to: "a.html")
            func get(_ fields: String) throws -> (status: String, fields: [String: String], body: [UInt8]) {
                let driver = TestDriver(HTTPServerHandler(application: Files(files: StaticFiles(root: try DocumentRoot(site.root.path)))))
                driver.receive("GET /a.html HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\(fields)\r\n")
                return split(driver.takeOutput())
            }
            let (_, fields, body) = try get("")
            #expect(fields["content-encoding"] == "gzip" && fields["etag"] == "W/" + tag(length))
            #expect(fields["vary"] == "Accept-Encoding")
            #expect(try decode(.gzip, fields["transfer-encoding"] == nil ? body : unchunked(body)) == page(length))
            // The tag that the client got is known again; a part is of the file as it is.
            #expect(try get("If-None-Match: W/\(tag(length))\r\n").status == "HTTP/1.1 304 Not Modified")
            let part = try get("Range: bytes=0-1999\r\n")
            #expect(part.fields["content-encoding"] == nil && part.body == Array(page(length).utf8.prefix(2000)))
            #expect(try get("Range: bytes=0-1\r\nIf-Range: W/\(tag(length))\r\n").status == "HTTP/1.1 200 OK")
        }
    }
}
