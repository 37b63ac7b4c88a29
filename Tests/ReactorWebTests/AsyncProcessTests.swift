import ConnectionHandling
import Foundation
import Glibc
import ServerArchitectures
import TestSupport
import Testing

/// Async handlers in forked processes, which have tasks and their threads of their own. `AsyncTests` has the other
/// architectures.
@Suite(.timeLimit(.minutes(40))) struct AsyncProcessTests {
    @Test(arguments: [Architecture.fork, .prefork])
    func everyProcessHasItsTasks(_ architecture: Architecture) throws {
        let server = try ServerProcess("async-server", [architecture.rawValue])
        for _ in 0..<3 {
            let client = try TestClient(server.addresses[0])
            client.send(request("GET /slow") + request("GET /text") + request("GET /slow") + request("GET /process"))
            #expect(client.receiveAnswer().hasSuffix("\r\n\r\nslow"))
            #expect(client.receiveAnswer().hasSuffix("\r\n\r\nhello"))
            #expect(client.receiveAnswer().hasSuffix("\r\n\r\nslow"))
            let process = client.receiveAnswer()
            #expect(process.hasPrefix("HTTP/1.1 200 ") && !process.hasSuffix("\n\(server.process.processIdentifier)"))
        }
        #expect(server.stop() == 0)
    }

    /// More than sockets hold, there, back, and both at once.
    @Test(arguments: [Architecture.fork, .prefork])
    func bodiesAreStreamed(_ architecture: Architecture) throws {
        let server = try ServerProcess("async-server", [architecture.rawValue])
        let client = try TestClient(server.addresses[0])
        let megabytes = 8
        client.send(request("PUT /count", fields: "Content-Length: \(megabytes << 20)\r\n"))
        client.send([UInt8](repeating: 7, count: megabytes << 20))
        #expect(client.receiveAnswer().hasSuffix("\r\n\r\n\(megabytes << 20)"))
        client.send(request("GET /stream/8000"))
        #expect(client.receiveAnswer().utf8.count > 8_000_000)

        // Each piece comes back before the next is sent.
        let piece = String(repeating: "0123456789abcdef", count: 4_096)
        client.send(request("PUT /echo", fields: "Content-Length: \(50 * piece.utf8.count)\r\n"))
        for round in 0..<50 {
            client.send(piece)
            if round == 0 { #expect(client.receiveHead().contains("Transfer-Encoding: chunked\r\n")) }
            var echoed = ""
            while echoed.utf8.count < piece.utf8.count, let chunk = client.receiveChunk(), !chunk.isEmpty { echoed += chunk }
            guard echoed == piece else {
                Issue.record("round \(round): \(echoed.utf8.count) bytes")
                return
            }
        }
        #expect(client.receiveChunk() == "")

        client.send(request("GET /text", fields: "Connection: close\r\n"))
        let (last, isReset) = client.receiveToEnd()
        #expect(last.hasSuffix("hello") && !isReset)
        #expect(server.stop() == 0)
    }

    /// What is not as long as it said is cut off; and what is under way when the server stops is answered.
    @Test(arguments: [Architecture.fork, .prefork])
    func answersEnd(_ architecture: Architecture) throws {
        let server = try ServerProcess("async-server", [architecture.rawValue])
        let short = try TestClient(server.addresses[0])
        short.send(request("GET /short"))
        #expect(short.receiveToEnd().reset)

        let client = try TestClient(server.addresses[0])
        client.send(request("PUT /count", fields: "Content-Length: 10\r\n") + "01234")
        usleep(200_000)
        server.signal(SIGTERM)
        usleep(200_000)
        client.send("56789")
        let (text, isReset) = client.receiveToEnd()
        #expect(text.contains("Connection: close\r\n") && text.hasSuffix("\r\n\r\n10") && !isReset, "\(text)")
        #expect(server.waitForExit() == 0)
    }
}

extension TestClient {
    fileprivate func receiveHead() -> String {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            let line = receiveLine()
            if line.isEmpty { return head }
            head += line
        }
        return head
    }

    /// The next chunk's data; empty for the last; nil for what is none.
    fileprivate func receiveChunk() -> String? {
        guard let count = Int(receiveLine().split(separator: "\r\n").first ?? "", radix: 16) else { return nil }
        return String(receive(count: count + 2).utf8.dropLast(2))
    }
}
