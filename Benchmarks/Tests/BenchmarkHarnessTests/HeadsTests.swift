import Foundation
import Testing

@testable import BenchmarkHarness

@Suite struct HeadsTests {
    @Test func whatCallgrindCountsIsRead() throws {
        let text = """
            ==27095== Callgrind, a call-graph generating cache profiler
            requests=11 fields=77 bytes=2685 bodies=2 kept-alive=11
            ==27095== Events    : Ir
            ==27095== Collected : 17678259
            ==27095==
            ==27095== I   refs:      17,678,259
            """
        #expect(try HeadsRun.collected(text) == 17_678_259)
    }

    @Test(arguments: ["", "valgrind: command not found", "==1== Collected : some"])
    func aRunWithoutACountFails(_ text: String) {
        #expect(throws: Failure.self) { try HeadsRun.collected(text) }
    }

    @Test func whatThereIsToFindInAHead() {
        let head = HeadCount("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        #expect(head.fields == 2)
        #expect(head.bytes == 4 + 2 + 3 + 5 + 15)
        #expect((head + head).bytes == 2 * head.bytes)
    }

    @Test(arguments: Material.File.allCases.filter { $0 != .plaintext })
    func filesHaveTheirSizeAndNoTwoLinesAlike(_ file: Material.File) {
        let text = file.text
        #expect(text.utf8.count == file.size)
        let lines = text.split(separator: "\n")
        #expect(Set(lines).count == file.size / Material.File.lineLength)
    }

    @Test func eachFileIsAskedForByItsName() {
        #expect(Service.kibibytes64.path == "/64-kibibytes")
        #expect(Service.http.path == "/plaintext" && Service.https.path == "/plaintext" && Service.json.path == "/json")
    }

    /// Compared before a measurement: a server that serves something else is not measured.
    @Test func anAnswerIsHeldToItsBodyAndType() throws {
        func answer(_ type: String, _ body: String, date: Bool = true) throws -> HTTPAnswer? {
            let fields = "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n" + (date ? "Date: x GMT\r\n" : "")
            return try HTTPAnswer.complete(in: "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body)
        }
        try #require(try answer("application/json", "{}")).check("application/json", "{}")
        let wrong = [try answer("text/plain", "{}"), try answer("application/json", "[]"), try answer("application/json", "{}", date: false)]
        for answer in wrong { #expect(throws: Failure.self) { try #require(answer).check("application/json", "{}") } }
    }
}
