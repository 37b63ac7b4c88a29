import ReactorHTTP
import ReactorWire
import Testing

@Suite struct SemanticsNegotiationTests {
    private func type(_ type: String, _ fields: String...) -> Int {
        var acceptance = Acceptance()
        for field in fields { span(field) { field in span(type) { acceptance.readAccept(field, for: $0) } } }
        return acceptance.value
    }

    /// The table of RFC 9110 section 12.5.1.
    @Test(arguments: [
        ("text/plain;format=flowed", 1000), ("text/plain", 700), ("text/html", 300), ("image/jpeg", 500),
        ("text/plain;format=fixed", 400), ("text/html;level=3", 300),
    ])
    func theTableOfTheRFC(_ type: String, _ weight: Int) {
        let field = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"
        #expect(self.type(type, field) == weight)
    }

    @Test(arguments: [
        ("", 0), ("text/html", 1000), ("TEXT/HTML;Q=0.5", 500), ("text/*", 1000), ("*/*;q=0.001", 1), ("*/*;q=0", 0),
        ("application/json", 0), ("text/html;q=0, */*", 0), ("*/*, text/html;q=0.1", 100), ("text/html ; q=0.2", 200),
        ("text/html;level=1", 0), ("text/html;q=1.0", 1000), ("text/html;q=0.", 0), ("text/html;q=0.25;ext=1", 250),
        // No weights: not heeded.
        ("text/html;q=2, */*;q=0.3", 300), ("text/html;q=1.001, */*;q=0.3", 300), ("text/html;q=0.1234, */*;q=0.3", 300),
        ("text/html;q=, */*;q=0.3", 300), ("text/html;q=-1, */*;q=0.3", 300), ("text/html;q, */*;q=0.3", 300),
        // Commas and semicolons in quotes are none.
        ("a/b;x=\"text/html,text/html\"", 0), ("a/b;x=\"\\\",text/html\"", 0), ("a/b;x=\"", 0), ("texthtml, /, */html, text/", 0),
    ])
    func mediaTypes(_ field: String, _ weight: Int) { #expect(type("text/html", field) == weight) }

    @Test func linesAreOneList() {
        #expect(type("text/html", "text/*;q=0.3", "text/html;q=0.9", "*/*;q=0.1") == 900)
        #expect(type("text/html") == 1000)
    }

    private func coding(_ coding: StaticString, _ field: String) -> Int {
        var acceptance = Acceptance()
        span(field) { acceptance.readAcceptEncoding($0, for: coding) }
        return acceptance.value
    }

    /// The examples of RFC 9110 section 12.5.3, and others.
    @Test(arguments: [
        ("compress, gzip", 1000, 0, 1), ("", 0, 0, 1), ("*", 1000, 1000, 1), ("compress;q=0.5, gzip;q=1.0", 1000, 0, 1),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", 1000, 0, 500), ("gzip, deflate, br, zstd", 1000, 1000, 1),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", 800, 1000, 1), ("GZIP;q=0", 0, 0, 1), ("*;q=0", 0, 0, 0),
        ("identity;q=0", 0, 0, 0), ("gzip;q=0.x", 0, 0, 1), ("gzipped, bread", 0, 0, 1), ("identity, *;q=0", 0, 0, 1000),
    ])
    func codings(_ field: String, _ gzip: Int, _ br: Int, _ identity: Int) {
        #expect(coding("gzip", field) == gzip)
        #expect(coding("br", field) == br)
        #expect(coding("identity", field) == identity)
    }

    @Test(arguments: [
        ("da, en-gb;q=0.8, en;q=0.7", "en-GB", 800), ("da, en-gb;q=0.8, en;q=0.7", "en-US", 700),
        ("da, en-gb;q=0.8, en;q=0.7", "da", 1000), ("da, en-gb;q=0.8, en;q=0.7", "de", 0), ("*;q=0.2", "de", 200),
        ("de-CH", "de", 1000), ("de-CH", "de-AT", 0), ("en", "eng", 0), ("de;q=0, *", "de-CH", 0), ("DE", "de-ch", 1000),
        ("de-CH;q=0.5, de;q=0.9", "de", 900), ("", "de", 0),
    ])
    func languages(_ field: String, _ tag: String, _ weight: Int) {
        var acceptance = Acceptance()
        span(field) { field in span(tag) { acceptance.readAcceptLanguage(field, for: $0) } }
        #expect(acceptance.value == weight)
    }

    @Test func garbageNeverTraps() {
        let alphabet = Array(";,=q.01*/ab \"\\".utf8)
        for _ in 0..<20_000 {
            let field = String(decoding: (0..<Int.random(in: 0...25)).map { _ in alphabet.randomElement() ?? 0 }, as: UTF8.self)
            #expect((0...1000).contains(type("a/b;a=b", field)))
            #expect((0...1000).contains(coding("gzip", field)))
        }
    }
}
