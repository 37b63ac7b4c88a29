import CBenchSystem
import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

/// The floors of SMTP and JSON-RPC are servers that one may compare with.
@Suite struct MailFloorTests {
    /// The codes of the replies, but for the greeting's.
    private func codes(_ pieces: [String]) throws -> [String] {
        let replies = try Exchange.with(.sink, pieces.map { Array($0.utf8) })
        let lines = replies.split(separator: "\r\n")
        #expect(lines.first?.hasPrefix("220 ") == true)
        // Of a reply with several lines, the last.
        return lines.dropFirst().filter { $0.dropFirst(3).first == " " }.map { String($0.prefix(3)) }
    }

    private static let start = "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
    private static let content = "Subject: x\r\n\r\nhello\r\n..\r\n.x\r\r\n.\r.\r\n.\n.\r\n \r\n.\r\n"
    private static let second = "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n.\r\n"
    private static let codes = ["250", "250", "250", "354", "250", "250", "250", "250", "354", "250", "221"]

    @Test func pipelinedCommandsAndContentsAreTakenWhereverTheyAreSplit() throws {
        let text = Self.start + Self.content + Self.second + "QUIT\r\n"
        #expect(try codes([text]) == Self.codes)
        // "\r\n" is one Character: split between bytes.
        let bytes = Array(text.utf8)
        let whole = try Exchange.with(.sink, [bytes])
        #expect(try Exchange.with(.sink, bytes.map { [$0] }) == whole)
        for split in stride(from: 1, to: bytes.count, by: 11) {
            #expect(try Exchange.with(.sink, [Array(bytes[..<split]), Array(bytes[split...])]) == whole)
        }
    }

    @Test func onlyTheWholeEndEndsAContent() throws {
        #expect(try codes([Self.start + "x\r\n.\n\n.\r\n.\r.\r\n..\r\n"]) == Array(Self.codes.prefix(4)))
    }

    @Test func commandsHaveAnOrder() throws {
        let text = "RCPT TO:<a>\r\nMAIL FROM:<a>\r\nHELO x\r\nDATA\r\nRCPT TO:<a>\r\nMAIL FROM:<a>\r\nMAIL FROM:<a>\r\nRSET\r\nDATA\r\nDATABASE\r\n"
        #expect(try codes([text]) == ["503", "503", "250", "503", "503", "250", "503", "250", "503", "500"])
    }

    @Test(arguments: ["NOOP\n", String(repeating: "x", count: 2_100), String(repeating: "x", count: 9_000) + "\r\n"])
    func whatIsNoCommandEndsTheSession(_ text: String) throws {
        #expect(try codes(["NOOP\r\n" + text + "NOOP\r\n"]) == ["250", "500"])
    }
}

@Suite struct RPCFloorTests {
    private func request(_ body: String) -> String {
        "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The bodies of the answers.
    private func answers(_ text: String, pieces: Int = 1) throws -> [String] {
        let bytes = Array(text.utf8)
        let size = (bytes.count + pieces - 1) / pieces
        let cut = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
        return try Exchange.with(.rpc, cut).components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst().map {
            $0.components(separatedBy: "\r\n\r\n").last ?? ""
        }
    }

    @Test(arguments: [1, 2, 3, 7, 1_000])
    func callsAreAnsweredInOrderWhereverTheyAreSplit(_ pieces: Int) throws {
        let calls = request(#"{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}"#)
            + request(#" { "id" : "a b" , "params" : { "subtrahend" : -5 , "minuend" : 0 } , "method":"subtract","jsonrpc":"2.0" } "#)
            + request(#"{"jsonrpc":"2.0","method":"add","params":[1,2],"id":3}"#)
        #expect(try answers(calls, pieces: pieces) == [
            #"{"jsonrpc":"2.0","result":19,"id":1}"#, #"{"jsonrpc":"2.0","result":5,"id":"a b"}"#,
            #"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":3}"#,
        ])
    }

    @Test(arguments: [
        "", "{}", "[]", "nonsense", #"{"jsonrpc":"2.0","method":"subtract","params":[1,2]}"#,
        #"{"jsonrpc":"1.0","method":"subtract","params":[1,2],"id":1}"#, #"{"jsonrpc":"2.0","method":"subtract","params":[1,2],"id":1}x"#,
        #"{"jsonrpc":"2.0","method":"subtract","params":[1],"id":1}"#, #"{"jsonrpc":"2.0","method":"subtract","params":[1.5,2],"id":1}"#,
        #"{"jsonrpc":"2.0","method":"subtract","params":[1,2],"id":01}"#, #"{"jsonrpc":"2.0","method":"subtract","params":[1,2],"id":1"#,
        #"{"jsonrpc":"2.0","method":"subtract","params":{"minuend":1,"minuend":2},"id":1}"#,
        #"{"jsonrpc":"2.0","method":"subtract","params":[9999999999999999,1],"id":1}"#,
    ])
    func whatItDoesNotUnderstandIsNoCall(_ body: String) throws {
        let good = request(#"{"jsonrpc":"2.0","method":"subtract","params":[2,1],"id":2}"#)
        #expect(try answers(request(body) + good) == [
            #"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}"#, #"{"jsonrpc":"2.0","result":1,"id":2}"#,
        ])
    }

    @Test(arguments: [
        "GET /rpc HTTP/1.1\r\n\r\n", "POST /other HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "POST /rpc HTTP/1.1\r\n\r\n",
        "POST /rpc HTTP/1.1\r\nContent-Length: 2x\r\n\r\n{}", "POST /rpc HTTP/1.1\r\nContent-Length: 9000\r\n\r\n{}",
        "POST /rpc HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "POST /rpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
    func whatItDoesNotDoEndsTheConnection(_ text: String) throws {
        let all = try Exchange.with(.rpc, [Array((text + request("{}")).utf8)])
        #expect(all.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && !all.contains("200 OK"), "\(all)")
    }
}

/// One connection to a floor of its own.
enum Exchange {
    /// Sends the pieces, each as a segment of its own, ends the sending side, and returns all that came.
    static func with(_ service: Service, _ pieces: [[UInt8]], slowly: Bool = false) throws -> String {
        let server = try ServerProcess.start(.floor, service, workers: 1, in: .ofThisPackage)
        let socket = bench_connect(server.port, 1, 5000)
        try #require(socket >= 0)
        defer { close(socket) }
        // Beside the reading: a server that cannot write does not read either.
        Thread.detachNewThread {
            for piece in pieces { _ = send(socket, piece, piece.count, Int32(MSG_NOSIGNAL)) }
            shutdown(socket, Int32(SHUT_WR))
        }
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        if slowly { usleep(300_000) }
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            received += chunk[..<count]
        }
        return String(decoding: received, as: UTF8.self)
    }
}
