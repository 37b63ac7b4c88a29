import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

@Suite struct StaticFilesListingTests {
    private let site: FileSite

    init() throws {
        site = try FileSite()
        try FileManager.default.removeItem(at: site.root.appendingPathComponent("index.html"))
    }

    private func list(_ target: String, _ fields: String..., most: Int = 10_000) throws -> (head: String, body: String) {
        let driver = try site.driver {
            $0.listsDirectories = true
            $0.mostListed = most
        }
        let lines = fields.map { $0 + "\r\n" }.joined()
        driver.receive("GET \(target) HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        let parts = (driver.takeOutput() as String).components(separatedBy: "\r\n\r\n")
        return (parts[0], parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    private struct Entry: Decodable, Equatable {
        let name: String
        let type: String
        let size: Int?
    }

    private func entries(_ target: String, most: Int = 10_000) throws -> [Entry] {
        let (head, body) = try list(target, "Accept: application/json", most: most)
        #expect(head.contains("Content-Type: application/json\r\n"))
        return try JSONDecoder().decode([Entry].self, from: Data(body.utf8))
    }

    /// Neither dot names, nor pipes, nor links that lead nowhere or out of the root.
    @Test func whatIsServedIsListed() throws {
        #expect(
            try entries("/") == [
                Entry(name: "bare", type: "directory", size: nil), Entry(name: "sub dir", type: "directory", size: nil),
                Entry(name: "alias.txt", type: "file", size: 3), Entry(name: "noending", type: "file", size: 3),
                Entry(name: "style.CSS", type: "file", size: 7),
            ])
        #expect(try entries("/bare/") == [])
    }

    @Test func aPage() throws {
        let (head, body) = try list("/")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("Content-Type: text/html; charset=utf-8\r\nVary: Accept\r\n"))
        #expect(head.contains("X-Content-Type-Options: nosniff\r\n") && head.contains("default-src 'none'"))
        #expect(body.contains("<h1>Index of /</h1>") && body.contains("color-scheme: light dark"))
        #expect(body.contains("<td><a href=\"./noending\">noending</a></td><td>3 B</td><td>1994-11-06 08:49</td>"))
        #expect(body.contains("<a href=\"./sub%20dir/\">sub dir/</a>"))
        #expect(!body.contains("../") && !body.contains("<script"))
        #expect(try list("/bare/").body.contains("<a href=\"../\">../</a>"))
        #expect(try list("/bare/").body.contains("Nothing is here."))
    }

    @Test func namesAreEscaped() throws {
        try FileManager.default.createDirectory(at: site.root.appendingPathComponent("<b>&\"'"), withIntermediateDirectories: true)
        let name = "<img src=x onerror=\"alert(1)\">&'%\\\n\u{202E}\u{e4}:?#"
        try site.write("x", to: "<b>&\"'/" + name)
        let (_, body) = try list("/%3Cb%3E&%22'/")
        #expect(body.contains("<h1>Index of /&lt;b&gt;&amp;&quot;&#39;/</h1>"))
        #expect(body.contains(">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;%\\\u{FFFD}\u{FFFD}\u{e4}:?#</a>"))
        let reference = try #require(body.range(of: "href=\"./"))
        let link = body[reference.upperBound...].prefix { $0 != "\"" }
        #expect(link == "%3Cimg%20src%3Dx%20onerror%3D%22alert%281%29%22%3E%26%27%25%5C%0A%E2%80%AE%C3%A4%3A%3F%23")
        #expect(!body.contains("<img") && !body.contains("<b>"))
        // The link leads to the file, and JSON has its name.
        #expect(try list("/%3Cb%3E&%22'/\(link)").body == "x")
        #expect(try entries("/%3Cb%3E&%22'/") == [Entry(name: name, type: "file", size: 1)])
    }

    @Test func namesThatAreNoText() throws {
        let path = Array(site.root.appendingPathComponent("bare").path.utf8).map { CChar(bitPattern: $0) }
        let descriptor = open(path + [47, -1, 98, 0].map { CChar($0) }, O_CREAT | O_WRONLY, 0o600)
        #expect(descriptor >= 0)
        close(descriptor)
        let (_, body) = try list("/bare/")
        #expect(body.contains("<a href=\"./%FFb\">\u{FFFD}b</a>"))
    }

    @Test func asManyAsAllowedAndOneMore() throws {
        for number in 0..<5 { try site.write("x", to: "bare/\(number)") }
        #expect(try entries("/bare/", most: 5).count == 5)
        #expect(try !list("/bare/", most: 5).body.contains("more entries"))
        #expect(try entries("/bare/", most: 4).count == 4)
        #expect(try list("/bare/", most: 4).body.contains("more entries"))
    }

    @Test func whatTheClientWouldHave() throws {
        for (accept, isJSON) in [
            ("*/*", false), ("text/html,application/xhtml+xml,*/*;q=0.8", false), ("application/json", true),
            ("application/*, text/html;q=0.5", true), ("image/png", false),
        ] {
            #expect(try list("/", "Accept: \(accept)").head.contains("application/json") == isJSON, "\(accept)")
        }
    }

    @Test func sizes() throws {
        for (length, text) in [(1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (10 * 1024, "10 KiB"), (3 << 20, "3.0 MiB")] {
            try site.write([UInt8](repeating: 0, count: length), to: "bare/a")
            #expect(try list("/bare/").body.contains("<td>\(text)</td>"))
        }
    }

    @Test func anIndexFileComesFirst() throws {
        #expect(try list("/sub%20dir/").body == "inner")
        #expect(try list("/none/").head.hasPrefix("HTTP/1.1 404 "))
        #expect(try list("/noending/").head.hasPrefix("HTTP/1.1 404 "))
        #expect(try list("/bare").head.hasPrefix("HTTP/1.1 301 "))
    }
}
