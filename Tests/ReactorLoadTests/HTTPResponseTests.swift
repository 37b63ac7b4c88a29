@testable import ReactorLoad
import ReactorTesting
import ReactorWire
import TestSupport
import Testing

/// Where responses end, whole, byte by byte and split at random.
@Suite struct HTTPResponseTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        /// What each message is; nil for a violation, which is the last.
        let messages: [Message?]
        var isHead = false
        var testDescription: String { name }
    }

    struct Message: Equatable, Sendable {
        let status: Int
        let body: String
        var keepsAlive = true
    }

    /// As a driver shows bytes: what was not consumed comes again, with more behind it.
    private func read(_ text: String, _ feeding: Feeding, isHead: Bool, ends: Bool = true) -> [Message?] {
        var reader = HTTPResponseReader()
        reader.gathers = true
        reader.answersHead = isHead
        var messages: [Message?] = []
        var tail: [UInt8] = []
        func message() -> Message {
            Message(status: reader.status, body: String(decoding: reader.gathered, as: UTF8.self), keepsAlive: reader.keepsAlive)
        }
        for piece in feeding.pieces(of: Array(text.utf8)) {
            tail += piece
            var offset = 0
            loop: while offset < tail.count {
                let before = offset
                switch reader.next(in: tail.span.bytes, from: &offset) {
                case .incomplete: break loop
                case .message: messages.append(message())
                case .broken: return messages + [nil]
                }
                #expect(offset > before)
            }
            tail.removeFirst(offset)
        }
        if ends, reader.end() == .message { messages.append(message()) }
        return messages
    }

    static let ok = Message(status: 200, body: "hello")
    static let cases = [
        Case(name: "length", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", messages: [ok]),
        Case(
            name: "two", text: "HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhelloHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            messages: [ok, Message(status: 404, body: "")]),
        Case(name: "no reason", text: "HTTP/1.1 200\r\nCONTENT-LENGTH: \t 5 \t\r\n\r\nhello", messages: [ok]),
        Case(
            name: "chunks",
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n05 \r\nhello\r\n000\r\n\r\n", messages: [ok, ok]),
        Case(
            name: "until the end", text: "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello",
            messages: [Message(status: 200, body: "hello", keepsAlive: false)]),
        Case(
            name: "close", text: "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 5\r\n\r\nhello",
            messages: [Message(status: 200, body: "hello", keepsAlive: false)]),
        Case(
            name: "1.0", text: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            messages: [Message(status: 200, body: "hello", keepsAlive: false)]),
        Case(name: "1.0 kept", text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", messages: [ok]),
        Case(
            name: "interim",
            text: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            messages: [ok]),
        Case(name: "204", text: "HTTP/1.1 204 No Content\r\n\r\n", messages: [Message(status: 204, body: "")]),
        Case(name: "304", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", messages: [Message(status: 304, body: "")]),
        Case(name: "HEAD", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", messages: [Message(status: 200, body: "")], isHead: true),
        Case(name: "same length twice", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", messages: [ok]),
        Case(name: "cut head", text: "HTTP/1.1 200 OK\r\nContent-Le", messages: []),
        Case(name: "cut body", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", messages: []),
        Case(name: "cut chunk", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", messages: []),
    ]

    static let violations = [
        "garbage\r\n", "\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 099 X\r\n", "HTTP/1.1 2000 X\r\n", "HTTP/1.1 20x OK\r\n", "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 600 X\r\n", "HTTP/1.1 200 OK\n", "http/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nNoColon\r\n", "HTTP/1.1 200 OK\r\n: x\r\n", "HTTP/1.1 200 OK\r\nName : x\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloxx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 101),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: \(String(repeating: "y", count: 1_000))\r\n", count: 66),
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 66_000),
    ]

    @Test(arguments: cases, Feeding.all)
    func messagesEndWhereTheyDo(_ item: Case, _ feeding: Feeding) {
        #expect(read(item.text, feeding, isHead: item.isHead) == item.messages)
    }

    /// By their places: some are too long for a name.
    @Test(arguments: violations.indices, [Feeding.whole, .random(seed: 3), .random(seed: 4)])
    func whatIsNoResponseIsRefused(_ place: Int, _ feeding: Feeding) {
        let text = Self.violations[place]
        #expect(read(text, feeding, isHead: false, ends: false) == [nil], "\(text.prefix(60))")
    }

    /// Bytes changed at random: an end is found or not, and nothing traps.
    @Test(arguments: 0..<20) func damageDoesNotTrap(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for item in Self.cases {
            for _ in 0..<50 {
                var bytes = Array(item.text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = read(String(decoding: bytes, as: Unicode.ASCII.self), .random(seed: seed), isHead: item.isHead)
            }
        }
    }
}
