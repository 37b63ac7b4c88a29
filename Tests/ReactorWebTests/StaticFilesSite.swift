import ConnectionHandling
import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

/// A real directory with files, links and a secret beside it; removed when it goes.
final class FileSite {
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
        try write(Array(text.utf8), to: name, modified: modified)
    }

    func write(_ bytes: [UInt8], to name: String, modified: TimeInterval = 784_111_777) throws {
        let file = root.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: modified)], ofItemAtPath: file.path)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: root.appendingPathComponent(name).path, withDestinationPath: target)
    }

    func driver(_ change: (inout StaticFileOptions) -> Void = { _ in }) throws -> TestDriver {
        var options = StaticFileOptions()
        change(&options)
        return TestDriver(HTTPServerHandler(application: StaticFiles(root: try DocumentRoot(root.path), options: options)))
    }

    /// What one request is answered.
    func get(
        _ target: String, method: String = "GET", _ fields: String..., options: (inout StaticFileOptions) -> Void = { _ in }
    ) throws -> String {
        let driver = try driver(options)
        let lines = fields.map { $0 + "\r\n" }.joined()
        driver.receive("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        #expect(driver.closed == nil)
        return driver.takeOutput()
    }
}

/// 784111777 s, as the tag of a file has it.
let tagTime = "ae1b981bc490a00"

func tag(_ length: Int, _ suffix: String = "") -> String { "\"\(tagTime)-\(String(length, radix: 16))\(suffix)\"" }

func validators(_ length: Int, _ suffix: String = "") -> String {
    "ETag: \(tag(length, suffix))\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT"
}

/// The whole of a file, as it is served.
func file(_ type: String, _ body: String) -> String {
    answer("200 OK", validators(body.utf8.count), "Accept-Ranges: bytes", "Content-Type: \(type)", body: body)
}
