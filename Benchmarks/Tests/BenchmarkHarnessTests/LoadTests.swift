import CBenchSystem
import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

@Suite struct LoadReportTests {
    @Test func aReport() throws {
        let report = try LoadReport("count=1200 seconds=2.500000 lost=3\n")
        #expect(report.count == 1200)
        #expect(report.seconds == 2.5)
        #expect(report.lost == 3)
        #expect(report.failures == 0)
        #expect(try LoadReport("count=1 seconds=1 failures=7").failures == 7)
    }

    @Test(arguments: [
        "", "count=5", "seconds=1", "count=x seconds=1", "count=0 seconds=1", "count=5 seconds=0", "count",
    ])
    func noReport(text: String) {
        #expect(throws: Failure.self) { try LoadReport(text) }
    }
}

/// The loads against the floors, which do the job right, and against servers that don't.
@Suite struct LoadTests {
    private func load(_ kind: String, _ service: Service, numbers: Int...) throws -> LoadReport {
        let server = try ServerProcess.start(.floor, service, workers: 1, in: .ofThisPackage)
        let report = try run(kind, port: server.port, numbers)
        try server.awaitRest()
        try server.stop()
        return report
    }

    private func run(_ kind: String, port: UInt16, _ numbers: [Int]) throws -> LoadReport {
        try Load(kind, port: port, numbers, in: .ofThisPackage).run(within: 20)
    }

    @Test func echo() throws {
        let report = try load("echo", .echo, numbers: 16, 100)
        #expect(report.count > 16 && report.seconds >= 0.1)
    }

    @Test func shortConnections() throws {
        let report = try load("short-connections", .shortHTTP, numbers: 16, 100)
        #expect(report.count > 16 && report.failures == 0)
    }

    /// In every pairing of a server and peers that do or don't have the kernel join datagrams.
    @Test(arguments: [0, 1], [Subject.floor.name, Subject.floorOneByOne.name])
    func datagrams(joined: Int, subject: String) throws {
        let server = try ServerProcess.start(.named(subject), .datagramEcho, workers: 1, in: .ofThisPackage)
        let report = try run("datagrams", port: server.port, [3, 200, 20, joined])
        #expect(report.count > 60 && report.lost == 0)
        try server.stop()
    }

    /// More than the floor's socket can take: what is lost is counted, and the rest goes on.
    @Test func lostDatagramsAreCounted() throws {
        let report = try load("datagrams", .datagramEcho, numbers: 2, 1000, 10_000, 0)
        #expect(report.lost > 0 && report.count > 0)
    }

    // MARK: Servers that are wrong

    /// Answers each connection with `answer` as soon as it has sent something, and closes it.
    private func expectFailure(
        _ kind: String, answering answer: [UInt8], numbers: [Int], saying message: String
    ) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                #expect(bind(listener, address, size) == 0)
                #expect(listen(listener, 64) == 0)
                #expect(getsockname(listener, address, &size) == 0)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        // The thread closes the listener: until then nobody else can have its number.
        Thread.detachNewThread {
            defer { close(listener) }
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                var request = [UInt8](repeating: 0, count: 4096)
                if kind != "download" { recv(connection, &request, request.count, 0) }
                _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
                usleep(10_000)
                close(connection)
            }
        }
        defer { shutdown(listener, Int32(SHUT_RDWR)) }
        #expect { try run(kind, port: port, numbers) } throws: { error in
            if "\(error)".contains(message) { return true }
            Issue.record("\(error)")
            return false
        }
    }

    @Test func aWrongEchoIsSeen() throws {
        let zeros = [UInt8](repeating: 0, count: 64)
        try expectFailure("echo", answering: zeros, numbers: [1, 5000], saying: "not what was sent")
        try expectFailure("echo", answering: [], numbers: [1, 5000], saying: "closed")
    }

    @Test(arguments: ["HTTP/1.1 500 No\r\n\r\nHello, World!", "HTTP/1.1 200 OK\r\n\r\nHello", "nonsense"])
    func aWrongAnswerIsSeen(answer: String) throws {
        try expectFailure(
            "short-connections", answering: Array(answer.utf8), numbers: [1, 5000], saying: "the answer was")
    }

    @Test func aWrongPatternIsSeen() throws {
        let almost = Array(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\n\n".utf8)
        try expectFailure("download", answering: almost, numbers: [1, 1], saying: "RFC 864")
        try expectFailure("download", answering: Array(almost[..<72]), numbers: [1, 1], saying: "ended")
    }

    @Test func noServer() throws {
        let port = UInt16(bench_free_port())
        #expect(throws: Failure.self) { try run("echo", port: port, [1, 100]) }
        #expect(throws: Failure.self) { try run("datagrams", port: port, [1, 300, 10, 0]) }
    }
}
