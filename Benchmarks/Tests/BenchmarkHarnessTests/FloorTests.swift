import CBenchSystem
import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

/// The floor is only worth comparing with if it is a correct server.
@Suite struct FloorTests {
    private static let get = "GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n"
    private static let other = "GET /other HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"

    /// Sends the pieces, each as a segment of its own, ends the sending side, and returns the statuses of the answers.
    private func statuses(_ pieces: [[UInt8]], slowly: Bool = false) throws -> [String] {
        try Exchange.with(.http, pieces, slowly: slowly)
            .split(separator: "HTTP/1.1 ").map { String($0.prefix(3)) }
    }

    private func whole(_ text: String) -> [[UInt8]] { [Array(text.utf8)] }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        #expect(try statuses(whole(Self.get + Self.other + Self.get)) == ["200", "404", "200"])
    }

    @Test func requestsMayComeByteByByte() throws {
        let bytes = Array((Self.get + Self.other + Self.get).utf8)
        #expect(try statuses(bytes.map { [$0] }) == ["200", "404", "200"])
    }

    @Test func requestsMayBeSplitAnywhere() throws {
        let bytes = Array((Self.other + Self.get).utf8)
        for split in stride(from: 1, to: bytes.count, by: 7) {
            #expect(try statuses([Array(bytes[..<split]), Array(bytes[split...])]) == ["404", "200"])
        }
    }

    @Test(arguments: [
        "hello\r\n\r\n", "GET /plaintext HTTP/1.0\r\n\r\n", "\r\n\r\n", "\n\n",
        "GET /plaintext HTTP/1.1\r\ncontent-length: 5\r\n\r\nGET /",
        "GET /plaintext HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ])
    func whatItDoesNotDoEndsTheConnection(request: String) throws {
        #expect(try statuses(whole(request + Self.get)).prefix(1) == ["400"])
        #expect(try statuses(whole(Self.get + request)) == ["200", "400"])
    }

    @Test func anEndlessHeadIsRefused() throws {
        let endless = Self.get + "GET /" + String(repeating: "a", count: 9000)
        #expect(try statuses(whole(endless)) == ["200", "400"])
    }

    @Test func aRequestedCloseComesBehindTheResponse() throws {
        let last = "GET /plaintext HTTP/1.1\r\nConnection: close\r\n\r\n"
        #expect(try statuses(whole(Self.get + last + Self.get)) == ["200", "200"])
        let server = try ServerProcess.start(.floor, .shortHTTP, workers: 1, in: .ofThisPackage)
        try server.stop()
    }

    @Test func anUnfinishedRequestIsNotAnswered() throws {
        #expect(try statuses(whole(Self.get + "GET /plaintext HTTP/1.1\r\nHost: x\r\n")) == ["200"])
    }

    /// A batch whose answers don't fit into the socket: short writes, and input held back meanwhile.
    @Test func manyPipelinedRequestsToASlowReader() throws {
        let count = 60_000
        let batch = Array(String(repeating: Self.get, count: count / 20).utf8)
        #expect(try statuses(Array(repeating: batch, count: 20), slowly: true).count(where: { $0 == "200" }) == count)
    }

    /// More of them than there is room for at once, between small ones, to a peer that reads late.
    @Test(arguments: [false, true]) func bodiesOfMemoryComeWholeAndInOrder(slowly: Bool) throws {
        let large = "GET /bytes?n=65536 HTTP/1.1\r\nHost: x\r\n\r\n"
        let all = try Exchange.with(.bytes, [Array(String(repeating: large + Self.get, count: 100).utf8)], slowly: slowly)
        let answers = all.components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst().map { $0.components(separatedBy: "\r\n\r\n").last }
        #expect(answers.count == 200)
        for (index, body) in answers.enumerated() {
            #expect(body == (index % 2 == 0 ? Material.File.kibibytes64.text : "Hello, World!"))
        }
    }
}
