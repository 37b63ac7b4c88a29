import Testing

@testable import BenchmarkHarness

@Suite struct HTTPAnswerTests {
    static let good = """
        HTTP/1.1 200 OK\r
        Content-Type: text/plain\r
        Content-Length: 13\r
        Date: Fri, 20 Nov 2026 21:44:29 GMT\r
        \r
        Hello, World!
        """

    @Test func theRightAnswerPasses() throws {
        let answer = try #require(try HTTPAnswer.complete(in: Self.good))
        try answer.checkPlaintext(exactFields: true)
    }

    @Test func theLastAnswerSaysSo() throws {
        let last = try #require(
            try HTTPAnswer.complete(in: Self.good.replacing("Date:", with: "Connection: close\r\nDate:")))
        try last.checkPlaintext(exactFields: true, closes: true)
        #expect(throws: Failure.self) { try last.checkPlaintext(exactFields: true) }
        let other = try #require(try HTTPAnswer.complete(in: Self.good))
        #expect(throws: Failure.self) { try other.checkPlaintext(exactFields: false, closes: true) }
    }

    @Test func nothingIsJudgedBeforeItIsComplete() throws {
        for count in 0..<Self.good.utf8.count {
            let part = String(decoding: Self.good.utf8.prefix(count), as: UTF8.self)
            #expect(try HTTPAnswer.complete(in: part) == nil)
        }
    }

    @Test(arguments: [
        ("200 OK", "404 Not Found"), ("World!", "world!"), ("text/plain", "text/html"), ("Date:", "Data:"),
    ])
    func aWrongAnswerIsRefused(part: String, wrong: String) throws {
        let answer = try #require(try HTTPAnswer.complete(in: Self.good.replacing(part, with: wrong)))
        #expect(throws: Failure.self) { try answer.checkPlaintext(exactFields: false) }
    }

    @Test func furtherFieldsAreRefusedWhereTheWorkMustBeTheSame() throws {
        let text = Self.good.replacing("Date:", with: "X-Other: x\r\nDate:")
        let answer = try #require(try HTTPAnswer.complete(in: text))
        try answer.checkPlaintext(exactFields: false)
        #expect(throws: Failure.self) { try answer.checkPlaintext(exactFields: true) }
    }

    @Test func aServerMayNameItself() throws {
        let answer = try #require(try HTTPAnswer.complete(in: Self.good.replacing("Date:", with: "Server: x\r\nDate:")))
        try answer.checkPlaintext(exactFields: true)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", good + "!"])
    func withoutAnEndItIsNoAnswer(text: String) {
        #expect(throws: Failure.self) { try HTTPAnswer.complete(in: text) }
    }
}
