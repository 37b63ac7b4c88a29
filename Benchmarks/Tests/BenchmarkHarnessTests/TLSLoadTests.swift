import Foundation
import Testing

@testable import BenchmarkHarness

/// The loads over TLS against nginx, and against nginx with something wrong in its configuration.
@Suite(.timeLimit(.minutes(40))) struct TLSLoadTests {
    private func report(
        _ kind: String, _ numbers: [Int], from subject: Subject = .nginx, _ service: Service,
        in environment: Environment = .ofThisPackage
    ) throws -> LoadReport {
        let server = try ServerProcess.start(subject, service, workers: 1, in: environment)
        let report = try Load(kind, port: server.port, numbers, in: environment).run(within: 20)
        try server.awaitRest()
        try server.stop()
        return report
    }

    /// nginx with one part of its configuration replaced by another.
    private func nginx(_ part: String, by other: String) throws -> Subject {
        var subject = Subject.nginx
        let configuration = try #require(subject.configuration)
        subject.configuration = { service, place in
            let file = try #require(try configuration(service, place).last)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.contains(part))
            return [try place.write(text.replacing(part, with: other), to: "configuration")]
        }
        return subject
    }

    private func expectFailure<Value>(saying message: String, _ body: () throws -> Value) {
        #expect { _ = try body() } throws: { error in
            if "\(error)".contains(message) { return true }
            Issue.record("\(error)")
            return false
        }
    }

    @Test(arguments: [(resumed: 0, tickets: 2.0), (resumed: 1, tickets: 1)])
    func handshakes(resumed: Int, tickets: Double) throws {
        let report = try report("tls-handshakes", [8, 1500, resumed], .shortHTTPS)
        #expect(report.count >= 8 && report.failures == 0)
        // As OpenSSL does it: two tickets behind a full handshake, one behind a resumed one.
        #expect(report.tickets == report.count * tickets)
    }

    @Test func bodies() throws {
        let report = try report("tls-bodies", [3, 1500], .httpsFile)
        #expect(report.count >= 3 * 1024 * 1024)
    }

    @Test func aHerdIsHeld() throws {
        let server = try ServerProcess.start(.nginx, .https, workers: 1, in: .ofThisPackage)
        #expect(server.url.hasPrefix("https://"))
        let herd = try ConnectionHerd(count: 50, port: server.port, service: .https)
        #expect(server.sockets().caughtUp == 50)
        herd.disperse()
        try server.awaitRest()
        try server.stop()
    }

    // MARK: Servers that are wrong

    /// A server that refuses every handshake ends the load with what it said.
    @Test func anOlderVersionIsRefused() throws {
        let old = try nginx("TLSv1.2 TLSv1.3", by: "TLSv1.2")
        expectFailure(saying: "connections failed; the last: tlsv1 alert protocol version") {
            try report("tls-handshakes", [8, 5000, 0], from: old, .httpsFile)
        }
        expectFailure(saying: "a connection broke: tlsv1 alert protocol version") {
            try report("tls-bodies", [1, 5000], from: old, .httpsFile)
        }
    }

    /// The same when it does so too seldom for the load to give up before its time.
    @Test func whatNeverSucceedsFails() throws {
        let old = try nginx("TLSv1.2 TLSv1.3", by: "TLSv1.2")
        expectFailure(saying: "no connection succeeded") {
            try report("tls-handshakes", [1, 5, 0], from: old, .httpsFile)
        }
    }

    @Test func aPlainServerIsNoTLSServer() throws {
        expectFailure(saying: "wrong version number") {
            try report("tls-handshakes", [8, 5000, 0], .shortHTTP)
        }
    }

    @Test func aServerThatChoosesOtherwiseIsNotMeasured() throws {
        let old = try nginx("TLSv1.2 TLSv1.3", by: "TLSv1.2")
        expectFailure(saying: "TLS is TLSv1.2") { try report("tls-handshakes", [1, 100, 0], from: old, .shortHTTPS) }
        let other = try nginx("X25519:prime256v1", by: "prime256v1")
        expectFailure(saying: "TLS is TLSv1.3 TLS_AES_256_GCM_SHA384 secp256r1") {
            try report("tls-handshakes", [1, 100, 0], from: other, .shortHTTPS)
        }
        expectFailure(saying: "connections failed") {
            try report("tls-handshakes", [8, 5000, 0], from: other, .httpsFile)
        }
    }

    /// Tickets for sessions that the server forgets, and no tickets at all.
    @Test func whatIsNotResumedFails() throws {
        let forgetful = try nginx("ssl_prefer_server_ciphers off;", by: "ssl_session_tickets off;")
        expectFailure(saying: "not resumed") { try report("tls-handshakes", [2, 3000, 1], from: forgetful, .shortHTTPS) }
        let stingy = try nginx("ssl_prefer_server_ciphers off;", by: "ssl_conf_command NumTickets 0;")
        expectFailure(saying: "gave no ticket") { try report("tls-handshakes", [2, 3000, 1], from: stingy, .shortHTTPS) }
    }

    @Test func aWrongAnswerIsSeen() throws {
        let terse = try nginx("Hello, World!", by: "Hello")
        expectFailure(saying: "Content-Length: 5 ") {
            try report("tls-handshakes", [1, 3000, 0], from: terse, .httpsFile)
        }
        let empty = try nginx("/root;", by: "/none;")
        expectFailure(saying: "not a file of 1 MiB") { try report("tls-bodies", [1, 3000], from: empty, .httpsFile) }
    }

    /// One byte, at the end of the file; and a file without it.
    @Test(arguments: [(1, "the body is not the file's"), (0, "not a file of 1 MiB")])
    func aWrongBodyIsSeen(bytes: Int, message: String) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "material-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let material = Material(directory: directory)
        try material.make()
        let file = try #require(FileHandle(forUpdatingAtPath: material.root + "/mebibyte"))
        try file.truncate(atOffset: 1024 * 1024 - 1)
        try file.write(contentsOf: Data(repeating: 1, count: bytes))
        try file.close()
        let ours = Environment.ofThisPackage.executables
        let environment = Environment(
            executables: Executables(reactor: "", floor: ours.floor, load: ours.load, material: material))
        expectFailure(saying: message) {
            try report("tls-bodies", [1, 3000], .httpsFile, in: environment)
        }
    }
}
