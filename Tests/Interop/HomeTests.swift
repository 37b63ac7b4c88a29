import Foundation
import TestSupport
import Testing

/// The home page, as Chromium sees it: live charts, forms answered beside the forms, contrast and names for everybody, no
/// complaint of the browser's; and the same page without scripts.
@Suite(.timeLimit(.minutes(40))) struct HomeTests {
    @Test(arguments: ["reactor", "thread", "thread-pool"])
    func chromiumSeesTheHomePage(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(String(repeating: "to be digested\n", count: 20_000), to: "upload.txt")
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--architecture", architecture])
        let result = try run(
            "python3",
            ["-c", HomeBrowser.program, architecture, "http://\(server.addresses[0])", directory.path + "/upload.txt"], seconds: 600)
        #expect(result.output == "seen\n", "\(result.errors.suffix(2_000))")
        // Streams of events that are still open end, too.
        #expect(server.stop() == 0)
        #expect(!server.output.contains("Fatal"), "\(server.output.suffix(2_000))")
    }

    /// Each process counts for itself, and the page says so.
    @Test(arguments: ["fork", "prefork"])
    func forkedProcessesSpeakForThemselves(_ architecture: String) throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--architecture", architecture])
        let page = try run("curl", ["-sS", "--max-time", "10", "http://\(server.addresses[0])/"]).output
        #expect(page.contains("under \(architecture) each process counts its own"))
        #expect(page.contains("not measured"))
        #expect(page.contains("data-live=\"ask\""))
        #expect(try run("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://\(server.addresses[0])/live"]).output == "404")
        #expect(server.stop() == 0)
    }

    /// Somebody watches, and the server is told to stop: it ends at once, not after its grace.
    @Test func aServerThatIsWatchedStops() throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"])
        let watcher = try TestClient(server.addresses[0])
        watcher.send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
        var line = watcher.receiveLine()
        while !line.isEmpty && !line.hasPrefix("event: sample") { line = watcher.receiveLine() }
        #expect(line.hasPrefix("event: sample"))
        let began = ContinuousClock.now
        #expect(server.stop() == 0)
        #expect(ContinuousClock.now - began < .seconds(8))
    }
}
