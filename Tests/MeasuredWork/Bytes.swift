import ConnectionHandling
import Foundation
import ReactorHTTP
import ReactorWire

// What happens to bytes, with no connection around it.

extension Work {
    static let queue = Work("queue", "512 bytes appended to a queue in pieces of 64, and taken out of it") {
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64)
        return { rounds in
            var queue = ByteQueue(capacity: 1_024)
            for _ in 0..<rounds {
                for _ in 0..<8 { queue.append(piece.span.bytes) }
                queue.removeFirst(queue.count)
            }
            require(queue.isEmpty, "bytes are left")
        }
    }

    static let framing = Work("framing", "a line of 64 bytes found, of 44 in one buffer") {
        let lines = [UInt8](String(repeating: String(repeating: "x", count: 62) + "\r\n", count: 44).utf8)
        return { rounds in
            var framing = LineFraming()
            var found = 0
            while found < rounds {
                var start = 0
                while found < rounds, let frame = try? framing.next(in: lines.span.bytes, from: start) {
                    found += 1
                    start = frame.next
                }
                require(start > 0, "no line")
            }
        }
    }

    static let parse = Work("parse", "the head of a request read, of the eleven in Tests/ParserLoad/Requests in turn") {
        let heads = try requestHeads()
        return { rounds in
            var fields = 0
            for round in 0..<rounds {
                let bytes = heads[round % heads.count]
                var head = RequestHead()
                require(head.readAlone(bytes.span.bytes), "no request")
                fields += RequestView(reading: head, of: bytes.span.bytes).fieldCount
            }
            require(fields >= rounds, "no fields")
        }
    }

    private static func requestHeads() throws -> [[UInt8]] {
        let requests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "ParserLoad/Requests")
        let heads = try ["browsers", "tools"].flatMap { folder in
            let names = try FileManager.default.contentsOfDirectory(atPath: requests.appending(path: folder).path).sorted()
            return try names.map { [UInt8](try Data(contentsOf: requests.appending(path: "\(folder)/\($0)"))) }
        }
        require(cycle % heads.count == 0, "\(heads.count) requests come in turn in no cycle of \(cycle)")
        return heads
    }
}
