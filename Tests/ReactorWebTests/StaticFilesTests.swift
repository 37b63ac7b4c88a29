import ConnectionHandling
import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

/// A real directory with files, links and a secret beside it; removed when it goes.
private final class Site {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("reactor-http-\(UUID().uuidString)")
    var root: URL { base.appendingPathComponent("root") }

    init() throws {
        let files = FileManager.default
        try files.createDirectory(at: root.appendingPathComponent("sub dir"), withIntermediateDirectories: true)
        try files.createDirectory(at: root.appendingPathComponent("bare"), withIntermediateDirectories: true)
        try write("page", to: "index.html")
        try write("inner", to: "sub dir/index.html")
        try write("body {}", to: "style.CSS")
        try write("odd", to: "noending")
        try write("hidden", to: ".secret")
        try Data("outside".utf8).write(to: base.appendingPathComponent("outside.txt"))
        try link("escape.txt", to: "../outside.txt")
        try link("absolute.txt", to: base.appendingPathComponent("outside.txt").path)
        try link("up", to: "..")
        try link("alias.txt", to: "sub dir/../noending")
        try link("loop", to: "loop")
        #expect(mkfifo(root.appendingPathComponent("pipe").path, 0o600) == 0)
    }

    deinit { try? FileManager.default.removeItem(at: base) }

    func write(_ text: String, to name: String, modified: TimeInterval = 784_111_777) throws {
        let file = root.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: modified)], ofItemAtPath: file.path)
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: root.appendingPathComponent(name).path, withDestinationPath: target)
    }

    func driver(limits: ConnectionLimits = .default) throws -> TestDriver {
        TestDriver(HTTPServerHandler(application: StaticFiles(root: try DocumentRoot(root.path))), limits: limits)
    }
}

private func file(_ type: String, _ body: String) -> String {
    answer("200 OK", "Content-Type: \(type)", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", body: body)
}

@Suite struct StaticFilesTests {
    private let site: Site
    init() throws { site = try Site() }

    private func get(_ target: String, method: String = "GET") throws -> String {
        let driver = try site.driver()
        driver.receive("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(driver.closed == nil)
        return driver.takeOutput()
    }

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
        #expect(try get("/noending") == file("application/octet-stream", "odd"))
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

    @Test func aRootThatIsNoDirectory() {
        #expect(throws: DocumentRootError.self) { try DocumentRoot(site.root.path + "/noending") }
        #expect(throws: DocumentRootError.self) { try DocumentRoot("/nonexistent") }
    }
}
