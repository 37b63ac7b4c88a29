import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

@Suite struct StaticFilesConditionTests {
    private let site: FileSite
    private let text = "0123456789"

    init() throws {
        site = try FileSite()
        try site.write(text, to: "ten.txt")
    }

    private var whole: String { file("text/plain; charset=utf-8", text) }
    private var notModified: String { "HTTP/1.1 304 Not Modified\r\n" + date + validators(10) + "\r\n\r\n" }

    private func part(_ range: String, _ body: String) -> String {
        answer(
            "206 Partial Content", validators(10), "Content-Type: text/plain; charset=utf-8", "Content-Range: bytes \(range)/10",
            body: body)
    }

    @Test func whatTheClientHasIsNotSent() throws {
        for field in [
            "If-None-Match: \(tag(10))", "If-None-Match: W/\(tag(10))", "If-None-Match: \"x\", \(tag(10))", "If-None-Match: *",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "If-Modified-Since: Sunday, 06-Nov-94 08:49:38 GMT",
        ] {
            #expect(try site.get("/ten.txt", field) == notModified, "\(field)")
            #expect(try site.get("/ten.txt", method: "HEAD", field) == notModified, "\(field)")
            #expect(try site.get("/ten.txt", "Range: bytes=0-1", field) == notModified, "\(field)")
        }
    }

    @Test func whatTheClientHasNotIsSent() throws {
        for field in [
            "If-None-Match: \(tag(11))", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", "If-Match: \(tag(10))", "If-Match: *",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "If-Modified-Since: tomorrow",
        ] {
            #expect(try site.get("/ten.txt", field) == whole, "\(field)")
        }
    }

    @Test func whatIsNotAsTheClientThought() throws {
        for field in ["If-Match: \"x\"", "If-Match: W/\(tag(10))", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"] {
            #expect(try site.get("/ten.txt", field) == status("412 Precondition Failed"), "\(field)")
        }
    }

    @Test func anotherTimeIsAnotherTag() throws {
        let before = try site.get("/ten.txt")
        try site.write(text, to: "ten.txt", modified: 784_111_776.5)
        #expect(try site.get("/ten.txt") != before)
        #expect(try site.get("/ten.txt", "If-None-Match: \(tag(10))").hasPrefix("HTTP/1.1 200"))
    }

    @Test(arguments: [
        ("0-0", "0-0", "0"), ("2-4", "2-4", "234"), ("7-", "7-9", "789"), ("-2", "8-9", "89"), ("-100", "0-9", "0123456789"),
        ("5-100", "5-9", "56789"), ("20-,3-3", "3-3", "3"),
    ])
    func oneRange(_ asked: String, _ range: String, _ body: String) throws {
        #expect(try site.get("/ten.txt", "Range: bytes=\(asked)") == part(range, body))
        // As it is sent by sendfile, where the whole would be read.
        #expect(try site.get("/ten.txt", "Range: bytes=\(asked)", options: { $0.readUpTo = 0 }) == part(range, body))
    }

    @Test(arguments: ["bytes=5-2", "bytes=x", "lines=1-2", "bytes=0-9,0-9", "bytes=0-0,1-1,2-2,3-3"])
    func rangesThatAreNotHeeded(_ field: String) throws {
        #expect(try site.get("/ten.txt", "Range: \(field)", options: { $0.mostRanges = 3 }) == whole)
    }

    @Test func rangesAreForGET() throws {
        #expect(try site.get("/ten.txt", method: "HEAD", "Range: bytes=0-1") == String(whole.dropLast(10)))
    }

    @Test(arguments: ["bytes=10-", "bytes=-0", "bytes=10-11,20-"]) func rangesThatAreNotThere(_ field: String) throws {
        #expect(
            try site.get("/ten.txt", "Range: \(field)")
                == answer("416 Range Not Satisfiable", "Content-Range: bytes */10", "Content-Type: text/plain", body: "416 Range Not Satisfiable\n"))
        let page = try site.get("/ten.txt", "Range: \(field)", "Accept: application/problem+json")
        #expect(page.contains("Content-Range: bytes */10\r\n") && page.hasSuffix("\"title\":\"Range Not Satisfiable\",\"status\":416}\n"))
    }

    @Test func anEmptyFileHasNoRanges() throws {
        try site.write("", to: "none.txt")
        #expect(try site.get("/none.txt", "Range: bytes=-1") == file("text/plain; charset=utf-8", ""))
        #expect(try site.get("/none.txt", "Range: bytes=0-").hasPrefix("HTTP/1.1 416 "))
    }

    @Test func aRangeIfTheFileIsTheSame() throws {
        let range = "Range: bytes=0-1"
        #expect(try site.get("/ten.txt", range, "If-Range: \(tag(10))") == part("0-1", "01"))
        for field in ["If-Range: \"x\"", "If-Range: W/\(tag(10))", "If-Range: Sun, 06 Nov 1994 08:49:36 GMT"] {
            #expect(try site.get("/ten.txt", range, field) == whole, "\(field)")
        }
        // The second of the change is not over.
        #expect(try site.get("/ten.txt", range, "If-Range: Sun, 06 Nov 1994 08:49:37 GMT") == whole)
        try site.write(text, to: "ten.txt", modified: 784_111_770)
        #expect(try site.get("/ten.txt", range, "If-Range: Sun, 06 Nov 1994 08:49:30 GMT").hasPrefix("HTTP/1.1 206 "))
    }

    @Test func severalRanges() throws {
        let output = try site.get("/ten.txt", "Range: bytes=0-1, 4-4, -2")
        let mark = try #require(output.range(of: "boundary="))
        let boundary = String(output[mark.upperBound...].prefix(16))
        func head(_ range: String) -> String {
            "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes \(range)/10\r\n\r\n"
        }
        let body = head("0-1") + "01\r\n" + head("4-4") + "4\r\n" + head("8-9") + "89\r\n--\(boundary)--\r\n"
        #expect(
            output
                == answer(
                    "206 Partial Content", validators(10), "Content-Type: multipart/byteranges; boundary=\(boundary)", body: body))
    }
}

@Suite struct StaticFilesVariantTests {
    private let site: FileSite

    init() throws {
        site = try FileSite()
        try site.write("plain", to: "a.css")
        try site.write("gzipped!", to: "a.css.gz")
        try site.write("brotli", to: "a.css.br")
        try site.write("b", to: "b.css")
        try site.write("b.zst", to: "b.css.zst")
        try site.write("index.gz", to: "index.html.gz")
    }

    private func get(_ target: String, _ fields: String...) throws -> String {
        let driver = try site.driver { $0.precompressed = [.zstd, .br, .gzip] }
        let lines = fields.map { $0 + "\r\n" }.joined()
        driver.receive("GET \(target) HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        return driver.takeOutput()
    }

    private func variant(_ coding: String, _ type: String, _ body: String) -> String {
        let fields = validators(body.utf8.count, coding.isEmpty ? "" : "-" + coding) + "\r\nVary: Accept-Encoding"
        let content = coding.isEmpty ? "" : "Content-Encoding: \(coding)\r\n"
        return answer("200 OK", fields, content + "Accept-Ranges: bytes", "Content-Type: \(type)", body: body)
    }

    @Test(arguments: [
        ("gzip", "gzip", "gzipped!"), ("gzip, deflate, br, zstd", "br", "brotli"), ("gzip, br;q=0.9", "gzip", "gzipped!"),
        ("zstd", "", "plain"), ("identity", "", "plain"), ("", "", "plain"), ("gzip;q=0, br;q=0", "", "plain"), ("*", "br", "brotli"),
        ("gzip;q=0.5, identity;q=0.8", "", "plain"), ("zstd, gzip;q=0.1", "gzip", "gzipped!"),
    ])
    func theVariantThatIsWanted(_ accepted: String, _ coding: String, _ body: String) throws {
        #expect(try get("/a.css", "Accept-Encoding: \(accepted)") == variant(coding, "text/css; charset=utf-8", body))
    }

    @Test func withoutAcceptEncoding() throws {
        #expect(try get("/a.css") == variant("", "text/css; charset=utf-8", "plain"))
        #expect(try get("/none.css", "Accept-Encoding: br") == status("404 Not Found"))
    }

    @Test func otherVariants() throws {
        #expect(try get("/b.css", "Accept-Encoding: zstd, gzip") == variant("zstd", "text/css; charset=utf-8", "b.zst"))
        #expect(try get("/", "Accept-Encoding: br, gzip") == variant("gzip", "text/html; charset=utf-8", "index.gz"))
        // It is a file like others by its own name.
        #expect(try get("/a.css.gz") == variant("", "application/gzip", "gzipped!"))
    }

    @Test func conditionsAndRangesAreTheVariants() throws {
        #expect(try get("/a.css", "Accept-Encoding: br", "If-None-Match: \(tag(6, "-br"))").hasPrefix("HTTP/1.1 304 "))
        #expect(try get("/a.css", "Accept-Encoding: gzip", "If-None-Match: \(tag(6, "-br"))").hasPrefix("HTTP/1.1 200 "))
        let part = try get("/a.css", "Accept-Encoding: br", "Range: bytes=0-1")
        #expect(part.hasPrefix("HTTP/1.1 206 ") && part.contains("Content-Encoding: br\r\n") && part.hasSuffix("\r\n\r\nbr"))
    }

    @Test func theyAreNotLookedForUnlessAsked() throws {
        #expect(try site.get("/a.css", "Accept-Encoding: br") == file("text/css; charset=utf-8", "plain"))
    }
}
