import ConnectionHandling
import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

@Suite struct StaticFilesTests {
    private let site: FileSite
    init() throws { site = try FileSite() }

    private func get(_ target: String, method: String = "GET") throws -> String { try site.get(target, method: method) }

    @Test(arguments: [
        ("/", "text/html; charset=utf-8", "page"),
        ("/?query=/../x", "text/html; charset=utf-8", "page"),
        ("/index.html", "text/html; charset=utf-8", "page"),
        ("/sub%20dir/", "text/html; charset=utf-8", "inner"),
        ("/%73tyle.%43SS", "text/css; charset=utf-8", "body {}"),
        ("/noending", "application/octet-stream", "odd"),
        ("/alias.txt", "text/plain; charset=utf-8", "odd"),
        ("http://a/noending", "application/octet-stream", "odd"),
        ("http://a", "text/html; charset=utf-8", "page"),
    ])
    func filesAreServed(_ target: String, _ type: String, _ body: String) throws {
        #expect(try get(target) == file(type, body))
    }

    @Test(arguments: [
        "/none", "/bare/", "/noending/", "/pipe", "/loop",
        "/.secret", "/%2esecret", "/%2Esecret", "/sub%20dir/./index.html", "/.", "/..", "/../outside.txt",
        "/%2e%2e/outside.txt", "/sub%20dir/../../outside.txt", "/..%2foutside.txt", "/sub%20dir%2findex.html",
        "/%2Fetc/passwd", "//etc/passwd", "/sub%20dir//index.html", "/escape.txt", "/absolute.txt", "/up/outside.txt",
        "/up/root/noending", "/....//outside.txt", "/..%5coutside.txt",
    ])
    func whatIsNotThereAndWhatIsNotToBeSeen(_ target: String) throws {
        #expect(try get(target) == status("404 Not Found"))
    }

    @Test(arguments: ["/%", "/%4", "/%zz", "/a%00", "/%00", "/noending%00.html"])
    func brokenEncodings(_ target: String) throws {
        #expect(try get(target) == status("400 Bad Request"))
    }

    @Test(arguments: [("/sub%20dir", "/sub%20dir/"), ("/bare?a=b", "/bare/?a=b"), ("http://b/bare", "/bare/")])
    func directoriesGetTheirSlash(_ target: String, _ location: String) throws {
        #expect(try get(target) == answer("301 Moved Permanently", "Location: \(location)"))
    }

    @Test func headSendsTheLengthAlone() throws {
        let whole = file("application/octet-stream", "odd")
        #expect(try get("/noending", method: "HEAD") == String(whole.dropLast(3)))
    }

    @Test(arguments: [784_111_778, 784_111_777 + 1_000_000_000])
    func noFileIsYoungerThanItsAnswer(_ modified: TimeInterval) throws {
        try site.write("odd", to: "noending", modified: modified)
        #expect(try get("/noending").contains("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
    }

    @Test func anOlderFileKeepsItsDate() throws {
        try site.write("odd", to: "noending", modified: 784_111_776)
        #expect(try get("/noending").contains("Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"))
    }

    @Test func otherMethods() throws {
        let text = "405 Method Not Allowed"
        #expect(
            try get("/noending", method: "DELETE")
                == answer(text, "Allow: GET, HEAD", "Content-Type: text/plain", body: text + "\n"))
        #expect(try get("/none", method: "DELETE") == status("404 Not Found"))
    }

    @Test func unreadableFilesAreForbidden() throws {
        // Permissions don't bind the superuser.
        if geteuid() == 0 { return }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0], ofItemAtPath: site.root.appendingPathComponent("noending").path)
        #expect(try get("/noending") == status("403 Forbidden"))
    }

    @Test func largeFilesWaitForTheirReader() throws {
        let text = String(repeating: "0123456789abcdef", count: 64 * 1024)
        try site.write(text, to: "large.txt")
        let driver = try site.driver()
        driver.setWindow(0)
        let request = "GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n"
        driver.receive(request + "GET /noending HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(!driver.wantsInput)
        var output = ""
        var rounds = 0
        while output.utf8.count < text.utf8.count, rounds < 100 {
            driver.setWindow(50_000)
            output += driver.takeOutput()
            rounds += 1
        }
        #expect(rounds > 20)
        driver.setWindow(nil)
        output += driver.takeOutput()
        #expect(output == file("text/plain; charset=utf-8", text) + file("application/octet-stream", "odd"))
        #expect(driver.wantsInput)
    }

    @Test func aFileThatShrinksCutsTheConnection() throws {
        try site.write(String(repeating: "x", count: 1024 * 1024), to: "large.txt")
        let driver = try site.driver()
        driver.setWindow(0)
        driver.receive("GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(truncate(site.root.appendingPathComponent("large.txt").path, 1000) == 0)
        driver.setWindow(nil)
        #expect(driver.closed == .aborted)
        #expect((driver.takeOutput() as [UInt8]).count < 1024 * 1024)
    }

    /// Read at once, or sent from where it lies.
    @Test(arguments: [0, 1, 1023, 1024, 1025]) func filesAboutTheSizeThatIsReadAtOnce(_ length: Int) throws {
        let text = String(repeating: "x", count: length)
        try site.write(text, to: "a.txt")
        #expect(try site.get("/a.txt", options: { $0.readUpTo = 1024 }) == file("text/plain; charset=utf-8", text))
    }

    @Test func dotNamesAreServedByName() throws {
        let options = { (options: inout StaticFileOptions) in options.dotNames = [".well-known", "..", "."] }
        try FileManager.default.createDirectory(at: site.root.appendingPathComponent(".well-known"), withIntermediateDirectories: true)
        try site.write("x", to: ".well-known/a.txt")
        #expect(try site.get("/.well-known/a.txt", options: options) == file("text/plain; charset=utf-8", "x"))
        for path in ["/.secret", "/../outside.txt", "/.", "/sub%20dir/../noending", "/./noending"] {
            #expect(try site.get(path, options: options) == status("404 Not Found"), "\(path)")
        }
        #expect(try site.get("/.well-known/a.txt") == status("404 Not Found"))
    }

    @Test func theFirstIndexFileThatIsThere() throws {
        let options = { (options: inout StaticFileOptions) in
            options.indexFiles = ["", "../outside.txt", "none.html", "home.htm", "index.html"]
        }
        #expect(try site.get("/", options: options) == file("text/html; charset=utf-8", "page"))
        try site.write("home", to: "home.htm")
        #expect(try site.get("/", options: options) == file("text/html; charset=utf-8", "home"))
        #expect(try site.get("/", options: { $0.indexFiles = [] }) == status("404 Not Found"))
    }

    @Test func mediaTypesAreOverridden() throws {
        try site.write("x", to: "a.swift")
        try site.write("x", to: "a.verylongendingofaname")
        #expect(try get("/a.swift") == file("text/plain; charset=utf-8", "x"))
        #expect(try site.get("/a.swift", options: { $0.mediaTypes["SWIFT"] = "text/x-swift" }) == file("text/x-swift", "x"))
        #expect(try site.get("/a.swift", options: { $0.mediaTypes["swift"] = nil }) == file("application/octet-stream", "x"))
        #expect(try site.get("/a.verylongendingofaname", options: { $0.mediaTypes.other = "a/b" }) == file("a/b", "x"))
    }

    @Test(arguments: [
        ("a.html", "text/html; charset=utf-8"), ("a.tar.gz", "application/gzip"), ("a.", nil), ("html", nil), ("x.d/html", nil),
        ("a.webmanifest", "application/manifest+json"), ("a.JPeG", "image/jpeg"), ("a.htmlx", nil), ("a.1234567890123456x", nil),
    ])
    func types(_ name: String, _ type: String?) throws {
        try FileManager.default.createDirectory(at: site.root.appendingPathComponent("x.d"), withIntermediateDirectories: true)
        try site.write("x", to: name)
        #expect(try get("/" + name) == file(type ?? "application/octet-stream", "x"))
    }

    @Test func cacheFields() throws {
        let output = try site.get("/noending", options: {
            $0.cacheControl = "public, max-age=60"
            $0.expires = .seconds(60)
        })
        #expect(output.contains("\r\nCache-Control: public, max-age=60\r\nExpires: Sun, 06 Nov 1994 08:50:37 GMT\r\n"))
    }

    @Test(arguments: ["/assets", "/assets/"]) func belowARoute(_ path: String) throws {
        var router = Router()
        let files = StaticFiles(root: try DocumentRoot(site.root.path))
        router.files(path, files)
        router.group("/x") { $0.group("/{y}") { $0.files("/z", files) } }
        let application = RoutedApplication(router)
        func get(_ target: String, _ method: String = "GET") -> String {
            let driver = TestDriver(HTTPServerHandler(application: application))
            driver.receive("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            return driver.takeOutput()
        }
        #expect(get("/assets/style.CSS") == file("text/css; charset=utf-8", "body {}"))
        #expect(get("/%61ssets/style.CSS") == file("text/css; charset=utf-8", "body {}"))
        #expect(get("/x/any/z/style.CSS") == file("text/css; charset=utf-8", "body {}"))
        #expect(get("/assets/") == file("text/html; charset=utf-8", "page"))
        #expect(get("/assets") == answer("301 Moved Permanently", "Location: /assets/"))
        #expect(get("/assets?a") == answer("301 Moved Permanently", "Location: /assets/?a"))
        #expect(get("/assets/sub%20dir") == answer("301 Moved Permanently", "Location: /assets/sub%20dir/"))
        #expect(get("/assets/sub%20dir/") == file("text/html; charset=utf-8", "inner"))
        for target in ["/assets/../noending", "/assets//noending", "/assets/%2e%2e/outside.txt", "/assets/.secret", "/noending"] {
            #expect(get(target).hasPrefix("HTTP/1.1 404 "), "\(target)")
        }
        #expect(get("/assets/noending", "HEAD") == String(file("application/octet-stream", "odd").dropLast(3)))
        #expect(get("/assets/noending", "DELETE").hasPrefix("HTTP/1.1 405 "))
    }

    /// `//host` as a Location would be another site's.
    @Test func aRedirectStaysOnTheSite() throws {
        try FileManager.default.createDirectory(at: site.root.appendingPathComponent("\\evil.example"), withIntermediateDirectories: true)
        var router = Router()
        router.files("/", StaticFiles(root: try DocumentRoot(site.root.path)))
        let application = RoutedApplication(router)
        for target in ["//bare", "//evil.example/bare", "///bare", "/%2Fevil.example/bare", "/\\evil.example"] {
            let driver = TestDriver(HTTPServerHandler(application: application))
            driver.receive("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            let output: String = driver.takeOutput()
            #expect(!output.contains("Location") && output.hasPrefix("HTTP/1.1 40"), "\(target)")
        }
    }

    @Test func aRootThatIsNoDirectory() {
        #expect(throws: DocumentRootError.self) { try DocumentRoot(site.root.path + "/noending") }
        #expect(throws: DocumentRootError.self) { try DocumentRoot("/nonexistent") }
    }
}
